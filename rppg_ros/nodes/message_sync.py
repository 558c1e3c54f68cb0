"""The one seam to message_filters: apt's where it is installed, else the same API from rppg_ros.sync.filters."""

try:
    from message_filters import ApproximateTimeSynchronizer, SimpleFilter, TimeSynchronizer
except ImportError:
    from rppg_ros.sync.filters import ApproximateTimeSynchronizer, SimpleFilter, TimeSynchronizer

__all__ = ["ApproximateTimeSynchronizer", "SimpleFilter", "TimeSynchronizer"]
