"""The one seam to message_filters: apt's where it is installed, else the same API from rppg_ros.sync.filters."""

from __future__ import annotations

from typing import Any

from rppg_ros.sync.policies import SyncLibrary

try:
    from message_filters import ApproximateTimeSynchronizer, SimpleFilter, TimeSynchronizer
except ImportError:
    SYNC_LIBRARY = SyncLibrary()
else:
    from rppg_ros.nodes.messages import to_header

    def _header(stamp_ns: int) -> Any:
        return to_header(stamp_ns, "")

    SYNC_LIBRARY = SyncLibrary(SimpleFilter, TimeSynchronizer, ApproximateTimeSynchronizer, _header)
