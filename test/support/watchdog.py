"""Ends a process whose test hangs where no signal reaches it; a worker of pytest-xdist that ends so is replaced."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
from collections.abc import Iterator

EXIT_CODE = 70


@contextlib.contextmanager
def watched(name: str, seconds: float) -> Iterator[None]:
    """End the process if the block takes longer; says where all threads are, and `name`."""
    stream = sys.__stderr__

    def end() -> None:
        print(f"\n{name}: hangs and cannot be interrupted, after {seconds:.0f} s", file=stream, flush=True)
        faulthandler.dump_traceback(file=stream)
        os._exit(EXIT_CODE)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
