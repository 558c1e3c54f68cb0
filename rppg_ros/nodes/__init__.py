"""ROS adapters: parameters, QoS, messages, lifecycle, diagnostics. No maths."""
