"""Who is heard for a rate, and in which row."""

import numpy as np
import pytest

from rppg_ros.types import Vital
from rppg_ros.vitals.projection import chrom, pos
from rppg_ros.vitals.witnesses import (
    AROUND,
    BODY_Y,
    CLIPPED,
    COLOURS,
    DARK,
    HEAD_X,
    HEAD_Y,
    PARTS,
    REPEATED,
    SIDE,
    THERMAL,
    WIDTH,
    WITNESSES,
    ZOOM,
    bridged,
    witnesses,
)

HZ, N = 15.0, 150


def evidence(seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.uniform(0, 1, (N, WIDTH))
    rows[:, : COLOURS + 3] = 120 + rng.normal(0, 1, (N, COLOURS + 3))
    return rows


def test_the_columns_of_evidence_are_all_named_once():
    singles = [HEAD_X, HEAD_Y, ZOOM, BODY_Y, CLIPPED, DARK, THERMAL, SIDE, REPEATED]
    assert singles == list(range(COLOURS + 3, WIDTH)) and (AROUND.start, AROUND.stop) == (COLOURS, COLOURS + 3)


def test_without_evidence_only_the_waveform_speaks():
    for vital in Vital:
        heard = witnesses(vital, np.arange(N), None, HZ)
        assert heard.shape == (WITNESSES[vital].rows, N)
        assert np.array_equal(heard[0], np.arange(N)) and np.isnan(heard[1:]).all()


def test_the_pulse_is_heard_in_skin_and_world():
    rows, own = evidence(), np.arange(N)
    heard = witnesses(Vital.BVP, own, rows, HZ)
    parts = rows[:, :COLOURS].reshape(N, PARTS, 3)
    skin = parts.mean(axis=1)
    expected = [own, pos(skin, HZ)[0], chrom(skin, HZ)[0], *(pos(parts[:, i], HZ)[0] for i in range(PARTS))]
    expected += [np.log(rows[:, AROUND].mean(axis=1)), *np.log(skin).T]
    expected += [rows[:, HEAD_X], rows[:, HEAD_Y], rows[:, BODY_Y]]
    assert heard.shape == (len(expected), N)
    for row, wanted in zip(heard, expected, strict=True):
        assert row == pytest.approx(wanted)


def test_the_breath_is_heard_in_warmth_and_movement():
    rows, own = evidence(1), np.arange(N)
    heard = witnesses(Vital.RSP, own, rows, HZ)
    skin = rows[:, :COLOURS].reshape(N, PARTS, 3).mean(axis=1)
    expected = [own, -rows[:, THERMAL], rows[:, BODY_Y], rows[:, HEAD_Y], rows[:, ZOOM]]
    expected += [np.log(rows[:, AROUND].mean(axis=1)), np.log(skin.mean(axis=1)), rows[:, HEAD_X]]
    assert heard.shape == (len(expected), N)
    for row, wanted in zip(heard, expected, strict=True):
        assert row == pytest.approx(wanted)


@pytest.mark.parametrize("vital", list(Vital))
def test_evidence_of_the_end_speaks_at_the_end(vital):
    rows = evidence(2)
    heard = witnesses(vital, np.zeros(2 * N), rows, HZ)
    assert np.isnan(heard[1:, :N]).all()
    assert np.array_equal(heard[1:, N:], witnesses(vital, np.zeros(N), rows, HZ)[1:])


def test_black_is_no_logarithm_of_nothing():
    rows = evidence()
    rows[:, : COLOURS + 3] = 0
    assert np.isfinite(witnesses(Vital.BVP, np.zeros(N), rows, HZ)).all()


def test_a_stretch_too_short_for_a_projection_has_none():
    heard = witnesses(Vital.BVP, np.zeros(10), evidence()[:10], HZ)
    assert np.isnan(heard[1 : 3 + PARTS]).all() and np.isfinite(heard[3 + PARTS :]).all()


@pytest.mark.parametrize(("missing", "bridges"), [(29, True), (31, False)])
def test_a_column_that_knows_most_of_its_values_is_bridged(missing, bridges):
    stamps_ns = 10**18 + np.arange(N) * 66_666_667
    rows = np.tile(np.arange(N, dtype=float)[:, None], (1, WIDTH))
    rows[5 : 5 + missing, THERMAL] = np.nan
    found = bridged(stamps_ns, rows)
    assert np.isnan(rows[5, THERMAL]) and np.array_equal(
        np.delete(found, THERMAL, axis=1), np.delete(rows, THERMAL, axis=1)
    )
    if bridges:
        assert found[:, THERMAL] == pytest.approx(np.arange(N))
    else:
        assert np.isnan(found[5 : 5 + missing, THERMAL]).all()


def test_what_is_all_known_is_left_alone():
    rows = evidence()
    assert bridged(np.arange(N), rows) is rows
