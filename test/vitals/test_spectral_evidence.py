"""What the observation model is told of each rate that could be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.types import Vital
from rppg_ros.vitals.spectral_evidence import FLOOR, GRIDS, feature_names, features
from rppg_ros.vitals.witnesses import PARTS, WITNESSES

HZ = 15.0
GRID = GRIDS[Vital.BVP]
SECONDS = np.arange(300) / HZ


def tone(per_minute, phase=0.0):
    return np.sin(2 * np.pi * per_minute / 60 * SECONDS + phase)


def heard(**rows):
    """Rows by name, NaN where none is given; `parts` for all parts."""
    who = WITNESSES[Vital.BVP]
    names = [*who.body, *(f"part{i}" for i in range(PARTS)), *who.world]
    out = np.full((who.rows, len(SECONDS)), np.nan)
    for name, values in rows.items():
        out[names.index(name)] = values
    return out


def told(rows, frame_s=math.nan):
    table = features(Vital.BVP, rows, HZ, frame_s)
    names = feature_names(Vital.BVP)
    assert table.shape == (len(GRID.rates), len(names)) and np.isfinite(table).all()
    return {name: table[:, i] for i, name in enumerate(names)}


def at(column, per_minute):
    return column[int(np.argmin(np.abs(GRID.rates - per_minute)))]


@given(st.integers(40, 200), st.floats(0, 6.28))
def test_power_is_highest_at_the_rate(per_minute, phase):
    found = told(heard(own=tone(per_minute, phase)))
    for name in ("own power", "own power, long"):
        assert abs(GRID.rates[found[name].argmax()] - per_minute) <= 1
    assert at(found["own peak"], per_minute) > -0.05 and at(found["own peak"], per_minute + 5) < -0.5


def test_second_and_half_are_the_power_there():
    found = told(heard(own=tone(60) + 0.5 * tone(120)))
    assert at(found["own second"], 60) == pytest.approx(at(found["own power"], 120), abs=0.02)
    assert at(found["own half"], 120) == pytest.approx(at(found["own power"], 60), abs=0.02)
    assert at(found["own power"], 60) - at(found["own power"], 120) == pytest.approx(math.log(4), abs=0.15)


def test_a_waveforms_size_does_not_matter():
    small, large = (told(heard(own=size * tone(80))) for size in (1e-3, 1e3))
    assert all(small[name] == pytest.approx(large[name], abs=1e-3) for name in small)


def test_a_straight_line_is_nothing():
    plain, sloped = (told(heard(own=tone(80) + slope * SECONDS)) for slope in (0.0, 5.0))
    assert plain["own power"] == pytest.approx(sloped["own power"], abs=0.02)


@pytest.mark.parametrize(("phase", "cosine"), [(0.0, 1.0), (np.pi / 2, 0.0), (np.pi, -1.0)])
def test_together_is_the_cosine_of_the_phase_between(phase, cosine):
    found = told(heard(own=tone(80), pos=tone(80, phase)))
    assert at(found["own with pos"], 80) == pytest.approx(cosine, abs=0.05)
    assert not found["own with chrom"].any()


def parts(make):
    return {f"part{i}": make(i) for i in range(PARTS)}


def test_parts_that_agree_have_all_in_common():
    found = told(heard(own=tone(80), **parts(lambda _: 0.01 * tone(80))))
    assert at(found["parts together"], 80) == pytest.approx(1, abs=1e-3)
    assert at(found["parts amplitude"], 80) == pytest.approx(-2, abs=0.02)


def test_parts_with_phases_of_their_own_have_nothing_in_common():
    found = told(heard(own=tone(80), **parts(lambda i: 0.01 * tone(80, i * 2 * np.pi / PARTS))))
    assert at(found["parts together"], 80) == pytest.approx(-1 / (PARTS - 1), abs=1e-3)
    assert at(found["parts amplitude"], 80) == pytest.approx(-6, abs=1e-6)


def test_the_world_is_told_in_its_own_unit():
    found = told(heard(own=tone(80), around=0.01 * tone(60)))
    assert at(found["around amplitude"], 60) == pytest.approx(-2, abs=0.02)
    assert abs(GRID.rates[found["around power"].argmax()] - 60) <= 1 and at(found["around peak"], 60) > -0.05


def test_who_is_missing_is_said():
    found = told(heard(own=tone(80)))
    assert found["no evidence"].all() and found["no pos"].all() and found["no chrom"].all()
    assert not found["pos power"].any() and (found["around amplitude"] == -6).all()
    there = told(heard(own=tone(80), pos=tone(80)))
    assert not there["no evidence"].any() and not there["no pos"].any() and there["no chrom"].all()


def test_a_flat_row_is_missing():
    found = told(heard(own=tone(80), pos=np.ones(len(SECONDS))))
    assert found["no pos"].all() and not found["pos power"].any()


def test_only_the_newest_window_is_looked_at():
    changed = tone(80)
    changed[: len(SECONDS) - round(GRID.window_s * HZ)] = tone(150)[: len(SECONDS) - round(GRID.window_s * HZ)]
    found, plain = told(heard(own=changed)), told(heard(own=tone(80)))
    assert found["own power"] == pytest.approx(plain["own power"])
    assert at(found["own power, long"], 150) > at(plain["own power, long"], 150) + 3


def test_frames_and_window_are_told():
    found = told(heard(own=tone(80)), frame_s=0.1)
    assert at(found["cycles a frame"], 120) == pytest.approx(0.2) and found["log rate"][0] == pytest.approx(
        math.log(0.3)
    )
    assert not told(heard(own=tone(80)))["cycles a frame"].any() and not found["short of window"].any()
    short = features(Vital.BVP, heard(own=tone(80))[:, -150:], HZ)
    assert short[0, -1] == pytest.approx(0.5)
    assert told(heard(own=tone(80)), frame_s=9.0)["cycles a frame"].max() == 1.0


def test_silence_is_at_the_floor():
    found = told(heard(own=tone(200)))
    assert at(found["own power"], 40) < math.log(FLOOR) + 3


def test_features_of_breath_have_their_names():
    rows = np.random.default_rng(0).normal(size=(WITNESSES[Vital.RSP].rows, 675))
    assert features(Vital.RSP, rows, HZ).shape == (len(GRIDS[Vital.RSP].rates), len(feature_names(Vital.RSP)))
