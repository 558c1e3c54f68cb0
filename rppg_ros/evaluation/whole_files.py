"""Files that are whole or not there; where one cannot be written, the error names it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """A text to write into; an old file stays until the new one is whole.

    Raises
    ------
    OSError : it cannot be written (a full disk, a folder that may only be read); names the file.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", newline="", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise type(error)(error.errno, f"cannot be written: {error.strerror or error}", str(path)) from None


def write_whole(path: Path, text: str) -> None:
    """Write a text; see `whole_file`."""
    with whole_file(path) as file:
        file.write(text)
