"""Finds the package's launch and config files, however it was installed."""

from __future__ import annotations

import sys
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory


def share_directory() -> Path:
    """The folder share/rppg_ros: of the sourced workspace, else of this Python environment.

    Raises
    ------
    FileNotFoundError : the package's data is not installed.
    """
    try:
        return Path(get_package_share_directory("rppg_ros"))
    except (PackageNotFoundError, LookupError, OSError):
        share = Path(sys.prefix) / "share" / "rppg_ros"
        if share.is_dir():
            return share
        raise FileNotFoundError(f"no {share}: is rppg_ros installed?") from None
