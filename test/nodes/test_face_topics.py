"""Topics of each face apart, and the switch ~/enable, over real DDS."""

import pytest
from std_srvs.srv import SetBool

from rppg_ros import msg
from rppg_ros.nodes.face_topics import MAX_FACES, FaceTopics, topic_of
from rppg_ros.types import Rate, Status, Vital
from support.graph import wait_for
from support.vitals_graph import TOPICS, stream_of, vitals_graph


@pytest.fixture
def graph():
    yield from vitals_graph()


def two_people(seconds):
    pairs = zip(
        stream_of(bpm=60, seconds=seconds),
        stream_of(bpm=90, seconds=seconds, face="other", seed=5),
        strict=True,
    )
    return [(stamp, first + second) for (stamp, first), (_, second) in pairs]


def test_each_face_has_topics_of_its_own(graph):
    topics = TOPICS | {
        f"faces/{face}/{name}": kind
        for face in ("abcde", "other")
        for name, kind in (("heart_rate", msg.HeartRate), ("bvp", msg.Bvp))
    }
    node, got, send, _ = graph(topics, per_face_topics=True)
    send(two_people(14))
    wait_for(lambda: len(got["faces/other/heart_rate"]) >= 12 and len(got["faces/abcde/heart_rate"]) >= 12)
    for face, bpm in (("abcde", 60), ("other", 90)):
        rates, waves = got[f"faces/{face}/heart_rate"], got[f"faces/{face}/bvp"]
        assert {one.face_id for one in rates} == {one.face_id for one in waves} == {face}
        numbers = [one.value for one in rates if one.status == msg.HeartRate.STATUS_OK]
        assert numbers and all(abs(value - bpm) < 3 for value in numbers)
    assert {one.face_id for one in got["heart_rate"]} >= {"abcde", "other"}, "the common topic has both"


def test_without_being_asked_for_there_are_none(graph):
    node, got, send, _ = graph()
    send(stream_of(bpm=60, seconds=8))
    assert not [name for name, _ in node.get_topic_names_and_types() if "/faces/" in name]


class Board:
    """Counts the publishers of a node."""

    def __init__(self):
        self.made, self.there = [], set()

    def create_lifecycle_publisher(self, kind, topic, qos):
        publisher = type(
            "Publisher", (), {"on_activate": lambda *_: None, "publish": lambda *_: None, "topic": topic}
        )()
        self.made.append(topic)
        self.there.add(publisher)
        return publisher

    def destroy_lifecycle_publisher(self, publisher):
        self.there.remove(publisher)


def test_topics_do_not_grow_without_end():
    board = Board()
    topics = FaceTopics(board)
    for number in range(3 * MAX_FACES):
        topics.publish(Rate.unknown(Vital.BVP, f"face{number}", 0, Status.WARMING_UP), "camera")
        topics.publish(Rate.unknown(Vital.BVP, "face0", 0, Status.WARMING_UP), "camera")
    assert len(board.there) == MAX_FACES and board.made.count("faces/face0/heart_rate") == 1, "who goes on stays"
    topics.close()
    assert not board.there


@pytest.mark.parametrize(
    ("face_id", "topic"), [("abcde", "faces/abcde/bvp"), ("7-a b", "faces/id_7_a_b/bvp"), ("ü", "faces/_/bvp")]
)
def test_any_id_makes_a_name(face_id, topic):
    assert topic_of(face_id, "bvp") == topic


def test_a_node_is_switched_off_and_on(graph):
    node, got, send, publisher = graph()
    asking = []
    node.on_executor(lambda: asking.append(node.create_client(SetBool, "/vitals/enable")))
    wait_for(lambda: asking and asking[0].service_is_ready(), what="the service")

    def switch(on):
        future = asking[0].call_async(SetBool.Request(data=on))
        wait_for(future.done, what="the answer")
        return future.result()

    for on, said in ((True, "active"), (False, "inactive"), (False, "inactive"), (True, "active")):
        answer = switch(on)
        assert (answer.success, answer.message) == (True, said) and node.active is on
    wait_for(lambda: publisher.get_subscription_count() == 1, what="the subscription")
    send(stream_of(bpm=60, seconds=10))
    assert got["heart_rate"], "and works again"


def test_a_node_that_cannot_be_configured_says_why(graph):
    node, _, _, _ = graph(model="/no/such/model.onnx")
    asking = []
    node.on_executor(lambda: asking.append(node.create_client(SetBool, "/vitals/enable")))
    wait_for(lambda: asking and asking[0].service_is_ready(), what="the service")
    future = asking[0].call_async(SetBool.Request(data=True))
    wait_for(future.done, what="the answer")
    assert not future.result().success and "no such file" in future.result().message
