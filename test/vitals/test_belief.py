"""The filter over rates: what time does to it, what a look does, and what is read off it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.types import Vital
from rppg_ros.vitals import belief as beliefs
from rppg_ros.vitals.belief import RateBelief, believed, predicted, prior_of, smoothed, updated, weights_of
from rppg_ros.vitals.observation import ObservationModel, read_model
from rppg_ros.vitals.spectral_evidence import GRIDS

GRID = GRIDS[Vital.BVP]
RATES = GRID.rates
G = len(RATES)
BAND = (40.0, 200.0)
SWITCH = np.array([[0.97, 0.01, 0.01, 0.01], [0.02, 0.96, 0.01, 0.01], [0.0, 0.0, 1.0, 0.0], [0.1, 0.0, 0.0, 0.9]])
# One feature: the score itself, of the pulse; half of it of light, nothing of motion.
LAYERS = ((np.array([[1.0], [0.5], [0.0]]), np.zeros(3)),)
MODEL = ObservationModel(LAYERS, np.array([0.4, 0.3, 0.2, 0.1]), SWITCH, drift=2.0, jump=0.01, again=0.25, first=0.9)


def index(per_minute):
    return int(np.argmin(np.abs(RATES - per_minute)))


def sure_of(per_minute, kind=0):
    out = np.zeros(1 + 3 * G)
    out[1 + kind * G + index(per_minute)] = 1.0
    return out


def look(per_minute, score=8.0, width=3.0):
    return (score * np.exp(-(((RATES - per_minute) / width) ** 2) / 2))[:, None]


def test_before_anything_is_seen_no_rate_is_better_than_another():
    prior = prior_of(MODEL, GRID)
    assert prior[0] == 0.4 and prior.sum() == pytest.approx(1)
    for kind, mass in enumerate((0.3, 0.2, 0.1)):
        assert prior[1 + kind * G : 1 + (kind + 1) * G] == pytest.approx(mass / G)


@given(st.integers(0, 2**32 - 1))
def test_time_keeps_the_sum(seed):
    start = np.random.default_rng(seed).dirichlet(np.ones(1 + 3 * G))
    assert predicted(start, MODEL, GRID).sum() == pytest.approx(1)


def test_a_rate_wanders_and_now_and_then_jumps():
    later = predicted(sure_of(100), MODEL, GRID)[1 : 1 + G]
    assert later.sum() == pytest.approx(0.96)
    near = np.exp(-(((RATES - 100) / 2.0) ** 2) / 2)
    assert later / 0.96 == pytest.approx(0.99 * near / near.sum() + 0.01 / G)


def test_what_is_behind_a_rhythm_may_become_something_else():
    later = predicted(sure_of(100), MODEL, GRID)
    assert later[0] == pytest.approx(0.02) and later[1 + G : 1 + 2 * G] == pytest.approx(0.01 / G)
    nothing = np.eye(1, 1 + 3 * G)[0]
    later = predicted(nothing, MODEL, GRID)
    assert later[0] == pytest.approx(0.97) and later[1 : 1 + G] == pytest.approx(0.01 / G)
    assert predicted(sure_of(90, kind=1), MODEL, GRID)[1 + G : 1 + 2 * G].sum() == pytest.approx(1)


def test_a_look_multiplies():
    scores = np.zeros((G, 3))
    scores[index(70), 0], scores[index(90), 1] = math.log(3), math.log(5)
    start = np.full(1 + 3 * G, 1 / (1 + 3 * G))
    after = updated(start, scores, 1.0)
    assert after.sum() == pytest.approx(1)
    assert after[1 + index(70)] / after[0] == pytest.approx(3) and after[1 + G + index(90)] / after[0] == pytest.approx(
        5
    )
    half = updated(start, scores, 0.5)
    assert half[1 + index(70)] / half[0] == pytest.approx(math.sqrt(3))


def test_a_look_that_nothing_can_follow_changes_nothing():
    impossible = np.full((G, 3), 2000.0)
    start = np.eye(1, 1 + 3 * G)[0]
    assert np.array_equal(updated(start, impossible, 1.0), start)


def test_the_first_look_counts_in_full_and_the_next_by_what_is_new():
    one, two = RateBelief(Vital.BVP, BAND, MODEL), RateBelief(Vital.BVP, BAND, MODEL)
    one.see(look(80))
    expected = updated(prior_of(MODEL, GRID), MODEL.scores(look(80)), 0.9)
    assert one.probabilities == pytest.approx(expected)
    two.see(look(80))
    two.advance(1.0)
    two.see(look(80))
    again = updated(predicted(expected, MODEL, GRID), MODEL.scores(look(80)), 0.25)
    assert two.probabilities == pytest.approx(again)


def test_after_a_window_without_a_look_the_next_is_all_new():
    held = RateBelief(Vital.BVP, BAND, MODEL)
    held.see(look(80))
    held.advance(GRID.window_s)
    expected = held.probabilities
    held.see(look(80))
    assert held.probabilities == pytest.approx(updated(expected, MODEL.scores(look(80)), 0.9))
    soon = RateBelief(Vital.BVP, BAND, MODEL)
    soon.see(look(80))
    soon.advance(GRID.window_s - 1)
    expected = soon.probabilities
    soon.see(look(80))
    assert soon.probabilities == pytest.approx(updated(expected, MODEL.scores(look(80)), 0.25))


def test_the_belief_is_spread_by_silence():
    held = RateBelief(Vital.BVP, BAND, MODEL)
    for _ in range(5):
        held.see(look(80))
        held.advance(1.0)
    before = held.read().quality
    held.advance(8.0)
    assert held.read().quality < 0.8 * before
    held.advance(10_000.0)
    assert held.read().quality < 0.2


@given(st.integers(42, 198))
def test_what_is_seen_again_and_again_is_believed(per_minute):
    held = RateBelief(Vital.BVP, BAND, MODEL)
    for _ in range(12):
        held.see(look(per_minute))
        held.advance(1.0)
    found = held.read()
    assert found.per_minute == pytest.approx(per_minute, abs=0.5) and found.quality > 0.8
    assert found.low < per_minute < found.high


class TestRead:
    def of(self, **masses):
        """Belief by rate ("p70": pulse, "l..", "m..") and "nothing"."""
        out = np.zeros(1 + 3 * G)
        for name, mass in masses.items():
            if name == "nothing":
                out[0] = mass
            else:
                out[1 + "plm".index(name[0]) * G + index(float(name[1:]))] += mass
        return believed(out, GRID, BAND, 5.0)

    def test_one_rate(self):
        found = self.of(p70=1.0)
        assert (found.per_minute, found.quality, found.outside) == pytest.approx((70, 1, 0))
        assert found.std == pytest.approx(1 / math.sqrt(12)), "of the grid's step"

    def test_the_rate_is_where_most_belief_is_within_five(self):
        found = self.of(p70=0.3, p75=0.3, p120=0.4)
        assert found.per_minute == pytest.approx(72.5) and found.quality == pytest.approx(0.6)

    def test_quality_is_of_all_that_could_be(self):
        found = self.of(p70=0.5, l70=0.2, m90=0.1, nothing=0.2)
        assert (found.quality, found.light, found.motion, found.nothing) == pytest.approx((0.5, 0.2, 0.1, 0.2))

    def test_std_is_of_the_rate_if_it_is_right(self):
        found = self.of(p60=0.3, p64=0.3, p90=0.1, nothing=0.3)
        assert found.per_minute == pytest.approx(62)
        assert found.std == pytest.approx(math.hypot(2, 1 / math.sqrt(12)))

    def test_the_interval_is_of_the_vital_sign(self):
        found = self.of(p60=0.25, p80=0.25, nothing=0.5)
        assert found.low < 60.1 and found.high > 79

    @pytest.mark.parametrize(("rate", "outside"), [(39, 1), (40, 0), (200, 0), (201, 1), (30, 1), (230, 1)])
    def test_what_is_not_given_is_found_outside(self, rate, outside):
        assert self.of(**{f"p{rate}": 1.0}).outside == outside

    def test_nothing_at_all(self):
        found = self.of(nothing=1.0)
        assert (found.quality, found.nothing) == (0, 1) and not math.isnan(found.std)


class TestSmoothed:
    def test_the_future_helps(self):
        looks = [MODEL.scores(look(80, score)) for score in (0.0, 0.0, 8.0, 8.0, 8.0, 8.0)]
        out = smoothed(looks, MODEL, Vital.BVP)
        first = believed(out[0], GRID, BAND, 5.0)
        assert out.sum(axis=1) == pytest.approx(1)
        assert first.per_minute == pytest.approx(80, abs=2) and first.quality > 0.3

    def test_the_last_second_has_no_future(self):
        looks = [MODEL.scores(look(80)) for _ in range(4)]
        held = RateBelief(Vital.BVP, BAND, MODEL)
        for i in range(4):
            if i:
                held.advance(1.0)
            held.see(look(80))
        assert smoothed(looks, MODEL, Vital.BVP)[-1] == pytest.approx(held.probabilities)

    def test_it_is_the_exact_posterior(self, monkeypatch):
        """Against the sum over all ways, on a grid of three rates."""
        tiny = replace(GRID, low=60.0, high=62.0)
        monkeypatch.setitem(beliefs.GRIDS, Vital.BVP, tiny)
        rng = np.random.default_rng(0)
        looks = [rng.normal(size=(3, 3)) for _ in range(3)]
        states = 10
        step = np.stack([predicted(row, MODEL, tiny) for row in np.eye(states)])
        seen = [
            np.exp(np.concatenate([[0], one.T.ravel()]) * w) for one, w in zip(looks, (0.9, 0.25, 0.25), strict=True)
        ]
        start = prior_of(MODEL, tiny) * seen[0]
        joint = np.einsum("a,ab,b,bc,c->abc", start, step, seen[1], step, seen[2])
        joint /= joint.sum()
        out = smoothed(looks, MODEL, Vital.BVP)
        for second, axes in enumerate(((1, 2), (0, 2), (0, 1))):
            assert out[second] == pytest.approx(joint.sum(axis=axes))

    def test_nothing_seen_is_nothing_said(self):
        assert smoothed([], MODEL, Vital.BVP).shape[0] == 0


def test_a_model_refuses_other_features():
    with pytest.raises(ValueError, match="wants 1 features, got 2"):
        MODEL.scores(np.zeros((G, 2)))


def test_scores_are_bounded_and_cut_off_between_layers():
    layers = ((np.array([[1.0], [-1.0]]), np.zeros(2)), (np.array([[1.0, 1.0]] * 3), np.array([0.0, 1.0, 2.0])))
    model = replace(MODEL, layers=layers)
    assert model.scores(np.array([[3.0], [-4.0], [1e9]])).tolist() == [[3, 4, 5], [4, 5, 6], [20, 20, 20]]


class TestContext:
    first = (np.array([[1.0], [-1.0]]), np.zeros(2))
    second = (np.array([[1.0, 0.0]] * 2), np.array([0.5, -0.5]))
    third = (np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), np.zeros(3))

    def scores(self, context):
        model = replace(MODEL, layers=(self.first, self.second, self.third), context=context)
        return model.scores(np.array([[3.0], [-4.0], [1.0]]))

    def test_all_rates_together_are_heard_by_each(self):
        # Means of the first layer's units: 4/3, 4/3; the greatest: 3, 4.
        context = np.array([[3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
        found = self.scores(context)
        assert found[:, 0] == pytest.approx([3 + 4 + 0.5, 4.5, 1 + 4.5])
        assert found[:, 1] == pytest.approx([3 + 4 - 0.5, 3.5, 1 + 3.5])
        assert found[:, 2] == pytest.approx(0)

    def test_without_it_each_rate_is_heard_alone(self):
        assert self.scores(None)[:, 0] == pytest.approx([3.5, 0.5, 1.5])

    def test_a_file_keeps_it(self, tmp_path):
        arrays = {"weight0": self.first[0], "bias0": self.first[1], "weight1": self.second[0], "bias1": self.second[1]}
        scalars = {"drift": 2.0, "jump": 0.01, "again": 0.25, "first": 0.9}
        np.savez(tmp_path / "m.npz", **arrays, **scalars, prior=MODEL.prior, switch=SWITCH, context=np.eye(4))
        read = read_model(tmp_path / "m.npz")
        np.testing.assert_array_equal(read.context, np.eye(4))
        assert (read.drift, read.jump, read.again, read.first) == (2.0, 0.01, 0.25, 0.9) and len(read.layers) == 2
        np.savez(tmp_path / "n.npz", **arrays, **scalars, prior=MODEL.prior, switch=SWITCH)
        assert read_model(tmp_path / "n.npz").context is None


def test_a_second_without_a_look_is_time_that_passes():
    scores = MODEL.scores(look(80))
    held = RateBelief(Vital.BVP, BAND, MODEL)
    assert held.see(look(80)) == pytest.approx(scores)
    held.advance(3.0)
    held.see(look(80))
    out = smoothed([scores, None, None, scores], MODEL, Vital.BVP)
    assert out[-1] == pytest.approx(held.probabilities)


def test_after_a_gap_as_long_as_a_window_a_look_counts_in_full():
    scores, long = MODEL.scores(look(80)), round(GRID.window_s)
    looks = [scores, scores, *[None] * (long - 2), scores, *[None] * (long - 1), scores]
    weights = weights_of(looks, MODEL, GRID)
    seen = [weight for weight, one in zip(weights, looks, strict=True) if one is not None]
    assert seen == [0.9, 0.25, 0.25, 0.9]
    held = RateBelief(Vital.BVP, BAND, MODEL)
    for i, gap in enumerate((0, 1, long - 1, long)):
        if i:
            held.advance(gap)
        held.see(look(80))
    assert smoothed(looks, MODEL, Vital.BVP)[-1] == pytest.approx(held.probabilities)
