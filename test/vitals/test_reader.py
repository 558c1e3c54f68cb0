"""When a rate is due, what stamp and status it has, and what a trusted one does for the next."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rppg_ros.types import NS_PER_S, Status, Vital, Waveform
from rppg_ros.vitals.rates import Calibration, estimate_rate
from rppg_ros.vitals.reader import RateReader
from rppg_ros.vitals.registry import HEART_RATE

HZ = 10.0
START_NS = 50 * NS_PER_S
STEP_NS = round(NS_PER_S / HZ)
SURE = Calibration(9.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
WAVE = np.sin(2 * np.pi * 1.2 * np.arange(600) / HZ)


def chunk(first, n, wave=WAVE, start_ns=START_NS):
    """Samples first .. first + n - 1 of a wave whose clock starts at start_ns."""
    return Waveform(Vital.BVP, "abc", start_ns + first * STEP_NS, HZ, wave[first : first + n], 0.5, "model")


def play(reader, chunks):
    return [reader.push(piece) for piece in chunks]


def make(min_quality=0.5, calibration=SURE, **options):
    return RateReader(HEART_RATE, min_quality, calibration=calibration, **options)


@pytest.mark.parametrize("size", [1, 3, 5, 10])
def test_a_rate_a_second_whatever_the_chunks(size):
    reader = make()
    rates = [rate for rate in play(reader, [chunk(i, size) for i in range(0, 300, size)]) if rate]
    ends = [START_NS + i * STEP_NS for i in range(size, 301, size)]
    due, expected = START_NS, []
    for end in ends:
        if end >= due:
            expected.append(end - STEP_NS)  # the newest sample's
            while due <= end:
                due += NS_PER_S
    assert [rate.stamp_ns for rate in rates] == expected
    assert 29 <= len(rates) <= 31


def test_a_long_chunk_gives_one_rate_and_the_next_is_in_time():
    reader = make()
    assert reader.push(chunk(0, 205)).stamp_ns == START_NS + 204 * STEP_NS
    assert reader.push(chunk(205, 4)) is None
    assert reader.push(chunk(209, 1)) is not None, "at 21 s"


def test_another_period():
    rates = play(make(period_s=2.5), [chunk(i, 1) for i in range(101)])
    assert [i + 1 for i, rate in enumerate(rates) if rate] == [1, 25, 50, 75, 100]


def test_a_rate_is_the_estimate_of_the_newest_window():
    noise = np.random.default_rng(0).normal(0, 1, 600)
    reader = make(calibration=None, min_quality=0.0)
    (*_, rate) = [r for r in play(reader, [chunk(i, 10, WAVE + noise) for i in range(0, 400, 10)]) if r]
    expected = estimate_rate((WAVE + noise)[250:400], HZ, HEART_RATE)
    assert (rate.per_minute, rate.std, rate.snr_db, rate.quality, rate.window_s) == (
        expected.per_minute,
        expected.std,
        expected.snr_db,
        expected.quality,
        15.0,
    )
    assert (rate.vital, rate.face_id, rate.model, rate.status) == (Vital.BVP, "abc", "model", Status.OK)
    assert reader.quality == expected.quality


def test_too_young_is_warming_up():
    rates = play(make(), [chunk(i, 10) for i in range(0, 90, 10)])
    assert [rate.status for rate in rates] == [Status.WARMING_UP] * 7 + [Status.OK] * 2
    young = rates[2]
    assert (young.vital, young.face_id, young.stamp_ns, young.model) == (
        Vital.BVP,
        "abc",
        START_NS + 29 * STEP_NS,
        "model",
    )
    assert young.window_s == 3.0 and math.isnan(young.per_minute) and young.quality == 0


def test_flat_is_low_quality_once_it_is_old_enough():
    rates = play(make(), [chunk(i, 10, np.zeros(600)) for i in range(0, 90, 10)])
    assert [rate.status for rate in rates] == [Status.WARMING_UP] * 7 + [Status.LOW_QUALITY] * 2
    assert math.isnan(rates[-1].per_minute) and rates[-1].window_s == 9.0


def test_below_the_least_quality_there_is_no_number():
    half = replace(SURE, bias=0.0)
    for least, known in ((0.5, True), (0.51, False)):
        rate = make(least, half).push(chunk(0, 150))
        assert rate.status is (Status.OK if known else Status.LOW_QUALITY) and rate.quality == 0.5
        assert math.isfinite(rate.per_minute) is known and math.isfinite(rate.std) is known
        assert math.isfinite(rate.snr_db) and rate.window_s == 15.0 and rate.stamp_ns == START_NS + 149 * STEP_NS


def test_no_quality_before_the_first_estimate():
    reader = make()
    assert math.isnan(reader.quality)
    reader.push(chunk(0, 10))
    assert math.isnan(reader.quality)
    reader.push(chunk(10, 140))
    assert reader.quality > 0.99


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("jump_ns", "new"), [(0, False), (50_000_000, False), (50_000_001, True)])
def test_a_chunk_that_does_not_follow_starts_anew(jump_ns, new, sign):
    """More than half a sample away."""
    jump_ns *= sign
    reader = make()
    reader.push(chunk(0, 150))
    rate = reader.push(chunk(150, 10, start_ns=START_NS + jump_ns))
    if new:
        assert (rate.status, rate.window_s) == (Status.WARMING_UP, 1.0) and math.isnan(reader.quality)
    elif jump_ns >= 0:
        assert (rate.status, rate.window_s) == (Status.OK, 15.0)
    else:
        assert rate is None and reader.quality > 0.99, "16 s are not over"


def test_after_a_gap_rates_are_due_from_the_new_start():
    reader = make()
    reader.push(chunk(0, 150))
    later = START_NS + 7 * NS_PER_S + 300_000_000
    rates = [reader.push(chunk(150 + i, 1, start_ns=later)) for i in range(25)]
    assert [i for i, rate in enumerate(rates) if rate] == [0, 9, 19]


def test_back_in_time_rates_are_due_at_once():
    reader = make()
    reader.push(chunk(300, 150))
    assert reader.push(chunk(0, 10)) is not None


class TestMemory:
    """70 or 103 per minute, nearly alike: the one trusted before decides, for ten seconds."""

    both = np.sin(2 * np.pi * 70 / 60 * np.arange(1000) / HZ) + 1.1 * np.sin(
        2 * np.pi * 103 / 60 * np.arange(1000) / HZ
    )

    def read_after(self, gap_s, before=70, calibration=SURE):
        reader = make(calibration=calibration)
        trusted = np.sin(2 * np.pi * before / 60 * np.arange(150) / HZ)
        first = reader.push(chunk(0, 150, trusted))
        start_ns = first.stamp_ns + round(gap_s * NS_PER_S) - 149 * STEP_NS
        return round(reader.push(chunk(0, 150, self.both, start_ns)).per_minute)

    def test_it_speaks_for_the_next_and_not_for_long(self):
        assert self.read_after(9.9) == 70 and self.read_after(10.0) == 70 and self.read_after(10.001) == 103
        assert self.read_after(9.9, before=103) == 103

    def test_not_for_what_was_before_it(self):
        assert self.read_after(-1.0) == 103 and self.read_after(-1e-9) == 103
        assert self.read_after(0.0) == 70

    def test_not_where_it_was_not_trusted(self):
        assert make(calibration=SURE).push(chunk(0, 150, self.both)).per_minute == pytest.approx(103, abs=1)
        reader = make(min_quality=0.99, calibration=replace(SURE, bias=0.0, snr=0.4))
        clean = reader.push(chunk(0, 150, np.sin(2 * np.pi * 70 / 60 * np.arange(150) / HZ)))
        assert clean.status is Status.OK
        doubted = make(min_quality=0.99, calibration=replace(SURE, bias=0.0))
        doubted.push(chunk(0, 150, np.sin(2 * np.pi * 70 / 60 * np.arange(150) / HZ)))
        assert doubted._trusted is None and reader._trusted == (clean.stamp_ns, clean.per_minute)


@pytest.mark.parametrize("broken", ["bias", "snr", "lead", "length", "split", "std_floor", "std_noise", "irregular"])
def test_a_calibration_with_nan_gives_no_number(broken):
    rate = make(0.0, replace(SURE, **{broken: math.nan})).push(chunk(0, 150))
    assert rate.status is Status.LOW_QUALITY and math.isnan(rate.per_minute) and math.isfinite(rate.quality)


def test_a_threshold_that_is_none_gives_no_number():
    assert make(math.nan).push(chunk(0, 150)).status is Status.LOW_QUALITY


@pytest.mark.parametrize("bias", [-1e6, 1e6])
def test_an_absurd_calibration_does_not_overflow(bias):
    assert make(0.5, replace(SURE, bias=bias)).push(chunk(0, 150)).quality == float(bias > 0)
