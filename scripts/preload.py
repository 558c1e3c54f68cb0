"""Loads the message libraries that pip installed, since the dynamic linker searches no virtual environment."""

import ctypes
import sys
from pathlib import Path

# Prefix of this installation; for an editable one, whose files are elsewhere, that of the environment.
PREFIXES = (*Path(__file__).resolve().parents[5:6], Path(sys.prefix))

for _prefix in PREFIXES:
    _libraries = sorted((_prefix / "lib").glob("librppg_ros__rosidl_*_[cp]*.so"))
    for _library in _libraries:
        if not _library.stem.endswith("cpp"):
            ctypes.CDLL(str(_library))
    if _libraries:
        break
