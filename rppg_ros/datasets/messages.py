"""Our messages for bags without ROS: the .msg files themselves, through `rosbags`."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from rppg_ros.types import Vital

PACKAGE = "rppg_ros"
WAVE_TYPES = {Vital.BVP: "rppg_ros/msg/Bvp", Vital.RSP: "rppg_ros/msg/Rsp"}
RATE_TYPES = {Vital.BVP: "rppg_ros/msg/HeartRate", Vital.RSP: "rppg_ros/msg/RespirationRate"}


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Types of ROS 2 Jazzy and of this package.

    Raises
    ------
    FileNotFoundError : the package's .msg files are nowhere to be found.
    """
    store = get_typestore(Stores.ROS2_JAZZY)
    for path in sorted(_folder().glob("*.msg")):
        store.register(get_types_from_msg(path.read_text(), f"{PACKAGE}/msg/{path.stem}"))
    return store


def _folder() -> Path:
    """Beside the sources, or where colcon or pip put them."""
    here = Path(__file__).resolve()
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    prefixes += [Path(sys.prefix), *here.parents]
    for folder in [here.parents[2] / "msg", *(prefix / "share" / PACKAGE / "msg" for prefix in prefixes)]:
        if (folder / "Bvp.msg").is_file():
            return folder
    raise FileNotFoundError(f"the message definitions of {PACKAGE} (share/{PACKAGE}/msg/*.msg) are not installed")
