"""The server of the page, by a client that knows nothing of it: who is let in, what is sent, and what a bad page cannot do."""

import asyncio
import contextlib
import json
import socket
import threading

import aiohttp
import pytest

from rppg_ros.monitor.server import FILES, MonitorServer, ServerError, is_loopback
from support.graph import wait_for


@contextlib.contextmanager
def serving(host="127.0.0.1", port=0, token="", greet=lambda: [{"kind": "hello"}]):
    commands = []
    server = MonitorServer(host, port, token, greet, commands.append)
    server.begin()
    server.commands = commands
    try:
        yield server
    finally:
        server.end()
        assert not server._thread.is_alive()


def get(url, **options):
    async def ask():
        async with aiohttp.ClientSession() as session, session.get(url, **options) as answer:
            return answer.status, dict(answer.headers), await answer.text()

    return asyncio.run(ask())


def talk(server, url, say=(), count=1, headers=None):
    """Open a page's connection, say something, and hear so many events."""

    async def ask():
        async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers or {}) as page:
            heard = [json.loads((await page.receive()).data) for _ in range(count)]
            for one in say:
                await (page.send_str if isinstance(one, str) else page.send_bytes)(one)
            await asyncio.sleep(0.2)
            return heard

    return asyncio.run(ask())


def test_the_page_comes_whole_and_asks_no_other_site():
    with serving() as server:
        for path in FILES:
            status, headers, text = get(server.url + path[1:])
            assert status == 200 and text and "default-src 'none'" in headers["Content-Security-Policy"]
            assert "http://" not in text and "https://" not in text, "nothing is fetched from elsewhere"
        assert get(server.url + "../server.py")[0] == 404 and get(server.url + "board.py")[0] == 404
        assert "Not a medical device" in get(server.url)[2]


def test_events_reach_every_page_and_commands_come_back():
    with serving() as server:
        heard = []
        threads = [
            threading.Thread(
                target=lambda: heard.append(talk(server, server.url + "events", ['{"do": "stop"}'], count=3))
            )
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        wait_for(lambda: server.pages == 2, what="two pages")
        server.send([{"kind": "a"}, {"kind": "b", "value": None}])
        for thread in threads:
            thread.join()
        assert heard == [[{"kind": "hello"}, {"kind": "a"}, {"kind": "b", "value": None}]] * 2
        assert server.commands == [{"do": "stop"}] * 2
        wait_for(lambda: server.pages == 0, what="that both have gone")


def test_nonsense_of_a_page_does_no_harm():
    with serving() as server:
        talk(server, server.url + "events", ["{", "[1]", "null", "[" * 3000, b"\x00\x01", '{"do": "measure"}'])
        assert server.commands == [{"do": "measure"}]
        talk(server, server.url + "events", ["x" * 100_000])
        assert get(server.url)[0] == 200


def test_without_pages_nothing_is_sent():
    with serving() as server:
        server.send([{"kind": "a"}])
        assert server.pages == 0


def test_a_page_that_does_not_read_is_closed():
    with serving() as server:

        async def sleepy():
            async with aiohttp.ClientSession() as session, session.ws_connect(server.url + "events") as page:
                big = [{"kind": "a", "value": "x" * 20_000}] * 100
                for _ in range(200):
                    server.send(big)
                    await asyncio.sleep(0)
                    if not server.pages:
                        break
                for _ in range(1000):
                    if not server.pages:
                        return True
                    await asyncio.sleep(0.02)
                return page.closed

        assert asyncio.run(sleepy())


def test_another_site_and_a_bent_name_are_refused():
    with serving() as server:
        port = server.url.split(":")[2].strip("/")
        assert get(server.url, headers={"Host": f"evil.example:{port}"})[0] == 403
        assert get(server.url, headers={"Host": f"localhost:{port}"})[0] == 200
        assert get(server.url, headers={"Origin": "http://evil.example"})[0] == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            talk(server, server.url + "events", headers={"Origin": "http://evil.example"})
        assert talk(server, server.url + "events", headers={"Origin": server.url[:-1]})


def test_headers_that_are_none_are_refused():
    with serving(token="s3cret") as server:
        port = int(server.url.split(":")[2].split("/")[0])
        for header in (b"Host: 127.0.0.1:abc", b"Host: \xff\xfe", b"Host: a\r\nCookie: rppg_ros_token=\xff\xfe"):
            with socket.create_connection(("127.0.0.1", port)) as raw:
                raw.sendall(b"GET / HTTP/1.1\r\n" + header + b"\r\n\r\n")
                assert raw.recv(100).split()[1] in (b"400", b"401", b"403")


def test_a_token_is_asked_for_and_remembered():
    with serving(token="s3cret") as server:
        plain = server.url.split("?")[0]
        assert server.url.endswith("/?token=s3cret")
        for path in ("", "monitor.js"):
            assert get(plain + path)[0] == 401 and get(plain + path + "?token=wrong")[0] == 401
        status, headers, _ = get(server.url)
        assert status == 200 and "HttpOnly" in headers["Set-Cookie"] and "SameSite=Strict" in headers["Set-Cookie"]
        assert get(plain + "monitor.js", headers={"Cookie": "rppg_ros_token=s3cret"})[0] == 200
        assert get(plain + "monitor.js", headers={"Cookie": "rppg_ros_token=\u00e4"})[0] == 401
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            talk(server, plain + "events")
        assert talk(server, plain + "events?token=s3cret")


def test_a_host_that_others_reach_gets_a_token_of_its_own():
    with serving(host="0.0.0.0") as one, serving(host="0.0.0.0") as other:
        assert len(one.token) >= 20 and one.token != other.token and "?token=" in one.url
        port = one.url.split(":")[2].split("/")[0]
        assert (
            get(f"http://127.0.0.1:{port}/")[0] == 401 and get(f"http://127.0.0.1:{port}/?token={one.token}")[0] == 200
        )


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"cannot listen on 127.0.0.1:{port}: "), serving(port=port):
            pass
    with pytest.raises(ServerError, match="cannot listen on a..b"), serving(host="a..b"):
        pass
    with pytest.raises(ServerError, match="cannot listen on 203.0.113.1"), serving(host="203.0.113.1"):
        pass


@pytest.mark.parametrize(
    ("host", "own"),
    [("localhost", True), ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("[::1]", True)]
    + [("0.0.0.0", False), ("robot.local", False), ("localhost.evil.example", False), ("", False)],
)
def test_what_is_this_host(host, own):
    assert is_loopback(host) is own
