"""VitalsMeter, the public class: frames and stamps in, readings out."""

import math

import cv2
import numpy as np
import pytest

import rppg_ros
from rppg_ros.meter import IncompleteError, Measurement, VitalsMeter, measure
from rppg_ros.meter.reading import ReadingMaker
from rppg_ros.settings import MeterSettings, SettingError
from rppg_ros.sources.base import SourceError
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.sources.frames import image_of
from rppg_ros.sources.images import ImageError
from rppg_ros.types import Rate, Reason, Status, Vital, Waveform
from support.recordings import Reduced

S = 1_000_000_000
RADIOMETRY = {"thermal_scale": 0.01, "thermal_offset": -273.15}
SCENE = DemoScene(heart_rate=84.0, respiration_rate=15.0, seconds=35.0, fps=15.0, motion_px=1.0)


@pytest.fixture(scope="module")
def scene():
    return [(frame.stream, frame.stamp_ns, image_of(frame)) for frame in Reduced(DemoSource(SCENE), 320)]


@pytest.fixture(scope="module")
def readings(scene):
    meter, out = VitalsMeter(seed=0, **RADIOMETRY), []
    for stream, stamp_ns, image in scene:
        out += meter.push(S + stamp_ns, **{stream: image})
    return out + meter.finish()


def test_pulse_and_breath_of_a_made_up_person(readings):
    heart = [reading.heart_rate for reading in readings if reading.heart.status is Status.OK]
    breath = [reading.respiration_rate for reading in readings if reading.respiration.status is Status.OK]
    assert heart and all(abs(rate - 84) < 3 for rate in heart)
    assert breath and all(abs(rate - 15) < 1.5 for rate in breath)


def test_until_it_is_known_a_rate_is_nan_with_a_reason(readings):
    first = next(reading for reading in readings if reading.face_id)
    assert math.isnan(first.heart_rate) and first.heart.status is Status.WARMING_UP
    assert math.isnan(first.respiration_rate) and first.respiration.status is Status.WARMING_UP


def test_waveforms_come_with_the_readings_each_sample_once(readings):
    pieces = [wave for reading in readings for wave in reading.waveforms if wave.vital is Vital.BVP]
    assert len(pieces) > 20 and {wave.face_id for wave in pieces} == {readings[-1].face_id}
    gaps = [b.start_ns - a.end_ns for a, b in zip(pieces[:-1], pieces[1:], strict=True)]
    assert max(map(abs, gaps)) < 10


def test_seconds_are_as_good_as_nanoseconds(scene, readings):
    meter, out = VitalsMeter(seed=0, **RADIOMETRY), []
    for stream, stamp_ns, image in scene[: len(scene) // 3]:
        out += meter.push(1.0 + stamp_ns / S, **{stream: image})
    assert sum(reading.heart.status is Status.OK for reading in out) >= 2
    same = [reading.heart_rate for reading in readings[: len(out)]]
    assert [reading.heart_rate for reading in out] == pytest.approx(same, abs=0.2, nan_ok=True)


def test_time_may_count_from_zero(scene):
    meter = VitalsMeter(seed=0, **RADIOMETRY)
    for stream, stamp_ns, image in scene[:20]:
        meter.push(stamp_ns, **{stream: image})
    assert meter.camera.streams["rgb"].guard.dropped == 0


def test_one_call_for_a_video_file(tmp_path):
    path = tmp_path / "person.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20.0, (320, 240))
    film = DemoScene(heart_rate=72.0, seconds=13.0, fps=20.0, jitter_s=0.0, drop=0.0, motion_px=0.5)
    for frame in Reduced(DemoSource(film), 320):
        if frame.stream == "rgb":
            writer.write(image_of(frame)[..., ::-1])
    writer.release()
    found = measure(path, engine="pos", max_faces=1)
    rates = [rate.per_minute for rate in found.rates(Vital.BVP) if rate.status is Status.OK]
    assert rates and all(abs(rate - 72) < 3 for rate in rates)
    assert len({rate.stamp_ns for rate in found.rates(Vital.BVP)}) == len(found.rates(Vital.BVP))
    assert sum(len(wave.samples) for wave in found.waveforms(Vital.BVP)) > 10 * 20


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceError, match="nothing.mp4"):
        measure(tmp_path / "nothing.mp4")


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"stamp": 1.0}, ValueError, "needs an image"),
        ({"stamp": "now", "rgb": np.zeros((90, 90, 3), np.uint8)}, ValueError, "'now'"),
        ({"stamp": math.nan, "rgb": np.zeros((90, 90, 3), np.uint8)}, ValueError, "nan"),
        ({"stamp": True, "rgb": np.zeros((90, 90, 3), np.uint8)}, ValueError, "True"),
        ({"stamp": 1.0, "rgb": np.zeros((90, 90), np.uint8)}, ImageError, "uint8 (90, 90)"),
        ({"stamp": 1.0, "thermal": np.zeros((90, 90), np.int64)}, ImageError, "int64"),
    ],
)
def test_what_cannot_be_measured_is_an_error_that_says_why(given, error, says):
    with pytest.raises(error) as caught:
        VitalsMeter().push(**given)
    assert says in str(caught.value)


