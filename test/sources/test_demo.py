import numpy as np
import pytest

from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.synthesis.physiology import GRID_HZ, resting_person
from rppg_ros.vision.detect import HaarDetector
from rppg_ros.vitals.projection import pos
from rppg_ros.vitals.registry import HEART_RATE, RESPIRATION_RATE
from rppg_ros.vitals.session import session


@pytest.mark.parametrize(("heart", "breath"), [(50.0, 8.0), (72.0, 15.0), (140.0, 28.0)])
def test_physiology_has_the_rates_it_says(heart, breath):
    vitals = resting_person(heart, breath, 60.0, np.random.default_rng(3))
    for wave, spec, name in (
        (vitals.bvp, HEART_RATE, "heart_rate"),
        (vitals.rsp, RESPIRATION_RATE, "respiration_rate"),
    ):
        estimate = session(spec.vital, wave[:-2], GRID_HZ).overall
        truth = vitals.mean_rate(name, 0, 60)
        assert estimate.low < truth < estimate.high and estimate.per_minute == pytest.approx(
            truth, abs=0.04 * truth + 0.5
        )
        assert wave.mean() == pytest.approx(0, abs=1e-9) and wave.std() == pytest.approx(1)


def test_the_same_seed_is_the_same_recording_and_another_is_not():
    first, again, other = (list(DemoSource(DemoScene(seconds=0.5, seed=s))) for s in (5, 5, 6))
    assert [f.stamp_ns for f in first] == [f.stamp_ns for f in again]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].image, other[0].image)


def test_frames_jitter_drop_and_show_a_face():
    frames = list(DemoSource(DemoScene(seconds=4.0, drop=0.05)))
    rgb = [f for f in frames if f.stream == "rgb"]
    steps = np.diff([f.stamp_ns for f in rgb]) / 1e9
    assert 100 < len(rgb) < 120 and steps.min() > 0 and steps.std() > 0.002
    assert [f.stamp_ns for f in frames] == sorted(f.stamp_ns for f in frames)
    detector = HaarDetector()
    assert all(len(detector.detect(f.image, 40)) == 1 for f in rgb[::20])
    thermal = [f for f in frames if f.stream == "thermal"]
    assert thermal[0].image.dtype == np.uint16 and 30 < thermal[0].image.max() / 100 - 273.15 < 38


def test_the_pulse_is_in_the_skin():
    source = DemoSource(DemoScene(heart_rate=90, seconds=12, drop=0.0, jitter_s=0.0, motion_px=0.5))
    face = np.array([f.image[170:230, 270:370].mean(axis=(0, 1)) for f in source if f.stream == "rgb"])
    wave, _ = pos(face, 30.0)
    truth = np.asarray(source.vitals.at("bvp", 0.5 / 30 + np.arange(len(wave)) / 30))
    assert np.corrcoef(wave[48:-48], truth[48:-48])[0, 1] > 0.8


def test_without_a_thermal_camera_and_for_hours():
    source = DemoSource(DemoScene(seconds=2.0, thermal_fps=0.0))
    assert not source.has_thermal and source.duration_s == 2.0 and {f.stream for f in source} == {"rgb"}
    hours = resting_person(60.0, 12.0, 7200.0, np.random.default_rng(1))
    times = np.array([0.0, 1.234, 3600.5, 7201.0, 9999.0])
    direct = np.interp(times * GRID_HZ, np.arange(len(hours.bvp)), hours.bvp)
    assert np.array_equal(hours.at("bvp", times), direct)
    assert [hours.at("bvp", t) for t in times] == list(direct)
    assert hours.at("bvp", np.array([])).shape == (0,)
