"""A rhythm that stops is noticed, one that grows weaker or slower is not."""

import numpy as np
import pytest

from rppg_ros.inference.waves import Waveform
from rppg_ros.types import Reason, Status, Vital
from rppg_ros.vitals.reader import RateReader
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.stopping import ENDED, WITHHELD, Stopping, _of_rhythm

HZ = 20.0


def looks(vital, wave, per_minute, window_s):
    """Whether a number is withheld, second after second."""
    stopping, out = Stopping(vital, window_s), []
    for second in range(int(window_s), int(len(wave) / HZ) + 1):
        stopping.see(wave[: round(second * HZ)], HZ, per_minute)
        out.append(stopping.withheld)
    return np.array(out), stopping


def wave_of(per_minute, seconds, amplitude, noise=0.15, seed=0):
    t = np.arange(round(seconds * HZ)) / HZ
    noisy = noise * np.random.default_rng(seed).standard_normal(len(t))
    return amplitude(t) * np.sin(2 * np.pi * per_minute / 60 * t) + noisy


@pytest.mark.parametrize(
    ("vital", "per_minute", "window_s", "within_s"), [(Vital.RSP, 15.0, 30.0, 13), (Vital.BVP, 75.0, 10.0, 8)]
)
class TestStopping:
    def test_what_stops_is_noticed_in_time_and_not_before(self, vital, per_minute, window_s, within_s):
        stops_s = 2 * window_s
        wave = wave_of(per_minute, stops_s + 20, lambda t: (t < stops_s) * 1.0)
        withheld, _ = looks(vital, wave, per_minute, window_s)
        first = int(np.argmax(withheld)) + window_s
        assert withheld.any() and stops_s + 2 < first <= stops_s + within_s

    @pytest.mark.parametrize(
        "amplitude",
        [
            lambda t: 1.0 + 0 * t,
            lambda t: 1 - 0.4 * (t > 40),
            lambda t: 1 + 0.5 * np.sin(t / 5),
            lambda t: np.exp(-t / 60),
        ],
        ids=["steady", "weaker", "wandering", "fading"],
    )
    def test_what_goes_on_goes_on(self, vital, per_minute, window_s, within_s, amplitude):
        withheld, _ = looks(vital, wave_of(per_minute, 4 * window_s, amplitude), per_minute, window_s)
        assert not withheld.any()

    def test_what_was_never_there_cannot_stop(self, vital, per_minute, window_s, within_s):
        withheld, _ = looks(vital, wave_of(per_minute, 4 * window_s, lambda t: 0 * t), per_minute, window_s)
        assert not withheld.any()

    def test_too_little_of_a_window_says_nothing(self, vital, per_minute, window_s, within_s):
        stopping = Stopping(vital, window_s)
        for _ in range(9):
            stopping.see(np.ones(round(0.5 * window_s * HZ)), HZ, per_minute)
        assert not stopping.withheld

    def test_it_is_withheld_first_and_forgotten_later(self, vital, per_minute, window_s, within_s):
        half = round(window_s * HZ)
        wave = wave_of(per_minute, window_s, lambda t: (t < window_s - Stopping(vital, window_s).recent_s) * 1.0, 0.01)
        stopping, seen = Stopping(vital, window_s), []
        for _ in range(ENDED):
            stopping.see(wave[-half:], HZ, per_minute)
            seen.append((stopping.withheld, stopping.ended))
        assert seen == [(i >= WITHHELD, i >= ENDED) for i in range(1, ENDED + 1)]
        stopping.restart()
        assert not stopping.withheld and not stopping.ended


def read(wave, vital):
    reader, out = RateReader(RATES[vital], 0.7), []
    chunk = round(HZ)
    for i in range(0, len(wave) - chunk + 1, chunk):
        start_ns = round(i / HZ * 1e9)
        rate = reader.push(Waveform(vital, "a", start_ns, HZ, wave[i : i + chunk], float("nan"), "m"))
        out += [] if rate is None else [(round(start_ns / 1e9) + 1, rate)]
    return out


def test_a_held_breath_ends_the_number_and_breath_that_comes_back_gives_one_again():
    wave = wave_of(15.0, 190, lambda t: ((t < 70) | (t > 120)) * 1.0, noise=0.1)
    rates = read(wave, Vital.RSP)
    given = [second for second, rate in rates if rate.status is Status.OK]
    assert 31 in given and 70 in given and not [s for s in given if 84 < s < 140] and 180 in given
    silent = [rate for second, rate in rates if 90 < second < 115]
    assert all(r.status is Status.LOW_QUALITY and Reason.NO_SIGN_OF_LIFE in r.reasons for r in silent)
    assert all(np.isnan(r.per_minute) and not r.quality >= 0.7 for r in silent)


