"""Each reason: what provokes it, and what does not."""

from dataclasses import replace

import numpy as np
import pytest

from rppg_ros.reason_texts import TEXTS, advice, meaning, why
from rppg_ros.types import Rate, Reason, Status, Vital
from rppg_ros.vitals.belief import Believed
from rppg_ros.vitals.reasons import explain
from rppg_ros.vitals.witnesses import CLIPPED, COLOURS, DARK, HEAD_X, HEAD_Y, PARTS, REPEATED, SIDE, WIDTH

HZ, N = 15.0, 150
UNSURE = Believed(70.0, 20.0, 50.0, 120.0, quality=1.0, nothing=0.0, light=0.0, motion=0.0, outside=0.0)


def usual():
    """A face that nothing is wrong with."""
    rows = np.zeros((N, WIDTH))
    rows[:, : COLOURS + 3] = np.tile([160.0, 120.0, 100.0], PARTS + 1)
    rows[:, SIDE] = 120
    return rows


def shares(found=UNSURE, evidence=None):
    return dict(explain(found, evidence, HZ))


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("nothing", Reason.NO_SIGN_OF_LIFE),
        ("light", Reason.LIGHT_RHYTHM),
        ("motion", Reason.MOTION_RHYTHM),
        ("outside", Reason.OUT_OF_RANGE),
    ],
)
def test_what_stands_against_a_number_is_a_reason(field, reason):
    assert shares(replace(UNSURE, quality=0.4, **{field: 0.6})) == {reason: 0.6}
    assert reason not in shares(replace(UNSURE, quality=0.5, **{field: 0.09}))


def test_what_is_believed_of_other_rates_is_a_weak_signal():
    assert shares(replace(UNSURE, quality=0.3, nothing=0.2)) == {Reason.WEAK_SIGNAL: 0.5, Reason.NO_SIGN_OF_LIFE: 0.2}
    assert Reason.WEAK_SIGNAL not in shares(replace(UNSURE, quality=0.3, nothing=0.7))


def test_there_is_always_one():
    assert shares(replace(UNSURE, quality=0.95, light=0.05)) == {Reason.LIGHT_RHYTHM: 0.05}


def test_the_weightiest_comes_first():
    found = explain(replace(UNSURE, quality=0.1, nothing=0.2, light=0.3, motion=0.4), None, HZ)
    assert [reason for reason, _ in found] == [Reason.MOTION_RHYTHM, Reason.LIGHT_RHYTHM, Reason.NO_SIGN_OF_LIFE]


UNSURE_OF_ALL = replace(UNSURE, quality=0.5)


def test_a_usual_picture_is_no_reason():
    assert shares(UNSURE_OF_ALL, usual()) == {Reason.WEAK_SIGNAL: 0.5}


@pytest.mark.parametrize(
    ("column", "enough", "too_little", "reason"),
    [
        (SIDE, 39.0, 41.0, Reason.FACE_SMALL),
        (DARK, 0.26, 0.24, Reason.TOO_DARK),
        (CLIPPED, 0.26, 0.24, Reason.TOO_BRIGHT),
        (REPEATED, 0.51, 0.49, Reason.COMPRESSION),
    ],
)
def test_the_share_of_the_window_in_which_the_picture_is_bad(column, enough, too_little, reason):
    rows = usual()
    rows[: N // 2, column] = enough
    assert shares(UNSURE_OF_ALL, rows)[reason] == 0.5
    rows[: N // 2, column] = too_little
    assert reason not in shares(UNSURE_OF_ALL, rows)


@pytest.mark.parametrize("column", [HEAD_X, HEAD_Y])
@pytest.mark.parametrize(("speed", "moves"), [(0.3, True), (-0.3, True), (0.2, False)])
def test_a_head_that_moves_fast(column, speed, moves):
    rows = usual()
    rows[:, column] = speed * np.arange(N) / HZ
    assert shares(UNSURE_OF_ALL, rows).get(Reason.MOVEMENT, 0) == float(moves)


def test_speed_is_of_both_directions():
    rows = usual()
    rows[:, HEAD_X] = rows[:, HEAD_Y] = 0.2 * np.arange(N) / HZ
    assert shares(UNSURE_OF_ALL, rows)[Reason.MOVEMENT] == 1.0


@pytest.mark.parametrize(
    ("parts", "size", "talks"), [((3,), 0.02, True), ((0, 1, 2, 3), 0.02, False), ((3,), 0.0015, False)]
)
def test_a_chin_whose_light_changes_by_itself(parts, size, talks):
    rows = usual()
    flicker = 1 + size * (-1.0) ** np.arange(N)[:, None]
    for part in parts:
        rows[:, 3 * part : 3 * part + 3] *= flicker
    assert shares(UNSURE_OF_ALL, rows).get(Reason.TALKING, 0) == float(talks)


def test_a_grey_face():
    rows = usual()
    rows[:, :COLOURS] = 120
    assert shares(UNSURE_OF_ALL, rows)[Reason.NO_SKIN] == 1.0


def test_every_reason_has_words():
    assert set(TEXTS) == set(Reason) and all(meaning(reason) and advice(reason) for reason in Reason)


def test_why_in_words():
    rate = Rate.unknown(
        Vital.BVP, "a", 0, Status.LOW_QUALITY, reasons=(Reason.MOVEMENT, Reason.WEAK_SIGNAL), shares=(0.6, 0.25)
    )
    assert why(rate) == "movement (0.60), the signal is weak (0.25)"
    assert why(Rate.unknown(Vital.BVP, "a", 0, Status.NO_FACE)) == "no face in view (1.00)"
    assert why(Rate.unknown(Vital.BVP, "a", 0, Status.STALE)) == ""
