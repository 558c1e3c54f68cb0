"""Windows joined to one waveform, against a sum that keeps everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.inference.overlap_add import OverlapAdd, edge_taper

WAVE = np.sin(np.arange(2000) / 7)


@given(st.integers(20, 120), st.integers(1, 60), st.integers(0, 40), st.integers(1, 20))
@settings(max_examples=60)
def test_windows_of_one_wave_join_to_that_wave(length, hop, hold, count):
    joined, out = OverlapAdd(history=length), []
    for i in range(count):
        first = i * hop
        joined.add(first, WAVE[first : first + length], edge_taper(length, 5))
        out += joined.take(first + length - hold)
    out += joined.take(joined.end)
    ends = [first + len(samples) for first, samples in out]
    assert all(first >= end for (first, _), end in zip(out[1:], ends, strict=False)), "in order, nothing twice"
    for first, samples in out:
        np.testing.assert_allclose(samples, WAVE[first : first + len(samples)], atol=1e-6)
    if hop <= length:
        assert sum(len(samples) for _, samples in out) == (count - 1) * hop + length


def test_a_missing_window_is_a_hole_not_an_invention():
    joined = OverlapAdd(history=20)
    joined.add(0, np.ones(20), np.ones(20))
    joined.add(50, np.ones(20), np.ones(20))
    assert [(first, len(samples)) for first, samples in joined.take(70)] == [(0, 20), (50, 20)]


def test_what_left_is_not_changed_and_what_comes_late_is_ignored():
    joined = OverlapAdd(history=40)
    joined.add(0, np.ones(40), np.ones(40))
    assert joined.take(30)[0][1].tolist() == [1.0] * 30
    joined.add(0, np.full(40, 3.0), np.ones(40))
    ((first, samples),) = joined.take(40)
    assert first == 30 and samples.tolist() == [2.0] * 10


def test_a_window_upside_down_is_turned_only_where_asked():
    for align, sign in ((True, 1), (False, -1)):
        joined = OverlapAdd(history=100, align_sign=align)
        joined.add(0, WAVE[:100], np.ones(100))
        joined.take(100)
        joined.add(20, -WAVE[20:120], np.ones(100))
        ((_, samples),) = joined.take(120)
        np.testing.assert_allclose(samples, sign * WAVE[100:120], atol=1e-6)
        assert joined.flipped == (1 if align else 0)


def test_memory_stays_bounded():
    joined = OverlapAdd(history=50)
    for i in range(2000):
        joined.add(i * 10, np.ones(50), np.ones(50))
        joined.take(i * 10 + 40)
    assert len(joined._sum) < 150


def brute_force(steps):
    """Each index has the weighted mean of what came for it before it left; steps are ('add', first, samples, weights) or
    ('take', upto)."""
    sums, weights, left, out = {}, {}, 0, []
    for step, *rest in steps:
        if step == "add":
            first, samples, shares = rest
            for i, (sample, share) in enumerate(zip(samples, shares, strict=True), first):
                if i >= left:
                    sums[i], weights[i] = sums.get(i, 0) + sample * share, weights.get(i, 0) + share
        else:
            (upto,) = rest
            upto = min(upto, max(sums, default=left - 1) + 1)
            for i in range(left, upto):
                if weights.get(i, 0) > 0:
                    out.append((i, sums[i] / weights[i]))
            left = max(left, upto)
    return out


additions = st.builds(
    lambda first, n, seed: (
        "add",
        first,
        np.random.default_rng(seed).normal(0, 1, n),
        np.random.default_rng(seed + 1).choice([0.0, 0.5, 1.0, 2.0], n),
    ),
    st.integers(0, 80),
    st.integers(0, 30),
    st.integers(0, 10**6),
)


@given(st.lists(additions | st.tuples(st.just("take"), st.integers(0, 120)), max_size=20), st.integers(0, 60))
def test_samples_are_weighted_means_of_what_came_in_time(steps, history):
    joined, out = OverlapAdd(history), []
    for step, *rest in steps:
        if step == "add":
            joined.add(*rest)
            continue
        pieces = joined.take(*rest)
        assert all(len(samples) and samples.dtype == np.float32 for _, samples in pieces)
        ends = [first + len(samples) for first, samples in pieces]
        assert all(first > end for (first, _), end in zip(pieces[1:], ends, strict=False)), (
            "a piece goes on to its hole"
        )
        out += [(first + i, sample) for first, samples in pieces for i, sample in enumerate(samples)]
    expected = brute_force(steps)
    assert [i for i, _ in out] == [i for i, _ in expected]
    np.testing.assert_allclose([x for _, x in out], [x for _, x in expected], atol=1e-5)


def test_end_is_after_the_last_sample():
    joined = OverlapAdd(history=0)
    assert joined.end == 0
    joined.add(5, np.ones(20), np.ones(20))
    assert joined.end == 25
    joined.take(25)
    joined.add(10, np.ones(10), np.ones(10))
    assert joined.end == 25


class TestSign:
    """Windows upside down."""

    @staticmethod
    def turned(overlap, correlation=-1.0, history=100, taken=0, weights=None, gain=1.0, offset=0.0):
        """Whether a window is turned over that begins `overlap` samples before the end of 100 and has this correlation with
        them."""
        rng = np.random.default_rng(overlap)
        old, other = rng.normal(0, 1, 100), rng.normal(0, 1, overlap)
        tail = old[100 - overlap :] - old[100 - overlap :].mean()
        other -= other.mean()
        other -= tail * (tail @ other) / (tail @ tail)
        new = correlation * tail / np.linalg.norm(tail) + np.sqrt(1 - correlation**2) * other / np.linalg.norm(other)
        joined = OverlapAdd(history, align_sign=True)
        joined.add(0, old + offset, rng.uniform(0.01, 1.0, 100))  # weights divide out
        joined.take(taken)
        window = np.concatenate([gain * new - offset, np.ones(10)])
        joined.add(100 - overlap, window, np.ones(len(window)) if weights is None else weights)
        assert joined.take(110)[-1][1][-10:].tolist() == [-1.0 if joined.flipped else 1.0] * 10
        return bool(joined.flipped)

    def test_it_must_be_asked_for_and_is_counted(self):
        for joined, flipped in ((OverlapAdd(100), 0), (OverlapAdd(100, align_sign=True), 2)):
            for samples in (WAVE[:50], -WAVE[:50], WAVE[:50], -WAVE[:50]):
                joined.add(0, samples, np.full(50, 0.1 if joined.end else 1.0))
            assert joined.flipped == flipped

    @pytest.mark.parametrize(("overlap", "turned"), [(60, True), (16, True), (15, False)])
    def test_few_samples_say_nothing(self, overlap, turned):
        assert self.turned(overlap) is turned

    @pytest.mark.parametrize(("correlation", "turned"), [(-0.51, True), (-0.49, False), (0.9, False)])
    def test_only_clear_opposition_counts(self, correlation, turned):
        for gain in (0.01, 1.0, 50.0):
            assert self.turned(60, correlation, gain=gain) is turned
        assert self.turned(60, correlation, offset=5.0) is turned, "a constant is no likeness"

    def test_what_left_is_remembered_for_the_comparison(self):
        assert self.turned(40, history=40, taken=100) and self.turned(40, history=30, taken=100)
        assert self.turned(16, history=0, taken=100), "at least as much as a comparison needs"

    def test_samples_without_weight_do_not_compare(self):
        assert not self.turned(40, weights=np.r_[np.zeros(25), np.ones(25)])
        assert self.turned(40, weights=np.r_[np.zeros(24), np.ones(26)])

    def test_a_hole_does_not_compare(self):
        joined = OverlapAdd(100, align_sign=True)
        joined.add(0, WAVE[:15], np.ones(15))
        joined.add(60, WAVE[60:100], np.ones(40))
        joined.add(0, -WAVE[:50], np.ones(50))
        assert joined.flipped == 0

    def test_a_flat_window_has_no_sign(self):
        joined = OverlapAdd(100, align_sign=True)
        for samples in (np.zeros(50), -WAVE[:50], np.zeros(50)):
            joined.add(0, samples, np.ones(50))
        assert joined.flipped == 0

    def test_the_mean_of_the_windows_so_far_is_compared(self):
        """Weights of what is there divide out: two windows of unlike weight, the heavier says the sign."""
        joined = OverlapAdd(100, align_sign=True)
        joined.add(0, WAVE[:50], np.linspace(1, 100, 50))
        joined.add(0, -WAVE[:50], np.ones(50))
        assert joined.flipped == 1
        ((_, samples),) = joined.take(50)
        np.testing.assert_allclose(samples, WAVE[:50], atol=1e-6)


@pytest.mark.parametrize(("n", "edge"), [(20, 5), (21, 5), (10, 5), (9, 20), (7, 0), (1, 3)])
def test_a_taper_is_a_raised_cosine_at_both_ends(n, edge):
    taper = edge_taper(n, edge)
    edge = min(edge, n // 2)
    assert len(taper) == n and taper.min() > 0
    np.testing.assert_array_equal(taper, taper[::-1])
    assert (taper[edge : n - edge] == 1).all()
    for i in range(edge):
        assert taper[i] == pytest.approx(np.sin(np.pi / 2 * (i + 1) / (edge + 1)) ** 2)


@pytest.mark.parametrize("weights", [np.ones(4), np.ones((3, 1))])
def test_shapes_must_agree(weights):
    with pytest.raises(ValueError, match="samples and weights"):
        OverlapAdd(1).add(0, np.ones(3), weights)
    with pytest.raises(ValueError, match="samples and weights"):
        OverlapAdd(1).add(0, np.ones((3, 1)), np.ones((3, 1)))
