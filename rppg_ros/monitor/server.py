"""Serves the page and its events: aiohttp on a thread of its own, this host alone unless told otherwise."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import secrets
import threading
from collections.abc import Callable
from importlib import resources
from typing import Any

from aiohttp import WSMsgType, web

from rppg_ros.monitor.board import Event

FILES = {"/": ("index.html", "text/html"), "/monitor.js": ("monitor.js", "text/javascript"),
         "/waves.js": ("waves.js", "text/javascript"), "/monitor.css": ("monitor.css", "text/css")}  # fmt: skip
QUEUE = 400  # events that wait for one page; a page that is slower than that is closed, and connects again
MAX_MESSAGE = 4096  # bytes that a page may send at once
MAX_PAGES = 32
START_S, STOP_S = 10.0, 5.0
HEARTBEAT_S = 20.0
COOKIE = "rppg_ros_token"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' "
    "data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class ServerError(RuntimeError):
    """The server cannot begin; names host and port."""


class MonitorServer:
    """The server; `begin`, `send` and `end` may be called from any one thread.

    Parameters
    ----------
    host, port : to listen on; port 0: any that is free. token : whoever opens the page must give it; "": nobody need.
        A host that others can reach needs one: without, a random one is made.
    greet : events for a page that opens. on_command : what a page asks for, on the server's thread.

    Attributes
    ----------
    url : of the page, with the token where there is one; known after `begin`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        token: str,
        greet: Callable[[], list[Event]],
        on_command: Callable[[Event], None],
    ) -> None:
        self._host, self._port, self._greet, self._on_command = host, port, greet, on_command
        self.token = token or ("" if is_loopback(host) else secrets.token_urlsafe(16))
        self.url = ""
        self._queues: set[asyncio.Queue[str | None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="rppg_monitor", daemon=True)
        self._begun = threading.Event()
        self._ending: asyncio.Event | None = None
        self._problem = ""

    @property
    def pages(self) -> int:
        """How many are open."""
        return len(self._queues)

    def begin(self) -> None:
        """Listen; ServerError: the port is taken, or the host is none of this machine's."""
        self._thread.start()
        if not self._begun.wait(START_S):
            self._problem = "no answer"
        if self._problem:
            raise ServerError(f"monitor: cannot listen on {self._host}:{self._port}: {self._problem}")

    def send(self, events: list[Event]) -> None:
        """To all pages that are open."""
        if events and self._queues and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._spread, [_text(event) for event in events])

    def end(self) -> None:
        """Close all pages, and stop listening."""
        if self._thread.is_alive() and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stop)
            self._thread.join(STOP_S)

    def _stop(self) -> None:
        if self._ending is not None:
            self._ending.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except (OSError, ValueError) as error:  # UnicodeError of a name that is none is a ValueError
            self._problem = getattr(error, "strerror", "") or str(error) or type(error).__name__
        finally:
            self._begun.set()
            self._loop.close()

    async def _serve(self) -> None:
        self._ending = asyncio.Event()
        app = web.Application(client_max_size=MAX_MESSAGE, middlewares=[self._guard])
        app.router.add_get("/events", self._events)
        for path in FILES:
            app.router.add_get(path, self._file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            port = runner.addresses[0][1]
            name = f"[{self._host}]" if ":" in self._host else self._host
            self.url = f"http://{name}:{port}/" + (f"?token={self.token}" if self.token else "")
            self._begun.set()
            await self._ending.wait()
        finally:
            for queue in list(self._queues):
                queue.put_nowait(None)
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """Whoever may not is refused: another site's page, a name that was bent to this host, a wrong token."""
        try:
            name, own = request.url.host or "", str(request.url.origin())
        except ValueError:  # a port that is none, letters that no name has
            raise web.HTTPBadRequest(text="no such host") from None
        if is_loopback(self._host) and not is_loopback(name):
            raise web.HTTPForbidden(text="this page is served to its own host only")
        if request.headers.get("Origin", own) != own:
            raise web.HTTPForbidden(text="another site's page")
        if self.token and not self._knows_token(request):
            raise web.HTTPUnauthorized(
                text="the token is missing or wrong: open the address that the node wrote to its log"
            )
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
            if self.token and request.query.get("token"):
                response.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
        return response

    def _knows_token(self, request: web.Request) -> bool:
        given = request.query.get("token") or request.cookies.get(COOKIE, "")
        return hmac.compare_digest(given.encode(errors="surrogateescape"), self.token.encode())

    async def _file(self, request: web.Request) -> web.Response:
        name, kind = FILES[request.path]
        text = (resources.files("rppg_ros.monitor") / "page" / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind, charset="utf-8")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if len(self._queues) >= MAX_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{MAX_PAGES} pages are open already")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE)
        await socket.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE)
        for event in self._greet():
            queue.put_nowait(_text(event))
        self._queues.add(queue)
        reader = asyncio.ensure_future(self._read(socket, queue))
        try:
            while (text := await queue.get()) is not None:
                await socket.send_str(text)
        except ConnectionError:
            pass
        finally:
            self._queues.discard(queue)
            reader.cancel()
            await socket.close()
        return socket

    async def _read(self, socket: web.WebSocketResponse, queue: asyncio.Queue[str | None]) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                command = json.loads(message.data)
            except (ValueError, RecursionError):
                continue
            if isinstance(command, dict):
                self._on_command(command)
        _put(queue, None)

    def _spread(self, texts: list[str]) -> None:
        for queue in list(self._queues):
            for text in texts:
                if not _put(queue, text):
                    self._queues.discard(queue)
                    break


def _put(queue: asyncio.Queue[str | None], text: str | None) -> bool:
    """False: the page is too slow; it is told to go."""
    try:
        queue.put_nowait(text)
    except asyncio.QueueFull:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
        return False
    return True


def _text(event: Event) -> str:
    return json.dumps(event, allow_nan=False, separators=(",", ":"))


def is_loopback(host: str) -> bool:
    """Whether only this host reaches it by that name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
