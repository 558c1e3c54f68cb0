"""Brings measurements where the user wants them: into a folder, or to a FHIR server."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any
from urllib.parse import urlsplit

from rppg_ros.export.fhir import bundle
from rppg_ros.export.table import append
from rppg_ros.meter.measuring import Measured
from rppg_ros.types import NS_PER_S

FORMATS = ("fhir", "csv")
TABLE = "measurements.csv"
URL = re.compile(r"\w[\w+.-]+:/")
TIMEOUT_S = 10.0
END_S = 3.0  # for what waits, when the node is cleaned up
WAITING = 32  # measurements that wait for a slow server or disk; beyond them the newest is refused
MAX_SHOWN = 200


class ExportError(ValueError):
    """Where measurements should go cannot be; names it."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would send a GET without the bundle to the other place, and take its answer for the server's."""

    def redirect_request(self, *args: Any, **options: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        fits = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        fits = False
    if not fits or any(letter.isspace() for letter in url):
        raise ExportError(
            f"export target '{_shown(url)}': a folder, or"
            " a URL that begins with http:// or https:// and a host, and a port if need be"
        )


def _shown(url: str) -> str:
    """Without a password."""
    return re.sub(r"//[^/@]*@", "//", url)[:MAX_SHOWN]


class Delivery:
    """Delivers on a thread of its own, so that nobody waits for a disk or a server.

    Parameters
    ----------
    target : a folder, which is made, or the http(s) URL of a FHIR server's base, to which the bundle is POSTed.
    formats : of FORMATS; a URL takes "fhir" alone.
    on_problem : hears what went wrong, on the delivering thread.

    Raises
    ------
    ExportError : an unknown format, a URL of another kind or for CSV, or a folder that cannot be made.
    """

    def __init__(self, target: str, formats: tuple[str, ...], on_problem: Callable[[str], None]) -> None:
        formats = tuple(dict.fromkeys(one.strip() for one in formats))
        unknown = [one for one in formats if one not in FORMATS]
        if unknown or not formats:
            raise ExportError(f"export formats are of {', '.join(FORMATS)}, not {', '.join(unknown) or 'none'}")
        self._url = target if URL.match(target) else ""
        if self._url:
            _check_url(self._url)
        if self._url and "csv" in formats:
            raise ExportError("export to a URL is as FHIR; CSV goes to a folder")
        self._folder, self._formats = Path(target).expanduser(), formats
        self._on_problem = on_problem
        if not self._url:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ExportError(f"export target '{target[:MAX_SHOWN]}': {error.strerror or error}") from None
        self._queue: Queue[tuple[Measured, str] | None] = Queue(WAITING)
        self.delivered = 0
        self._thread = threading.Thread(target=self._run, name="rppg_export", daemon=True)
        self._thread.start()

    def send(self, measured: Measured, subject: str = "") -> None:
        """Deliver it soon; never waits. `subject`: see fhir.bundle."""
        try:
            self._queue.put_nowait((measured, subject))
        except Full:
            self._on_problem(f"export: {WAITING} measurements wait already: this one is not delivered")

    def end(self, timeout_s: float = END_S) -> None:
        """Deliver what waits, as far as there is time, then end; nobody waits longer."""
        waiting = 0
        while True:
            try:
                self._queue.put_nowait(None)
                break
            except Full:
                waiting += self._drop()
        self._thread.join(timeout_s)
        while self._thread.is_alive() and not self._queue.empty():
            waiting += self._drop()
        if waiting:
            self._on_problem(
                f"export to {_shown(self._url) or self._folder}: {waiting} measurements were not delivered in time"
            )

    def _drop(self) -> int:
        try:
            return self._queue.get_nowait() is not None
        except Empty:
            return 0

    def _run(self) -> None:
        while (waiting := self._queue.get()) is not None:
            try:
                self._deliver(*waiting)
                self.delivered += 1
            except (
                Exception
            ) as error:  # of a disk, of urllib, or of what a server answers: the next one is tried all the same
                self._on_problem(f"export to {_shown(self._url) or self._folder}: {_text(error)}")

    def _deliver(self, measured: Measured, subject: str) -> None:
        if self._url:
            self._post(json.dumps(bundle(measured, subject)).encode())
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            if "csv" in self._formats:
                append(measured, self._folder / TABLE)
        finally:  # one that fails does not keep the other from being written
            if "fhir" in self._formats:
                self._write(json.dumps(bundle(measured, subject), indent=1), _name(measured))

    def _write(self, text: str, name: str) -> None:
        path, number = self._folder / f"{name}.fhir.json", 1
        while path.exists():  # two measurements of one person may begin and end together
            number += 1
            path = self._folder / f"{name}-{number}.fhir.json"
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 (its scheme was checked)
            self._url, body, {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
        )
        with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
            answer.read(MAX_SHOWN)


def _name(measured: Measured) -> str:
    begun = datetime.fromtimestamp(measured.start_ns / NS_PER_S, timezone.utc)
    return f"{begun:%Y%m%dT%H%M%S}.{begun.microsecond // 1000:03}Z-{_safe(measured.face_id) or 'nobody'}"


def _safe(face_id: str) -> str:
    return "".join(letter for letter in face_id if letter.isalnum() and letter.isascii())[:32]


def _text(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    return " ".join(str(getattr(error, "reason", "") or getattr(error, "strerror", "") or error).split())[:MAX_SHOWN]
