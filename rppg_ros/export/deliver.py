"""Brings measurements where the user wants them: into a folder, or to a FHIR server."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from queue import Empty, Full, Queue
from urllib.parse import urlsplit

from rppg_ros.export.fhir import bundle
from rppg_ros.export.table import append
from rppg_ros.meter.measuring import Measured
from rppg_ros.types import NS_PER_S

FORMATS = ("fhir", "csv")
TABLE = "measurements.csv"
TIMEOUT_S = 10.0
WAITING = 32  # measurements that wait for a slow server or disk; beyond them the newest is refused
MAX_SHOWN = 200


class ExportError(ValueError):
    """Where measurements should go cannot be; names it."""


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
        unknown = [one for one in formats if one not in FORMATS]
        if unknown or not formats:
            raise ExportError(f"export formats are of {', '.join(FORMATS)}, not {', '.join(unknown) or 'none'}")
        self._url = target if "://" in target else ""
        if self._url and (urlsplit(self._url).scheme not in ("http", "https") or not urlsplit(self._url).hostname):
            raise ExportError(
                f"export target '{target[:MAX_SHOWN]}': a folder, or a URL that begins with http:// or https://"
            )
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

    def end(self, timeout_s: float = TIMEOUT_S) -> None:
        """Deliver what waits, then end."""
        try:
            self._queue.put(None, timeout=timeout_s)
        except Full:
            while True:
                try:
                    self._queue.get_nowait()
                except Empty:
                    break
            self._queue.put_nowait(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (waiting := self._queue.get()) is not None:
            try:
                self._deliver(*waiting)
                self.delivered += 1
            except (OSError, ValueError) as error:  # URLError is an OSError
                self._on_problem(f"export to {self._url or self._folder}: {_text(error)}")

    def _deliver(self, measured: Measured, subject: str) -> None:
        if self._url:
            self._post(json.dumps(bundle(measured, subject)).encode())
            return
        if "fhir" in self._formats:
            begun = datetime.fromtimestamp(measured.start_ns / NS_PER_S, timezone.utc)
            name = (
                f"{begun:%Y%m%dT%H%M%S}.{begun.microsecond // 1000:03}Z-{_safe(measured.face_id) or 'nobody'}.fhir.json"
            )
            part = self._folder / f".{name}.part"
            part.write_text(json.dumps(bundle(measured, subject), indent=1), encoding="utf-8")
            part.replace(self._folder / name)
        if "csv" in self._formats:
            append(measured, self._folder / TABLE)

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 (its scheme was checked)
            self._url, body, {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            answer.read(MAX_SHOWN)


def _safe(face_id: str) -> str:
    return "".join(letter for letter in face_id if letter.isalnum() and letter.isascii())[:32]


def _text(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    return " ".join(str(getattr(error, "reason", "") or getattr(error, "strerror", "") or error).split())[:MAX_SHOWN]
