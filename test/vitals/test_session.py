"""Looks that are kept while they are taken, and what they come to."""

import numpy as np
import pytest

from rppg_ros.types import NS_PER_S, Reason, Status, Vital
from rppg_ros.vitals.belief import Believed
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.session import LONGEST_S, LookLog, Session, overall_rate, session
from rppg_ros.vitals.spectral_evidence import GRIDS

HZ = 15.0
GRID = GRIDS[Vital.BVP]
NONE = np.zeros((len(GRID.rates), 3))
START_NS = 10**18


def look(per_minute, score=6.0):
    out = np.full((len(GRID.rates), 3), -3.0)
    out[:, 0] += (score + 3) * np.exp(-(((GRID.rates - per_minute) / 3) ** 2) / 2)
    return out


def log_of(looks, face="abc", start_ns=START_NS):
    log = LookLog()
    for second, scores in looks:
        log.add(Vital.BVP, face, start_ns + round(second * NS_PER_S), scores)
    return log


def test_the_log_comes_to_what_the_waveform_comes_to():
    wave = np.sin(2 * np.pi * 1.1 * np.arange(round(40 * HZ)) / HZ) + np.random.default_rng(0).normal(0, 0.5, 600)
    from rppg_ros.types import Waveform
    from rppg_ros.vitals.reader import RateReader
    from rppg_ros.vitals.registry import RATES

    log = LookLog()
    reader = RateReader(RATES[Vital.BVP], 0.7, on_look=lambda at_ns, scores: log.add(Vital.BVP, "abc", at_ns, scores))
    for first in range(0, 600, 15):
        reader.push(Waveform(Vital.BVP, "abc", first * NS_PER_S // 15, HZ, wave[first : first + 15], 1.0, "m"))
    found, whole = log.session(Vital.BVP, "abc"), session(Vital.BVP, wave, HZ)
    assert len(found.seconds) == len(whole.seconds) == 35
    for one, other in zip((found.overall, *found.seconds), (whole.overall, *whole.seconds), strict=True):
        assert one.per_minute == pytest.approx(other.per_minute, abs=0.2)
        assert one.quality == pytest.approx(other.quality, abs=0.02)


def test_what_came_later_tells_what_was_before():
    vague = [(second, look(80, 0.5)) for second in range(5)]
    found = log_of([*vague, *((second, look(80)) for second in range(5, 20))]).session(Vital.BVP, "abc")
    assert found.seconds[0].per_minute == pytest.approx(80, abs=2) and found.seconds[0].quality > 0.7
    alone = log_of(vague).session(Vital.BVP, "abc")
    assert alone.seconds[0].quality < 0.5
    assert found.overall.low < 80 < found.overall.high and found.overall.quality > 0.7


def test_seconds_without_a_look_are_there_too():
    found = log_of([(0, look(80)), (1.1, look(80)), (5, look(80))]).session(Vital.BVP, "abc")
    assert found.at_s - START_NS / NS_PER_S == pytest.approx([0, 1.1, 2.1, 3.1, 4.1, 5], abs=1e-3)
    assert len(found.seconds) == 6


def test_from_a_stamp_on():
    log = log_of([(second, look(60 if second < 20 else 120)) for second in range(60)])
    later = log.session(Vital.BVP, "abc", START_NS + 30 * NS_PER_S)
    assert len(later.seconds) == 30 and later.overall.per_minute == pytest.approx(120, abs=1)
    assert log.session(Vital.BVP, "abc", START_NS + 61 * NS_PER_S) is None


def test_each_face_and_vital_sign_has_its_own():
    log = log_of([(second, look(60)) for second in range(10)])
    for second in range(20):
        log.add(Vital.BVP, "def", START_NS + second * NS_PER_S, look(120))
    assert log.faces(Vital.BVP) == ["def", "abc"] and log.faces(Vital.RSP) == []
    assert log.session(Vital.BVP, "abc").overall.per_minute == pytest.approx(60, abs=1)
    assert log.session(Vital.BVP, "def").overall.per_minute == pytest.approx(120, abs=1)
    assert log.session(Vital.RSP, "abc") is None and log.session(Vital.BVP, "ghi") is None


def test_time_that_runs_back_begins_anew():
    log = log_of([(second, look(60)) for second in range(10)])
    log.add(Vital.BVP, "abc", START_NS, look(120))
    assert log.session(Vital.BVP, "abc") is None, "one look is too little"
    for second in range(1, 3):
        log.add(Vital.BVP, "abc", START_NS + second * NS_PER_S, look(120))
    assert len(log.session(Vital.BVP, "abc").seconds) == 3


def test_it_forgets_what_is_old():
    log = log_of([(second, NONE) for second in range(LONGEST_S + 5)])
    kept = log._looks[Vital.BVP, "abc"]
    assert len(kept) == LONGEST_S and kept[0][0] == START_NS + 5 * NS_PER_S


def overall(quality, per_minute=70.0, vital=Vital.BVP, nothing=0.0, model="m", outside=0.0):
    found = Believed(per_minute, 1.5, 68.0, 72.0, quality, nothing, 0.0, 0.0, outside)
    return overall_rate(vital, Session(np.arange(6.0, 30.0), (found,) * 24, found), 0.8, model)


def test_what_is_believed_enough_is_one_rate_of_all():
    rate = overall(0.8)
    assert (rate.status, rate.per_minute, rate.std) == (Status.OK, 70.0, 1.5)
    assert (rate.low, rate.high, rate.quality) == (68.0, 72.0, 0.8)
    assert rate.window_s == 29.0 and rate.stamp_ns == 29 * 10**9 and rate.model == "m"
    assert not rate.reasons and np.isnan(rate.snr_db) and rate.vital is Vital.BVP and rate.face_id == ""


@pytest.mark.parametrize("vital", list(Vital))
def test_the_ends_of_what_is_given_are_given(vital):
    low, high = RATES[vital].per_minute
    assert overall(0.9, low, vital).status is overall(0.9, high, vital).status is Status.OK
    assert overall(0.9, low - 0.01, vital).status is overall(0.9, high + 0.01, vital).status is Status.LOW_QUALITY


@pytest.mark.parametrize(("quality", "per_minute"), [(0.79, 70.0), (np.nan, 70.0), (0.9, 30.0), (0.9, np.nan)])
def test_what_is_not_believed_is_no_rate_and_says_why(quality, per_minute):
    rate = overall(quality, per_minute, nothing=0.9)
    assert rate.status is Status.LOW_QUALITY and np.isnan([rate.per_minute, rate.std, rate.low, rate.high]).all()
    assert rate.quality == (quality if np.isfinite(quality) else 0.0)
    assert rate.window_s == 29.0 and rate.stamp_ns == 29 * 10**9 and rate.model == "m" and rate.face_id == ""
    shares = dict(zip(rate.reasons, rate.shares, strict=True))
    assert shares[Reason.NO_SIGN_OF_LIFE] == pytest.approx(0.9)


def test_without_waveform_enough_there_is_none():
    rate = overall_rate(Vital.RSP, None, 0.7, "m")
    assert rate.status is Status.WARMING_UP and np.isnan(rate.per_minute) and rate.vital is Vital.RSP
    assert rate.model == "m" and rate.face_id == "" and rate.stamp_ns == 0
    assert overall_rate(Vital.RSP, None, 0.7).model == ""
