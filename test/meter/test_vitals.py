"""The vitals half on crops with known pulse and breath: clips, waveforms, rates and statuses."""

import math
from itertools import pairwise

import numpy as np
import pytest

from rppg_ros.inference.classical import ClassicalEngine
from rppg_ros.meter import VitalsHalf
from rppg_ros.types import Rate, Status, Vital, Waveform
from support.people import START_NS, S, crops


def run(stream, method="pos"):
    """All outputs of [(stamp, crops)], split into waveforms and rates by vital."""
    half = VitalsHalf(ClassicalEngine(method))
    out = []
    for stamp, faces in stream:
        out += half.push(stamp, faces)
    out += half.flush()
    waves = {vital: [o for o in out if isinstance(o, Waveform) and o.vital is vital] for vital in Vital}
    rates = {vital: [o for o in out if isinstance(o, Rate) and o.vital is vital] for vital in Vital}
    return waves, rates


def one_face(**options):
    return [(crop.stamp_ns, [crop]) for crop in crops(**options)]


@pytest.mark.parametrize("method", ["pos", "chrom"])
@pytest.mark.parametrize("fps", [12.5, 25.0, 30.0, 60.0])
def test_pulse_and_breath_are_measured_whatever_the_frame_rate(method, fps):
    waves, rates = run(one_face(bpm=80, breaths=14, seconds=40, fps=fps, jitter_s=0.2 / fps), method)
    heart = [rate for rate in rates[Vital.BVP] if rate.status is Status.OK]
    breath = [rate for rate in rates[Vital.RSP] if rate.status is Status.OK]
    assert np.abs(np.array([rate.per_minute for rate in heart]) - 80).max() < 2
    assert np.abs(np.array([rate.per_minute for rate in breath]) - 14).max() < 1.5
    assert heart[0].stamp_ns - START_NS < 10 * S and len(heart) > 25
    for vital in Vital:
        total = sum(len(wave.samples) for wave in waves[vital])
        assert total == pytest.approx(40 * 30, abs=3), "the waveform covers the whole clip"
        assert all(a.end_ns == pytest.approx(b.start_ns, abs=10) for a, b in pairwise(waves[vital]))
        joined = np.concatenate([wave.samples for wave in waves[vital]])
        assert 0.5 < joined[300:].std() < 2


def test_waveforms_have_the_signs_that_the_messages_promise():
    waves, _ = run(one_face(bpm=66, breaths=12, seconds=40))
    for vital, hz in ((Vital.BVP, 1.1), (Vital.RSP, 0.2)):
        samples = np.concatenate([wave.samples for wave in waves[vital]])
        t = (waves[vital][0].start_ns - START_NS) / S + np.arange(len(samples)) / 30
        assert np.corrcoef(samples[150:-60], np.sin(2 * np.pi * hz * t)[150:-60])[0, 1] > 0.8


def test_stamps_of_rates_are_of_the_newest_sample_and_one_second_apart():
    _, rates = run(one_face(seconds=20))
    read = [rate for rate in rates[Vital.BVP] if rate.window_s > 0]
    steps = np.diff([rate.stamp_ns for rate in read]) / S
    assert np.all((steps[1:-1] > 0.9) & (steps[1:-1] < 1.1)), "all but the first chunk's and the end of the clip's"
    assert rates[Vital.BVP][0].status is Status.WARMING_UP and math.isnan(rates[Vital.BVP][0].per_minute)


def test_a_gap_ends_the_clip_and_nothing_crosses_it():
    stream = one_face(seconds=15, bpm=60) + one_face(seconds=15, bpm=110, start_s=15.8)
    waves, rates = run(stream)
    starts = [wave.start_ns for wave in waves[Vital.BVP]]
    assert START_NS + round(15.8 * S) in starts
    late = [r for r in rates[Vital.BVP] if r.status is Status.OK and r.stamp_ns > START_NS + 16 * S]
    assert late and all(abs(rate.per_minute - 110) < 3 for rate in late)
    assert all(rate.stamp_ns > START_NS + 23.5 * S for rate in late), "8 s of new waveform before a new number"


def test_what_is_known_of_a_face_outlasts_a_glance_aside():
    """After a gap of 2 s the first look at the new waveform is enough; for a face that was never seen it is not."""
    stream = one_face(seconds=20, bpm=75, noise=14) + one_face(seconds=12, bpm=75, start_s=22, seed=1, noise=14)
    new = one_face(seconds=12, bpm=75, start_s=22, seed=1, noise=14)
    looks = [[r for r in run(frames)[1][Vital.BVP] if r.window_s >= 8] for frames in (stream, new)]
    again = next(r for r in looks[0] if r.stamp_ns > START_NS + 22 * S)
    first = looks[1][0]
    assert again.stamp_ns == first.stamp_ns
    assert again.status is Status.OK and abs(again.per_minute - 75) < 2 and again.quality > first.quality + 0.1


def test_what_is_known_of_a_face_is_forgotten_after_a_minute():
    later = one_face(seconds=12, bpm=75, start_s=82, seed=1)
    looks = [
        [r for r in run(frames)[1][Vital.BVP] if r.window_s >= 8 and r.stamp_ns > START_NS + 82 * S]
        for frames in (one_face(seconds=20, bpm=75) + later, later)
    ]
    assert [r.quality for r in looks[0]] == [r.quality for r in looks[1]]


