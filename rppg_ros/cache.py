"""Where this package keeps what the user asked it to fetch."""

from __future__ import annotations

import os
from pathlib import Path


def models_folder() -> Path | None:
    """`$XDG_CACHE_HOME/rppg_ros/models`, by default under `~/.cache`; None for a user without a home. Nothing is made."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # the XDG specification says to ignore relative ones
        try:
            cache = Path.home() / ".cache"
        except RuntimeError:
            return None
    return cache / "rppg_ros" / "models"
