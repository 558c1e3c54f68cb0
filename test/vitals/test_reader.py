"""When a rate is due, what stamp and status it has, and what a trusted one does for the next."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rppg_ros.types import NS_PER_S, Reason, Status, Vital, Waveform
from rppg_ros.vitals.belief import RateBelief
from rppg_ros.vitals.observation import ObservationModel
from rppg_ros.vitals.reader import RateReader
from rppg_ros.vitals.registry import HEART_RATE
from rppg_ros.vitals.spectral_evidence import feature_names, features
from rppg_ros.vitals.spectrum import snr_db, spectrum
from rppg_ros.vitals.witnesses import CLIPPED, WIDTH, witnesses

HZ = 10.0
START_NS = 50 * NS_PER_S
STEP_NS = round(NS_PER_S / HZ)
WAVE = np.sin(2 * np.pi * 1.2 * np.arange(600) / HZ)
NOISY = WAVE + np.random.default_rng(0).normal(0, 0.3, 600)


def model_of(power=4.0, peak=6.0, bias=-6.0):
    """Believes in whatever stands out of the waveform's spectrum."""
    names = feature_names(Vital.BVP)
    weight, biases = np.zeros((3, len(names)), np.float32), np.array([bias, -5.0, -5.0], np.float32)
    weight[0, names.index("own power")], weight[0, names.index("own peak")] = power, peak
    prior, switch = np.array([0.4, 0.5, 0.05, 0.05]), np.full((4, 4), 0.001) + 0.996 * np.eye(4)
    return ObservationModel(((weight, biases),), prior, switch, drift=1.5, jump=0.002, again=0.3)


SURE = model_of()


def chunk(first, n, wave=WAVE, start_ns=START_NS):
    """Samples first .. first + n - 1 of a wave whose clock starts at start_ns."""
    return Waveform(Vital.BVP, "abc", start_ns + first * STEP_NS, HZ, wave[first : first + n], 0.5, "model")


def play(reader, chunks):
    return [reader.push(piece) for piece in chunks]


def make(min_quality=0.5, model=None, **options):
    return RateReader(HEART_RATE, min_quality, model=model or SURE, **options)


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


def test_a_rate_is_what_is_believed_after_each_look():
    reader, belief, rate = make(min_quality=0.0), RateBelief(Vital.BVP, (39.6, 200.4), SURE), None
    for end in range(10, 400, 10):
        rate = reader.push(chunk(end - 10, 10, NOISY)) or rate
        if end >= 60:  # it looks before it gives numbers
            if end > 60:
                belief.advance(1.0)
            own = NOISY[max(0, end - 200) : end]
            belief.see(features(Vital.BVP, witnesses(Vital.BVP, own, None, HZ), HZ))
    found = belief.read()
    assert (rate.per_minute, rate.std, rate.quality, rate.low, rate.high) == pytest.approx(
        (found.per_minute, found.std, found.quality, found.low, found.high)
    )
    assert (rate.vital, rate.face_id, rate.model, rate.status, rate.window_s) == (
        Vital.BVP,
        "abc",
        "model",
        Status.OK,
        10.0,
    )
    assert rate.snr_db == snr_db(spectrum(NOISY[290:390], HZ), HEART_RATE, rate.per_minute / 60)
    assert reader.quality == rate.quality and rate.reasons == rate.shares == ()


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
    quality = make(0.0).push(chunk(0, 150)).quality
    assert 0.5 < quality < 1
    for least, known in ((quality, True), (quality + 1e-9, False)):
        rate = make(least).push(chunk(0, 150))
        assert rate.status is (Status.OK if known else Status.LOW_QUALITY) and rate.quality == quality
        for number in (rate.per_minute, rate.std, rate.low, rate.high):
            assert math.isfinite(number) is known
        assert math.isfinite(rate.snr_db) and rate.window_s == 10.0 and rate.stamp_ns == START_NS + 149 * STEP_NS
        assert bool(rate.reasons) is not known and len(rate.reasons) == len(rate.shares)


@pytest.mark.parametrize("per_minute", [25, 33, 215, 240])
def test_a_rate_that_is_not_given_is_found_and_named(per_minute):
    wave = np.sin(2 * np.pi * per_minute / 60 * np.arange(600) / HZ)
    rates = [r for r in play(make(0.3), [chunk(i, 10, wave) for i in range(0, 300, 10)]) if r]
    assert all(math.isnan(rate.per_minute) for rate in rates)
    assert rates[-1].reasons[0] is Reason.OUT_OF_RANGE and rates[-1].shares[0] > 0.5


