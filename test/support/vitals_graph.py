"""A started vitals node over real DDS, with a sender of crops and a listener to all that it says."""

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from rppg_ros import msg
from rppg_ros.nodes import qos
from rppg_ros.nodes.messages import crops_message, to_header
from rppg_ros.nodes.vitals import VitalsNode
from rppg_ros.types import Vital
from support.graph import PATIENCE_S, Listener, context, overrides, settle, spinning, wait_for
from support.people import crops

TOPICS = {
    "bvp": msg.Bvp,
    "rsp": msg.Rsp,
    "heart_rate": msg.HeartRate,
    "respiration_rate": msg.RespirationRate,
    "bvp/sample": msg.Sample,
    "/diagnostics": DiagnosticArray,
}


KEEP_ALL = QoSProfile(history=HistoryPolicy.KEEP_ALL, reliability=ReliabilityPolicy.RELIABLE)
UNDERWAY = 10  # crops that may be on their way to the node


def vitals_graph():
    """For a fixture: yields what starts a vitals node, a publisher of crops and a listener, and what sends crops."""
    context()
    made = {}

    def build(topics=TOPICS, beside=(), **params):
        node = VitalsNode(parameter_overrides=overrides(**params))
        node.waves, publish_waveform = [], node._publish_waveform
        node._publish_waveform = lambda wave: (
            publish_waveform(wave),
            wave.vital is Vital.BVP and node.waves.append(wave),
        )
        node.seconds = lambda: 0.0  # on a slow machine crops would come late enough to be stale
        sender = Node("sender")
        publisher = sender.create_publisher(msg.FaceCrops, "face_crops", qos.CROPS)
        listener = Listener(topics, KEEP_ALL)
        node.autostart()
        made["spin"] = spinning(node, sender, listener, *beside)
        made["executor"] = made["spin"].__enter__()
        if node.active:
            wait_for(lambda: publisher.get_subscription_count() == 1, what="subscription to face_crops")
            wait_for(lambda: listener.count_publishers("heart_rate") == 1, what="heart_rate publisher")
            wait_for(lambda: node._rates and all(p.get_subscription_count() for p in node._rates.values()))

        def send(stream):
            """As fast as the graph takes it: all queues on the way are short, and a slow machine must lose nothing."""
            before = node.meter.total
            for count, (stamp_ns, faces) in enumerate(stream, start=1):
                publisher.publish(crops_message(to_header(stamp_ns, "camera_optical"), faces))
                due = before + count - (UNDERWAY if count < len(stream) else 0)
                wait_for(lambda due=due: node.meter.total >= due, what="the crops' arrival")
                wait_for(lambda: not node.worker.pending, what="the engine")
                for outputs in (node._outputs, node._rates, node._samples):
                    for output in outputs.values():
                        assert output.wait_for_all_acked(Duration(seconds=PATIENCE_S))
            settle(made["executor"])
            wait_for(lambda: len(listener.got["bvp"]) == len(node.waves), what="the waveforms")

        # Entities must be made on the executor's thread once it spins, as lifecycle services do.
        node.on_executor = lambda call: made["executor"].create_task(call)
        return node, listener.got, send, publisher

    yield build
    if "spin" in made:
        made["spin"].__exit__(None, None, None)


def stream_of(**options):
    return [(crop.stamp_ns, [crop]) for crop in crops(**options)]