def test_a_heart_that_stands_still_has_no_rate():
    given = [
        second
        for second, rate in read(wave_of(75.0, 60, lambda t: (t < 30) * 1.0), Vital.BVP)
        if rate.status is Status.OK
    ]
    assert 29 in given and not [s for s in given if s > 39]


class TestOfRhythm:
    T = np.arange(600) / HZ

    def rhythm(self, per_minute, amplitude, phase=0.4):
        return amplitude * np.sin(2 * np.pi * per_minute / 60 * self.T + phase)

    @pytest.mark.parametrize("level", [0.0, 50.0, -7.0])
    def test_amplitude_and_share_do_not_depend_on_the_level(self, level):
        amplitude, share = _of_rhythm(level + self.rhythm(20.0, 2.0), HZ, 20.0)
        assert amplitude == pytest.approx(2.0, rel=1e-3) and share == pytest.approx(1.0, abs=1e-6)

    @pytest.mark.parametrize(("other", "share"), [(0.5, 0.8), (1.0, 0.5), (3.0, 0.1)])
    def test_the_share_is_of_the_power(self, other, share):
        wave = self.rhythm(20.0, 1.0) + self.rhythm(47.0, other)
        assert _of_rhythm(wave, HZ, 20.0) == (pytest.approx(1.0, rel=0.02), pytest.approx(share, abs=0.01))

    def test_it_is_weighed_towards_the_middle(self):
        early = self.rhythm(20.0, 1.0) * (self.T < 8) + self.rhythm(47.0, 1.0) * (self.T >= 8)
        amplitude, share = _of_rhythm(early, HZ, 20.0)
        assert amplitude == pytest.approx(0.115, abs=0.01) and 0.01 < share < 0.03

    def test_another_rate_has_nothing_of_it(self):
        amplitude, share = _of_rhythm(self.rhythm(20.0, 1.0), HZ, 26.0)
        assert amplitude < 0.02 and share < 0.001
        assert _of_rhythm(self.rhythm(120.0, 1.0), HZ, 120.0)[1] > 0.9999

    def test_nothing_at_all_has_none(self):
        assert _of_rhythm(np.full(100, 3.0), HZ, 20.0) == (pytest.approx(0.0, abs=1e-9), 0.0)


class TestLooks:
    """Breath of 18 per minute, 20 s of it and then 10 s of what is given."""

    T = np.arange(600) / HZ
    REST = np.sin(2 * np.pi * 0.3 * T[:400])

    def window(self, amplitude, other=0.0):
        newest = self.T[400:]
        new = amplitude * np.sin(2 * np.pi * 0.3 * newest) + other * np.sin(2 * np.pi * 0.9 * newest)
        return np.concatenate([self.REST, new])

    def withheld(self, *windows, per_minute=18.0):
        stopping = Stopping(Vital.RSP, 30.0)
        for window in windows:
            stopping.see(window, HZ, per_minute)
        return stopping.withheld

    @pytest.mark.parametrize(
        ("amplitude", "other", "stopped"),
        [
            (0.1, 0.0, True),
            (0.2, 0.0, False),
            (0.45, 0.0, False),
            (0.45, 0.9, True),
            (0.45, 0.4, False),
            (0.55, 1.1, False),
        ],
    )
    def test_how_little_is_little(self, amplitude, other, stopped):
        assert self.withheld(*[self.window(amplitude, other)] * 3) is stopped

    def test_looks_are_counted_in_a_row(self):
        gone, there, short = self.window(0.0), self.window(1.0), self.window(0.0)[-400:]
        assert self.withheld(gone, gone, gone) and not self.withheld(gone, gone)
        assert not self.withheld(gone, gone, there, gone, gone)
        assert not self.withheld(gone, gone, short, gone, gone)
        assert not self.withheld(gone, gone, gone, there)

    def test_a_rest_of_three_fifths_is_enough(self):
        gone = self.window(0.0)
        assert self.withheld(*[gone[-440:]] * 3) and not self.withheld(*[gone[-439:]] * 3)

    @pytest.mark.parametrize("per_minute", [0.0, -3.0, np.nan])
    def test_no_rate_has_not_stopped(self, per_minute):
        assert not self.withheld(*[self.window(0.0)] * 3, per_minute=per_minute)

    def test_slow_ones_are_looked_at_too(self):
        slow = np.concatenate([np.sin(2 * np.pi * self.T[:400] / 80), np.zeros(200)])
        stopping = Stopping(Vital.RSP, 30.0)
        for _ in range(3):
            stopping.see(slow, HZ, 0.75)
        assert stopping.withheld

    def test_what_was_half_there_is_not_missed(self):
        other = np.sin(2 * np.pi * 0.9 * self.T[:400])
        for share, stopped in ((1.1, False), (0.9, True)):
            window = np.concatenate([self.REST + share * other, np.zeros(200)])
            assert self.withheld(*[window] * 3) is stopped

    def test_silence_before_is_no_rhythm(self):
        assert not self.withheld(*[np.zeros(600)] * 3)
