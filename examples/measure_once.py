#!/usr/bin/env python3
"""Measures one person once, by the action measure_vitals; a plain client, to copy from.

ros2 run rppg_ros vitals_pipeline &  python3 examples/measure_once.py [--seconds 60] [--face abcde] [--ros-args -r __ns:=/cart]

Exits with 0 where every rate has a number, 1 where one has none, 2 where nobody answers.
"""

import argparse
import sys

import rclpy
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from rppg_ros.action import MeasureVitals
from rppg_ros.msg import HeartRate

EXIT_INCOMPLETE, EXIT_NOBODY = 1, 2
SERVER_S = 10.0


def show(feedback: MeasureVitals.Feedback) -> None:
    """One line a second: how far it is, what is believed, what would help."""
    heart, breath = feedback.heart_rate, feedback.respiration_rate
    rates = [
        f"{name} {rate.value:.0f}" if rate.status == HeartRate.STATUS_OK else f"{name} -"
        for name, rate in (("heart", heart), ("breath", breath))
    ]
    print(
        f"{feedback.progress:4.0%}  {feedback.face_id or 'nobody':6s} {', '.join(rates)}  {feedback.advice}", flush=True
    )


def wait(node: Node, client: ActionClient, future) -> bool:
    """Until an answer is there; False when the node that would give it is gone."""
    while not future.done():
        rclpy.spin_until_future_complete(node, future, timeout_sec=1.0)
        if not future.done() and not client.server_is_ready():
            print("measure_vitals is gone", file=sys.stderr)
            return False
    return True


def measure(node: Node, goal: MeasureVitals.Goal) -> int:
    """Ask, wait, tell; returns the exit code."""
    client = ActionClient(node, MeasureVitals, "measure_vitals")
    if not client.wait_for_server(SERVER_S):
        print(f"no measure_vitals within {SERVER_S:.0f} s: is vitals up and configured?", file=sys.stderr)
        return EXIT_NOBODY
    sent = client.send_goal_async(goal, feedback_callback=lambda message: show(message.feedback))
    if not wait(node, client, sent):
        return EXIT_NOBODY
    handle = sent.result()
    done = handle.get_result_async()
    try:
        if not wait(node, client, done):
            return EXIT_NOBODY
    except KeyboardInterrupt:
        rclpy.spin_until_future_complete(node, handle.cancel_goal_async(), timeout_sec=2.0)
        raise
    found = done.result().result.measurement
    print(found.message)
    return 0 if found.complete else EXIT_INCOMPLETE


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.0, help="longest duration; 0: 30 (heart alone) or 60")
    parser.add_argument("--face", default="", help="id of the face; without it whoever is measured longest")
    parser.add_argument("--heart-only", action="store_true", help="no respiration rate")
    parser.add_argument("--certainty", type=float, default=0.0, help="quality at which it ends early; 0: 0.95")
    given = parser.parse_args(remove_ros_args(sys.argv)[1:])
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        goal = MeasureVitals.Goal(seconds=given.seconds, face_id=given.face, certainty=given.certainty)
        goal.vitals = MeasureVitals.Goal.HEART_RATE if given.heart_only else 0
        return measure(Node("measure_once"), goal)
    except KeyboardInterrupt:
        return EXIT_NOBODY
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    sys.exit(main())