def test_no_quality_before_the_first_estimate():
    reader = make()
    assert math.isnan(reader.quality)
    reader.push(chunk(0, 10))
    assert math.isnan(reader.quality)
    reader.push(chunk(10, 140))
    assert reader.quality > 0.9


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
        assert (rate.status, rate.window_s) == (Status.OK, 10.0)
    else:
        assert rate is None and reader.quality > 0.9, "16 s are not over"


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
    """70 or 103 per minute, nearly alike, 103 a little stronger: what was believed before makes surer, or less sure."""

    at_s = np.arange(1000) / HZ
    both = np.sin(2 * np.pi * 70 / 60 * at_s) + 1.02 * np.sin(2 * np.pi * 103 / 60 * at_s)

    def read_after(self, gap_s, before):
        reader = make(0.0)
        for i in range(0, 200, 10):
            last = reader.push(chunk(i, 10, np.sin(2 * np.pi * before / 60 * self.at_s)))
        assert last.per_minute == pytest.approx(before, abs=1)
        start_ns = START_NS + 200 * STEP_NS + round(gap_s * NS_PER_S)
        return reader.push(chunk(0, 80, self.both, start_ns))

    def alone(self):
        return make(0.0).push(chunk(0, 80, self.both))

    def test_it_speaks_across_a_gap(self):
        found = self.read_after(3.0, 103)
        assert found.per_minute == pytest.approx(103, abs=2) and found.quality > self.alone().quality + 0.05

    def test_it_gives_no_number_that_the_new_waveform_does_not_show(self):
        """Whoever comes after a gap may be somebody else."""
        found = self.read_after(3.0, 70)
        assert found.per_minute == pytest.approx(103, abs=2) and found.quality <= self.alone().quality + 1e-9

    @pytest.mark.parametrize("gap_s", [300.0, -60.0])
    def test_not_for_long_and_not_for_what_was_before_it(self, gap_s):
        found, alone = self.read_after(gap_s, 103), self.alone()
        assert (found.per_minute, found.quality) == pytest.approx((alone.per_minute, alone.quality), abs=0.01)

    def test_the_old_rate_gives_way_to_the_new_one(self):
        reader = make(0.7)
        for i in range(0, 200, 10):
            reader.push(chunk(i, 10, np.sin(2 * np.pi * 60 / 60 * self.at_s)))
        start_ns = START_NS + 200 * STEP_NS + 2 * NS_PER_S
        other = np.sin(2 * np.pi * 110 / 60 * self.at_s)
        rates = [reader.push(chunk(i, 10, other, start_ns)) for i in range(0, 300, 10)]
        given = [rate.per_minute for rate in rates if rate.status is Status.OK]
        assert len(given) > 15 and given == pytest.approx([110] * len(given), abs=3)


def test_a_model_with_nan_gives_no_number():
    rate = make(0.0, model_of(bias=math.nan)).push(chunk(0, 150))
    assert rate.quality < 0.1 and make(0.5, model_of(power=math.nan)).push(chunk(0, 150)).status is Status.LOW_QUALITY


def test_a_threshold_that_is_none_gives_no_number():
    assert make(math.nan).push(chunk(0, 150)).status is Status.LOW_QUALITY


@pytest.mark.parametrize("bias", [-1e6, 1e6])
def test_an_absurd_model_does_not_overflow(bias):
    assert 0 <= make(0.5, model_of(bias=bias)).push(chunk(0, 150)).quality <= 1


def test_a_waveform_with_a_hole_is_not_looked_at():
    holed = WAVE.copy()
    holed[140] = math.nan
    rate = make(0.0).push(chunk(0, 150, holed))
    assert rate.status is Status.LOW_QUALITY and rate.quality == 0 and math.isnan(rate.snr_db)


class Beside:
    """Evidence that says the same at every time, and remembers what it was asked."""

    frame_s = 0.05

    def __init__(self, known=True):
        self.known, self.asked = known, []
        self.rows = np.random.default_rng(1).uniform(50, 200, (2000, WIDTH)).astype(np.float32)

    def on_clock(self, start_ns, rate_hz, count):
        self.asked.append((start_ns, rate_hz, count))
        first = round((start_ns - START_NS) / STEP_NS)
        return self.rows[first : first + count] if self.known else None


def listening():
    """A model that hears every feature a little."""
    rng = np.random.default_rng(2)
    weight = rng.normal(0, 0.05, (3, len(feature_names(Vital.BVP)))).astype(np.float32)
    return replace(SURE, layers=((weight, np.zeros(3, np.float32)),))


class TestEvidence:
    @pytest.mark.parametrize("known", [True, False])
    def test_a_look_is_at_the_waveform_and_what_was_seen_beside_it(self, known):
        model, beside, looks = listening(), Beside(known), []
        reader = make(0.0, model, on_look=lambda stamp_ns, scores: looks.append((stamp_ns, scores)))
        for end in range(10, 130, 10):
            reader.push(chunk(end - 10, 10, NOISY), beside)
        assert [stamp_ns for stamp_ns, _ in looks] == [START_NS + (end - 1) * STEP_NS for end in range(60, 130, 10)]
        for end, (_, scores), asked in zip(range(60, 130, 10), looks, beside.asked, strict=True):
            near = max(0, end - 100)
            assert asked == (START_NS + near * STEP_NS, HZ, end - near)
            rows = beside.rows[near:end] if known else None
            heard = witnesses(Vital.BVP, NOISY[:end], rows, HZ)
            np.testing.assert_allclose(scores, model.scores(features(Vital.BVP, heard, HZ, 0.05)), atol=1e-5)

    def test_reasons_come_from_it(self):
        beside = Beside()
        beside.rows[:, CLIPPED] = 0.5
        rate = make(2.0).push(chunk(0, 150), beside)
        assert Reason.TOO_BRIGHT in rate.reasons
        assert Reason.TOO_BRIGHT not in make(2.0).push(chunk(0, 150), None).reasons


def test_warming_up_says_how_far_it_is():
    rates = play(make(), [chunk(i, 10) for i in range(0, 70, 10)])
    assert {rate.reasons for rate in rates} == {(Reason.WARMING_UP,)}
    assert [rate.shares for rate in rates] == [(round(n / 8, 3),) for n in range(1, 8)]
    assert rates[0].shares == (0.125,)


@pytest.mark.parametrize("size", [1e-9, 1e-3])
def test_a_small_waveform_is_alive(size):
    assert make().push(chunk(0, 150, WAVE * size)).status is Status.OK


def test_a_stamp_that_follows_to_the_nanosecond_forgets_nothing():
    reader = make(0.0)
    reader.push(chunk(0, 150))
    assert reader.end_ns == START_NS + 150 * STEP_NS
    before = reader.quality
    later = reader.push(chunk(0, 80, NOISY, START_NS + 150 * STEP_NS + 60_000_000))
    assert before > 0.9 and later.quality > make(0.0).push(chunk(0, 80, NOISY)).quality
