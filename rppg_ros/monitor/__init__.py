"""A web page for the one who stands beside: what is kept for it, and the server. No ROS."""
