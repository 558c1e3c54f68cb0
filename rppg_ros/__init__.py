"""Heart and breath from RGB and thermal cameras, as ROS 2 nodes."""

__version__ = "0.3.0"
