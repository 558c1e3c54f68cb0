"""An official checkpoint on to this disk, by pooch: fetched or taken from a file, and only ever there whole and right."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pooch
import requests

from rppg_ros import __version__
from rppg_ros.cache import models_folder
from rppg_ros.models.official_files import OfficialFile

TIMEOUT_S = 30.0
"""Without a byte from the server."""
CHUNK_BYTES = 16 * 1024

Progress = Callable[[int], object]


class DownloadError(ValueError):
    """A checkpoint could not be had; one line that says what failed and what to do."""


def default_folder() -> Path:
    """Where models are kept: `$XDG_CACHE_HOME/rppg_ros/models`, by default under `~/.cache`.

    Raises
    ------
    DownloadError : for a user without a home.
    """
    folder = models_folder()
    if folder is None:
        raise DownloadError("this user has no home folder: say where to with -o DIR")
    return folder


def holds(path: Path, file: OfficialFile) -> bool:
    """Whether `path` is that checkpoint, by size and SHA-256."""
    return path.is_file() and not _problem(path, file)


def obtain(
    file: OfficialFile, folder: Path, given: Path | None = None, on_progress: Progress = lambda received: None
) -> Path:
    """The checkpoint in `folder`, under its authors' name; fetched unless it is there already.

    The file appears under its name only once its size and SHA-256 are those of the table.

    Parameters
    ----------
    folder : made if absent.
    given : file to take instead of the download, verified alike.
    on_progress : called with the bytes so far.

    Raises
    ------
    DownloadError : no network, refused, cut off, another content, no room.
    """

    def bring(url: str, output: str, _: object) -> None:
        os.unlink(output)  # pooch made it, for its owner alone
        if given is None:
            _fetch(file, output, on_progress)
        else:
            _copy(given, output)
        if problem := _problem(Path(output), file):
            raise DownloadError(_by_hand(file, given or url, problem))

    pooch.get_logger().setLevel(logging.WARNING)  # what it does is said by the caller
    try:
        return Path(pooch.retrieve(file.url, f"sha256:{file.sha256}", file.file_name, folder, downloader=bring))
    except OSError as error:  # of the disk: those of the sources are DownloadError by now
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error  # pooch's own text is long
        raise DownloadError(
            f"{folder}: cannot write {file.size_bytes:,} bytes there: {cause.strerror or cause}; "
            "make room, or choose another folder with -o DIR"
        ) from None


class _Counter:
    """What pooch tells the progress to; stops a file that is too long."""

    total = 0  # as the server says, which is not believed

    def __init__(self, file: OfficialFile, on_progress: Progress) -> None:
        self._file, self._on_progress, self._received = file, on_progress, 0

    def update(self, count: int) -> None:
        """`count` bytes more, or fewer: pooch counts whole chunks."""
        if self._received > self._file.size_bytes:
            raise DownloadError(_by_hand(self._file, self._file.url, _too_long(self._file)))
        self._received += count
        self._on_progress(min(self._received, self._file.size_bytes))

    def reset(self) -> None:
        """Count anew; the last `update` is of all."""
        self._received = 0

    def close(self) -> None:
        """All is there."""


def _fetch(file: OfficialFile, output: str, on_progress: Progress) -> None:
    headers = {"User-Agent": f"rppg_ros/{__version__}", "Accept-Encoding": "identity"}  # so that bytes can be counted
    fetch = pooch.HTTPDownloader(_Counter(file, on_progress), CHUNK_BYTES, headers=headers, timeout=TIMEOUT_S)
    try:
        fetch(file.url, output, None)
    except DownloadError:
        raise
    except (requests.RequestException, ValueError) as error:  # ValueError: a proxy variable that is no URL
        answer = getattr(error, "response", None)
        problem = f"no download: {_one_line(error)}" if answer is None else _refusal(answer)
        raise DownloadError(_by_hand(file, file.url, problem)) from None


def _refusal(answer: requests.Response) -> str:
    return f"HTTP error {answer.status_code}, {_one_line(answer.reason)}"


def _copy(given: Path, output: str) -> None:
    try:
        source = given.open("rb")
    except OSError as error:
        raise DownloadError(f"--from {given}: {error.strerror or error}") from None
    with source, open(output, "xb") as target:
        shutil.copyfileobj(source, target)


def _problem(path: Path, file: OfficialFile) -> str:
    """What is wrong with a file that should be that checkpoint, or nothing."""
    size = path.stat().st_size
    if size > file.size_bytes:
        return _too_long(file)
    if size < file.size_bytes:
        return f"ended after {size:,} of {file.size_bytes:,} bytes"
    found = pooch.file_hash(str(path))
    return "" if found == file.sha256 else f"wrong checksum: its sha256 is {found}"


def _too_long(file: OfficialFile) -> str:
    return f"longer than the {file.size_bytes:,} bytes it must have"


def _by_hand(file: OfficialFile, origin: Path | str, problem: str) -> str:
    where = "that URL" if origin == file.url else file.url
    return (
        f"{origin}: {problem}; without a network here fetch {where} on another machine, "
        f"check that its sha256 is {file.sha256}, and give it with --from FILE"
    )


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__
