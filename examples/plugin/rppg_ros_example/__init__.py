"""One plug-in of each kind for rppg_ros."""