def test_settings_one_by_one_from_a_file_or_as_one(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("/**/face_tracker:\n  ros__parameters: {max_faces: 2, detector.rate: 4.0}\n")
    assert VitalsMeter(max_faces=3).settings == MeterSettings(max_faces=3)
    meter = VitalsMeter(params_file=path, detector_rate=6)
    assert (meter.settings.max_faces, meter.settings.detector_rate) == (2, 6.0)
    with pytest.raises(SettingError, match="did you mean 'max_faces'"):
        VitalsMeter(max_face=3)
    with pytest.raises(ValueError, match="either"):
        VitalsMeter(MeterSettings(), max_faces=3)


def test_without_thermal_no_thermal_frame_is_used():
    meter = VitalsMeter(thermal_enabled=False)
    meter.push(1.0, thermal=np.zeros((12, 16), np.uint16))
    assert not any(meter.camera.streams["thermal"].guard.counts.values())


def test_a_source_that_breaks_off_loses_nothing(monkeypatch):
    frames = list(DemoSource(DemoScene(seconds=12.0, fps=15.0, thermal_fps=0.0, motion_px=0.5)))

    class Broken:
        name, has_thermal = "broken", False

        def __iter__(self):
            yield from frames
            raise SourceError("broken.mp4: cannot be read on after 12 s")

        def close(self):
            self.closed = True

    source = Broken()
    monkeypatch.setattr("rppg_ros.meter.meter.open_source", lambda *_, **__: source)
    with pytest.raises(IncompleteError, match="cannot be read on after 12 s") as caught:
        measure("broken.mp4", detector_rate=1.0)
    found = caught.value.measurement
    assert source.closed and found.name == "broken" and isinstance(caught.value, SourceError)
    assert len(found.readings) >= 9 and found.readings[-1].heart.status is not Status.NO_FACE
    frames.clear()
    with pytest.raises(SourceError) as nothing:
        measure("broken.mp4")
    assert not isinstance(nothing.value, IncompleteError)


def test_the_package_itself_offers_it():
    assert rppg_ros.VitalsMeter is VitalsMeter and rppg_ros.measure is measure
    with pytest.raises(AttributeError, match="no attribute 'Meter'"):
        rppg_ros.Meter  # noqa: B018


def rate(vital, stamp_ns, value, face="a", status=Status.OK):
    return Rate(vital, face, stamp_ns, value, 1.0, 3.0, 0.9, status, 10.0)


def test_a_reading_keeps_the_other_rate_until_the_face_is_gone():
    maker = ReadingMaker()
    wave = Waveform(Vital.BVP, "a", 0, 30.0, np.zeros(5, np.float32), 0.9)
    assert maker.take([wave]) == []
    (first,) = maker.take([rate(Vital.BVP, 5, 70.0)])
    assert (first.heart_rate, first.respiration.status, first.waveforms) == (70.0, Status.WARMING_UP, (wave,))
    assert maker.take([rate(Vital.RSP, 3, 15.0)]) == [], "it goes with the heart's next"
    (second,) = maker.take([rate(Vital.BVP, 9, 71.0)])
    assert (second.heart_rate, second.respiration_rate, second.stamp_ns, second.waveforms) == (71.0, 15.0, 9, ())
    gone = [Rate.unknown(vital, "a", 20, Status.NO_FACE) for vital in Vital]
    (third,) = maker.take(gone)
    assert math.isnan(third.heart_rate) and third.heart.status is Status.NO_FACE
    (fourth,) = maker.take([rate(Vital.BVP, 30, 71.0)])
    assert fourth.respiration.status is Status.WARMING_UP, "nothing is left of who was lost"


def test_time_never_goes_back_and_no_heart_rate_is_told_twice():
    maker, readings = ReadingMaker(), []
    for second in range(1, 20):
        readings += maker.take([rate(Vital.BVP, second * 10**9, 70.0 + second)])
        readings += maker.take([rate(Vital.RSP, (second - 2) * 10**9, 15.0)])
    readings += maker.take([rate(Vital.BVP, 20 * 10**9, 90.0), rate(Vital.BVP, 21 * 10**9, 91.0)])
    seconds = [reading.seconds for reading in readings]
    assert seconds == sorted(set(seconds)) == [float(second) for second in range(1, 22)]
    assert [reading.heart_rate for reading in readings] == [70.0 + second for second in range(1, 22)]


def test_the_last_breath_is_told_at_the_end():
    maker = ReadingMaker()
    maker.take([rate(Vital.BVP, 5, 70.0)])
    assert maker.take([rate(Vital.RSP, 4, 15.0)]) == []
    (end,) = maker.take([], last=True)
    assert (end.heart_rate, end.respiration_rate, end.stamp_ns) == (70.0, 15.0, 5)
    assert maker.take([], last=True) == []
    (alone,) = ReadingMaker().take([rate(Vital.RSP, 4, 15.0)], last=True)
    assert alone.heart.status is Status.WARMING_UP and alone.respiration_rate == 15.0


def test_a_clock_that_was_set_back_is_told():
    maker = ReadingMaker()
    maker.take([rate(Vital.BVP, 500 * 10**9, 70.0)])
    assert maker.take([rate(Vital.BVP, 5 * 10**9, 70.0)])[0].seconds == 5.0


def test_faces_have_readings_of_their_own():
    maker = ReadingMaker()
    both = maker.take([rate(Vital.BVP, 5, 70.0, "a"), rate(Vital.BVP, 6, 90.0, "b")])
    assert [(r.face_id, r.heart_rate, r.seconds) for r in both] == [("a", 70.0, 5e-9), ("b", 90.0, 6e-9)]


def test_a_measurement_tells_faces_apart():
    maker = ReadingMaker()
    readings = maker.take([rate(Vital.BVP, 5, 70.0, "a"), rate(Vital.BVP, 6, 90.0, "b")])
    found = Measurement("x", tuple(readings))
    assert [r.per_minute for r in found.rates(Vital.BVP, "b")] == [90.0] and len(found.rates(Vital.BVP)) == 2


def test_a_file_has_one_rate_for_all_of_it():
    found = measure("demo:seconds=14,seed=3,thermal_fps=0", engine="pos").results
    assert found[Vital.BVP].status is Status.OK and 60 < found[Vital.BVP].per_minute < 85
    assert found[Vital.RSP].status is not Status.OK and np.isnan(found[Vital.RSP].per_minute)


def test_warming_up_says_how_much_is_there_and_once_a_second():
    meter, shares = VitalsMeter(model="mmrphys-rgb", thermal_enabled=False), []
    for frame in DemoSource(DemoScene(seconds=8.5, fps=15.0, thermal_fps=0.0)):
        shares += [
            (reading.seconds, dict(zip(reading.heart.reasons, reading.heart.shares, strict=True))[Reason.WARMING_UP])
            for reading in meter.push(frame.stamp_ns, rgb=frame.image)
            if reading.heart.status is Status.WARMING_UP
        ]
    times, there = np.array(shares).T
    assert there[0] < 0.2 and (np.diff(there) > 0).all() and there[-1] > 0.8 and np.diff(times).min() > 0.3
