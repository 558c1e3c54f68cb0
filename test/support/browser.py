"""A headless Chromium that opens a page, over its own debugging protocol; for tests where one is installed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
QUIET = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --hide-scrollbars --remote-debugging-port=0"
).split()
PATIENCE_S = 240.0  # for what never comes


class Browser:
    """One page of a browser. All calls wait until they are done.

    Attributes
    ----------
    complaints : what the page wrote to its console as errors, and exceptions that nobody caught.
    """

    def __init__(self, width=1280, height=900):
        self._folder = tempfile.TemporaryDirectory()
        self._loop = asyncio.new_event_loop()
        self._numbers = itertools.count(1)
        self.complaints = []
        self._process = subprocess.Popen(
            [
                CHROMIUM,
                *QUIET,
                f"--user-data-dir={self._folder.name}",
                f"--window-size={width},{height}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._run(self._connect())
        self.command("Page.enable")
        self.command("Runtime.enable")
        self.command("Log.enable")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with contextlib.suppress(Exception):
            self._run(self._socket.close())
            self._run(self._session.close())
        self._process.kill()
        self._process.wait()
        self._loop.close()
        with contextlib.suppress(OSError):
            self._folder.cleanup()

    def open(self, url):
        self.command("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def command(self, method, **parameters):
        return self._run(self._command(method, parameters))

    def value(self, expression):
        """Value of a JavaScript expression; it may be a promise."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression, seconds=PATIENCE_S):
        """Until a JavaScript expression is true."""
        end = self._loop.time() + seconds
        while not self.value(expression):
            assert self._loop.time() < end, f"{expression} did not come true within {seconds:.0f} s"
            self._run(asyncio.sleep(0.1))

    def picture(self, path):
        """What the page shows, as a PNG file."""
        data = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def size(self, width, height, mobile=False):
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile
        )

    def dark(self, dark):
        name = "dark" if dark else "light"
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def key(self, key, code=None, text=None):
        for kind in ("keyDown", "keyUp"):
            extra = {"text": text} if text and kind == "keyDown" else {}
            self.command("Input.dispatchKeyEvent", type=kind, key=key, code=code or key, **extra)

    def _run(self, coroutine):
        return self._loop.run_until_complete(asyncio.wait_for(coroutine, PATIENCE_S))

    async def _connect(self):
        place = Path(self._folder.name) / "DevToolsActivePort"
        while not place.exists() or "\n" not in place.read_text():
            assert self._process.poll() is None, "chromium ended"
            await asyncio.sleep(0.05)
        port = int(place.read_text().split()[0])
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json") as answer:
            pages = json.loads(await answer.text())
        address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
        self._socket = await self._session.ws_connect(address, max_msg_size=0)

    async def _command(self, method, parameters):
        number = next(self._numbers)
        await self._socket.send_str(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads((await self._socket.receive()).data)
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                return message.get("result", {})
            self._note(message)

    def _note(self, message):
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(parameters["exceptionDetails"])
        elif message.get("method") == "Runtime.consoleAPICalled" and parameters["type"] == "error":
            self.complaints.append(parameters["args"])
        elif message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(parameters["entry"])
