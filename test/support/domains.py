"""A DDS domain that no other test process on this machine uses, among them the workers of the same run."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

DOMAINS = range(1, 101)  # 0 is everybody's; ports of domains above 101 collide with those that systems hand out
_held: list[int] = []


def take_domain() -> int:
    """Number of a free domain, locked until this process ends, however it ends.

    The first to be tried depends on the process, so that a domain rests before it is used again.

    Raises
    ------
    RuntimeError: all domains are taken.
    """
    folder = Path(tempfile.gettempdir())
    for step in range(len(DOMAINS)):
        domain = DOMAINS[(os.getpid() + step) % len(DOMAINS)]
        try:
            handle = os.open(folder / f"rppg_ros_test_domain_{domain}.lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:  # of another user
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            continue
        _held.append(handle)
        return domain
    raise RuntimeError(f"all {len(DOMAINS)} DDS domains for tests are taken: locks in {folder}")
