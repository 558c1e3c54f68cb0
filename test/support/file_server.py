"""A web server with one file, as bad as a test wants it."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Answers every path with `body`.

    Attributes
    ----------
    status : of every answer.
    announced : bytes that the header promises; those of the body by default.
    before_body : called by each answer's thread after the header.
    asked : the paths so far; whole URLs where it serves as a proxy.
    """

    def __init__(self, body: bytes):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body, self.status, self.announced, self.before_body = body, 200, None, lambda: None
        self.asked = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Clients that hang up are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802 (http.server's name)
        server = self.server
        server.asked.append(self.path)
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(server.body) if server.announced is None else server.announced))
        self.end_headers()
        server.before_body()
        self.wfile.write(server.body)

    def log_message(self, *args):
        pass


@contextmanager
def serving(body: bytes):
    """A FileServer that runs in a thread."""
    with FileServer(body) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