def test_a_session_is_one_result_of_all_that_was_seen():
    stream = one_face(seconds=20, bpm=75) + one_face(seconds=15, bpm=75, start_s=22, seed=1)
    half = VitalsHalf(ClassicalEngine("pos"), keep_looks=True)
    for stamp, faces in stream:
        half.push(stamp, faces)
    half.flush()
    found = half.session(Vital.BVP)
    assert abs(found.overall.per_minute - 75) < 1 and found.overall.quality > 0.8
    assert found.overall.low < 75 < found.overall.high
    assert found.at_s[0] * S == pytest.approx(START_NS + 6 * S, abs=S)
    assert found.at_s[-1] * S == pytest.approx(START_NS + 37 * S, abs=S)
    assert len(found.seconds) in (31, 32, 33), "seconds of the gap are there, too"
    assert half.session(Vital.BVP, "nobody") is None
    part = half.session(Vital.BVP, since_ns=START_NS + 30 * S)
    assert part.at_s[0] * S >= START_NS + 30 * S and abs(part.overall.per_minute - 75) < 1
    half.restart()
    assert half.session(Vital.BVP) is None
    assert VitalsHalf(ClassicalEngine("pos")).session(Vital.BVP) is None


def test_a_lost_face_is_no_number():
    stream = one_face(seconds=15) + [(START_NS + (15 * S) + i * 33_000_000, []) for i in range(120)]
    _, rates = run(stream)
    lost = [rate for rate in rates[Vital.BVP] if rate.status is Status.NO_FACE]
    assert lost[0].face_id == "abcde" and {rate.face_id for rate in lost[1:]} == {""}
    assert len(lost) in (4, 5) and all(math.isnan(rate.per_minute) for rate in lost)
    after = [rate for rate in rates[Vital.BVP] if rate.stamp_ns > START_NS + 15.6 * S]
    assert all(rate.status is Status.NO_FACE for rate in after)


def test_time_that_jumps_back_starts_anew():
    stream = one_face(seconds=12) + one_face(seconds=12, seed=1)
    half = VitalsHalf(ClassicalEngine())
    rates = [o for stamp, faces in stream for o in half.push(stamp, faces) if isinstance(o, Rate)]
    assert half.guard.counts[half.guard.check(stream[-1][0])] == 1  # duplicate, so it was the last used
    assert not any(rate.status is Status.NO_FACE for rate in rates), "the face is in view all the time"
    assert sum(rate.status is Status.OK for rate in rates) >= 4


def test_without_thermal_the_breath_is_unsupported_and_the_pulse_unharmed():
    _, rates = run(one_face(seconds=15, thermal=False))
    assert any(rate.status is Status.OK for rate in rates[Vital.BVP])
    late = [r for r in rates[Vital.RSP] if START_NS + 3 * S < r.stamp_ns and r.status is not Status.NO_FACE]
    assert len(late) >= 10 and all(rate.status is Status.UNSUPPORTED for rate in late)


def test_thermal_that_dies_takes_the_breath_alone():
    stream = one_face(seconds=45, breaths=15) + one_face(seconds=30, start_s=45, thermal=False)
    _, rates = run(stream)
    heart = [r for r in rates[Vital.BVP] if r.stamp_ns > START_NS + 20 * S and r.status is not Status.NO_FACE]
    assert all(rate.status is Status.OK for rate in heart)
    last = [rate for rate in rates[Vital.RSP] if rate.status is not Status.NO_FACE][-5:]
    assert all(rate.status is Status.UNSUPPORTED for rate in last)


def test_two_faces_are_two_people():
    a = list(crops(bpm=60, face="aaaaa", seconds=15))
    b = list(crops(bpm=95, face="bbbbb", seconds=15, seed=3))
    _, rates = run([(x.stamp_ns, [x, y]) for x, y in zip(a, b, strict=True)])
    for face, bpm in (("aaaaa", 60), ("bbbbb", 95)):
        mine = [r.per_minute for r in rates[Vital.BVP] if r.face_id == face and r.status is Status.OK]
        assert len(mine) >= 4 and np.abs(np.array(mine) - bpm).max() < 2


def test_a_photograph_has_no_pulse():
    stream = []
    for seed in range(6):
        still = [crop for crop in crops(seconds=20, seed=seed, start_s=seed * 60)]
        rng = np.random.default_rng(seed)
        for crop in still:
            rgb = np.clip(150 + rng.normal(0, 2, crop.rgb.shape), 0, 255).astype(np.uint8)
            stream.append((crop.stamp_ns, [type(crop)(crop.stamp_ns, "photo", rgb, None, crop.box, 1.5, 1.0, 0.0)]))
    _, rates = run(stream)
    judged = [rate for rate in rates[Vital.BVP] if rate.window_s >= 8]
    assert not any(rate.status is Status.OK for rate in judged)
    assert all(math.isnan(rate.per_minute) for rate in judged if rate.status is Status.LOW_QUALITY)


def test_late_and_repeated_frames_are_dropped_and_counted():
    stream = one_face(seconds=5)
    stream.insert(50, stream[48])
    stream.insert(70, stream[69])
    half = VitalsHalf(ClassicalEngine())
    for stamp, faces in stream:
        half.push(stamp, faces)
    assert half.guard.dropped == 2
