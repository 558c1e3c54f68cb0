#!/usr/bin/env python3
"""Prints heart and respiration rates as they come; a plain subscriber, to copy from.

ros2 run rppg_ros vitals_pipeline &  python3 examples/print_vitals.py [--ros-args -r __ns:=/cart]
"""

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from rppg_ros.msg import HeartRate, RespirationRate

STATUS = {
    HeartRate.STATUS_OK: "ok",
    HeartRate.STATUS_WARMING_UP: "warming up",
    HeartRate.STATUS_LOW_QUALITY: "low quality",
    HeartRate.STATUS_NO_FACE: "no face",
    HeartRate.STATUS_STALE: "stale",
    HeartRate.STATUS_UNSUPPORTED: "not measured by this engine",
}

REASON = {
    getattr(HeartRate, name): name.removeprefix("REASON_").lower().replace("_", " ")
    for name in dir(HeartRate)
    if name.startswith("REASON_")
}


class PrintVitals(Node):
    """Subscribes to both rates."""

    def __init__(self) -> None:
        super().__init__("print_vitals")
        self.create_subscription(HeartRate, "heart_rate", lambda m: self.show("heart", "beats/min", m), 10)
        self.create_subscription(
            RespirationRate, "respiration_rate", lambda m: self.show("breath", "breaths/min", m), 10
        )

    def show(self, name: str, unit: str, message) -> None:
        """One line; a number only where its status is OK, else why there is none."""
        stamp = message.header.stamp.sec + message.header.stamp.nanosec / 1e9
        who = message.face_id or "-"
        text = STATUS[message.status]
        if message.reasons:
            shares = zip(message.reasons, message.reason_shares, strict=True)
            text += ": " + ", ".join(f"{REASON.get(reason, reason)} {share:.2f}" for reason, share in shares)
        if message.status == HeartRate.STATUS_OK:
            text = f"{message.value:6.1f} ± {message.std:.1f} {unit}  quality {message.quality:.2f}  snr {message.snr_db:.1f} dB"
        print(f"{stamp:.2f}  {who:6s} {name:6s} {text}  [{message.model}, {message.window:.0f} s]", flush=True)


def main() -> None:
    """Spin until interrupted."""
    rclpy.init()
    try:
        rclpy.spin(PrintVitals())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
