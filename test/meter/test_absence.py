"""Why there is no number before a face, without one, and of a picture that is dead: reasons that need no look at a waveform."""

import numpy as np

from rppg_ros import VitalsMeter
from rppg_ros.inference.classical import ClassicalEngine
from rppg_ros.meter import CameraHalf, VitalsHalf
from rppg_ros.sync.policies import RGB
from rppg_ros.types import Rate, Reason, Status, Vital
from support.people import START_NS, S, crops
from support.views import a_view


def rates_of(outputs, vital=Vital.BVP):
    return [o for o in outputs if isinstance(o, Rate) and o.vital is vital]


def play(stream):
    half = VitalsHalf(ClassicalEngine("pos"))
    return rates_of([o for stamp_ns, faces, dead in stream for o in half.push(stamp_ns, faces, dead)])


def absent(seconds, dead, start_s=0.0):
    return [(START_NS + round((start_s + i / 30) * S), [], dead) for i in range(int(30 * seconds))]


def test_no_face_and_a_dead_picture_are_told_apart():
    assert {rate.reasons for rate in play(absent(3, dead=False))} == {(Reason.NO_FACE,)}
    assert {rate.reasons for rate in play(absent(3, dead=True))} == {(Reason.PICTURE_DEAD,)}


def test_a_face_that_is_lost_says_why():
    before = [(crop.stamp_ns, [crop], False) for crop in crops(seconds=3)]
    for dead, reason in ((False, Reason.NO_FACE), (True, Reason.PICTURE_DEAD)):
        lost = [r for r in play(before + absent(2, dead, start_s=3.0)) if r.status is Status.NO_FACE]
        assert lost[0].face_id == "abcde" and {rate.reasons for rate in lost} == {(reason,)}


def test_warming_up_says_how_much_of_it_is_done():
    rates = play([(crop.stamp_ns, [crop], False) for crop in crops(seconds=9)])
    young = [rate for rate in rates if rate.status is Status.WARMING_UP]
    assert young and {rate.reasons for rate in young} == {(Reason.WARMING_UP,)}
    shares = [rate.shares[0] for rate in young if rate.window_s]
    assert shares == sorted(shares) and 0 < shares[0] < 0.5 < shares[-1] < 1


def test_an_image_that_repeats_is_a_dead_picture():
    half, rng = CameraHalf(), np.random.default_rng(0)
    image = a_view(rng)
    out = [one for i in range(30) for one in half.push(RGB, START_NS + i * S // 30, image.copy())]
    assert not out[0].picture_dead and all(one.picture_dead and not one.crops for one in out[1:])
    fresh = half.push(RGB, START_NS + S, a_view(rng))
    out = fresh + half.flush()
    assert out and not out[-1].picture_dead


def test_the_meter_hands_the_reason_on():
    meter, image = VitalsMeter(engine="pos", model="none"), np.full((120, 160, 3), 90, np.uint8)
    readings = [one for i in range(90) for one in meter.push(START_NS + i * S // 30, rgb=image)]
    assert readings[-1].heart.reasons == (Reason.PICTURE_DEAD,)
