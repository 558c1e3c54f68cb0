"""An official checkpoint on to this disk: fetched or taken from a file, and only ever there whole and right."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, build_opener

from rppg_ros import __version__
from rppg_ros.models.official_files import OfficialFile

TIMEOUT_S = 30.0
"""Without a byte from the server."""
CHUNK_BYTES = 16 * 1024
ABANDONED_S = 3600.0
"""A part of a file this old belongs to no download that still runs."""

Chunks = Generator[bytes, None, None]


class DownloadError(ValueError):
    """A checkpoint could not be had; one line that says what failed and what to do."""


def default_folder() -> Path:
    """Where models are kept: `$XDG_CACHE_HOME/rppg_ros/models`, by default under `~/.cache`.

    Raises
    ------
    DownloadError : for a user without a home.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # the XDG specification says to ignore relative ones
        try:
            cache = Path.home() / ".cache"
        except RuntimeError:
            raise DownloadError("this user has no home folder: say where to with -o DIR") from None
    return cache / "rppg_ros" / "models"


def holds(path: Path, file: OfficialFile) -> bool:
    """Whether `path` is that checkpoint, by size and SHA-256."""
    if not path.is_file() or path.stat().st_size != file.size_bytes:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def obtain(
    file: OfficialFile,
    folder: Path,
    given: Path | None = None,
    on_progress: Callable[[int], object] = lambda received: None,
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
    target = folder / file.file_name
    if holds(target, file):
        return target
    chunks = _from_network(file) if given is None else _from_file(given)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        problem = _store(chunks, partial, file, on_progress)
        if not problem:
            os.replace(partial, target)
            return target
    except OSError as error:  # of the disk: the sources turn theirs into DownloadError
        raise DownloadError(
            f"{folder}: cannot write {file.size_bytes:,} bytes there: {error.strerror or error}; "
            "make room, or choose another folder with -o DIR"
        ) from None
    finally:
        with suppress(OSError):  # what failed before matters more, and a sweep comes later
            partial.unlink(missing_ok=True)
    raise DownloadError(_by_hand(file, given or file.url, problem))


def _store(chunks: Chunks, partial: Path, file: OfficialFile, on_progress: Callable[[int], object]) -> str:
    """Write the chunks; returns what is wrong with them, or nothing."""
    digest, received = hashlib.sha256(), 0
    with closing(chunks), partial.open("xb") as out:
        for chunk in chunks:
            received += len(chunk)
            if received > file.size_bytes:
                return f"longer than the {file.size_bytes:,} bytes it must have"
            digest.update(chunk)
            out.write(chunk)
            on_progress(received)
    if received < file.size_bytes:
        return f"ended after {received:,} of {file.size_bytes:,} bytes"
    return "" if digest.hexdigest() == file.sha256 else f"wrong checksum: its sha256 is {digest.hexdigest()}"


def _from_network(file: OfficialFile) -> Chunks:
    request = Request(file.url, headers={"User-Agent": f"rppg_ros/{__version__}"})
    try:
        # not urlopen, whose proxies are those of its first call
        with build_opener().open(request, timeout=TIMEOUT_S) as reply:
            while chunk := reply.read(CHUNK_BYTES):
                yield chunk
    except HTTPError as error:
        error.close()
        raise DownloadError(_by_hand(file, file.url, f"HTTP error {error.code}, {_one_line(error.reason)}")) from None
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a proxy variable that is no URL
        reason = error.reason if isinstance(error, URLError) else error
        raise DownloadError(_by_hand(file, file.url, f"no download: {_one_line(reason)}")) from None


def _from_file(path: Path) -> Chunks:
    try:
        with path.open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise DownloadError(f"--from {path}: {error.strerror or error}") from None


def _by_hand(file: OfficialFile, origin: Path | str, problem: str) -> str:
    where = "that URL" if origin == file.url else file.url
    return (
        f"{origin}: {problem}; without a network here fetch {where} on another machine, "
        f"check that its sha256 is {file.sha256}, and give it with --from FILE"
    )


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__


def _sweep(target: Path) -> None:
    """Remove what downloads of this file that were killed left behind; one may be running beside this one."""
    for partial in target.parent.glob(f".{target.name}.*.partial"):
        with suppress(OSError):  # gone meanwhile, or somebody else's: in the way of nothing
            if time.time() - partial.stat().st_mtime > ABANDONED_S:
                partial.unlink()
