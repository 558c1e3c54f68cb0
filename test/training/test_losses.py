"""The papers' losses against their formulas, at their minima, and with gradients where they should have them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from scipy import signal, stats  # noqa: E402

from rppg_ros.training.losses import (  # noqa: E402
    HIGH_BPM,
    LOW_BPM,
    DynamicHybridLoss,
    flat_clips,
    known_clips,
    level_loss,
    mean_square,
    negative_pearson,
    power_db,
    pulse_spectrum,
    smooth_l1_multitask,
    standardised,
)
from rppg_ros.types import Vital  # noqa: E402

RATE_HZ = 30.0
waves = st.builds(
    lambda batch, frames, seed: torch.randn(
        2, batch, frames, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ),
    st.integers(1, 4),
    st.integers(4, 60),
    st.integers(0, 2**31),
)


def pulse(bpm, frames=256, phase=0.0):
    t = torch.arange(frames, dtype=torch.float64) / RATE_HZ
    return torch.sin(2 * math.pi * bpm / 60 * t + phase)[None]


@settings(deadline=None)
@given(waves=waves)
def test_negative_pearson_is_scipys(waves):
    x, y = waves
    expected = -np.mean([stats.pearsonr(a, b).statistic for a, b in zip(x, y, strict=True)])
    assert negative_pearson(x, y).item() == pytest.approx(expected, abs=1e-9)
    assert negative_pearson(x, 3 * x + 5).item() == pytest.approx(-1)
    assert negative_pearson(x, -x).item() == pytest.approx(1)


def test_negative_pearson_along_the_batch_is_what_the_release_does():
    x, y = torch.randn(2, 5, 8, dtype=torch.float64)
    expected = -np.mean([stats.pearsonr(x[:, i], y[:, i]).statistic for i in range(8)])
    assert negative_pearson(x, y, dim=0).item() == pytest.approx(expected)


def test_a_flat_line_is_uncorrelated_and_has_a_finite_gradient():
    flat = torch.zeros(1, 30, requires_grad=True)
    loss = negative_pearson(flat, pulse(70, 30).float())
    loss.backward()
    assert loss.item() == 0 and torch.isfinite(flat.grad).all()


@settings(deadline=None)
@given(waves=waves, gone=st.lists(st.booleans(), min_size=4, max_size=4))
def test_known_clips_are_those_whose_target_has_no_nan(waves, gone):
    x, y = waves
    lost = torch.tensor(gone[: len(y)])
    y = torch.where(lost[:, None] & (torch.arange(y.shape[1]) == 1), torch.nan, y)
    prediction, target = known_clips(x, y)
    assert torch.equal(prediction, x[~lost]) and torch.equal(target, y[~lost])


@settings(deadline=None)
@given(waves=waves)
def test_multitask_is_smooth_l1_of_standardised_waves_summed(waves):
    x, y = waves
    a, b = ((w - w.mean(1, keepdim=True)) / w.std(1, keepdim=True) for w in (x, y))
    distance = (a - b).abs()
    expected = torch.where(distance < 1, distance.square() / 2, distance - 0.5).mean()
    both = {Vital.BVP: x, Vital.RSP: y}
    found = smooth_l1_multitask(both, {Vital.BVP: y, Vital.RSP: x}, {Vital.RSP: 0.5})
    torch.testing.assert_close(found, 1.5 * expected)
    torch.testing.assert_close(smooth_l1_multitask(both, {Vital.BVP: y}), expected)


def test_multitask_needs_a_task_with_a_target():
    with pytest.raises(ValueError, match="no task has prediction and target: bvp against rsp"):
        smooth_l1_multitask({Vital.BVP: pulse(60)}, {Vital.RSP: pulse(60)})


def test_standardising_has_no_scale():
    x = torch.randn(2, 40)
    torch.testing.assert_close(standardised(7 * x - 3), standardised(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bpm", [50, 72, 133])
def test_spectrum_is_a_hann_periodogram_at_each_beat_per_minute(bpm):
    wave = pulse(bpm, phase=0.3) + 0.1 * pulse(90)
    found = pulse_spectrum(wave, RATE_HZ)[0].numpy()
    windowed = (wave[0] - wave[0].mean()).numpy() * signal.get_window("hann", wave.shape[1])
    hz = np.arange(LOW_BPM, HIGH_BPM) / 60
    _, response = signal.freqz(windowed, worN=hz, fs=RATE_HZ)
    expected = np.abs(response) ** 2
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-9)
    assert abs(LOW_BPM + found.argmax() - bpm) <= 1


class TestHybrid:
    """The dynamic hybrid loss."""

    loss = DynamicHybridLoss(epochs=30, rate_hz=RATE_HZ)

    def test_weight_rises_as_printed(self):
        assert self.loss.beta(1) == 1.0
        assert self.loss.beta(16) == pytest.approx(1.5**0.5)
        assert self.loss.beta(30) == pytest.approx(1.5 ** (29 / 30))

    def test_is_the_sum_of_its_terms(self):
        x, y = pulse(80, phase=1.0), pulse(75)
        found, wanted = pulse_spectrum(x, RATE_HZ), pulse_spectrum(y, RATE_HZ)
        entropy = -found[0, wanted.argmax()].log()
        rate = (self.loss.soft_peak(found) - self.loss.soft_peak(wanted)).square() / (2 * 3**2)
        expected = 1 + negative_pearson(x, y) + 1.5 ** (9 / 30) * (entropy + rate).mean()
        torch.testing.assert_close(self.loss(x, y, 10), expected)

    def test_the_toolbox_reads_the_spectrum_as_logits(self):
        loss = DynamicHybridLoss(epochs=30, rate_hz=RATE_HZ, spectrum_as_logits=True)
        found, peak = pulse_spectrum(pulse(80), RATE_HZ), torch.tensor([30])
        expected = torch.logsumexp(found, 1) - found[0, 30]
        torch.testing.assert_close(loss.cross_entropy(found, peak), expected[0])

    def test_rate_term_is_the_divergence_of_two_normal_distributions(self):
        x, y = pulse_spectrum(pulse(80), RATE_HZ), pulse_spectrum(pulse(73), RATE_HZ)
        normals = [torch.distributions.Normal(self.loss.soft_peak(s), 3.0) for s in (y, x)]
        expected = torch.distributions.kl_divergence(*normals).mean()
        torch.testing.assert_close(self.loss.rate_divergence(x, y), expected)

    @pytest.mark.parametrize("bpm", [50, 72, 100, 140])
    def test_rate_is_read_where_the_peak_is(self, bpm):
        found = LOW_BPM + self.loss.soft_peak(pulse_spectrum(pulse(bpm, 600), RATE_HZ)).item()
        assert abs(found - bpm) < 1.0

    @pytest.mark.parametrize("frames", [64, 160, 300])
    def test_truth_has_no_rate_error_however_short_the_clip(self, frames):
        spectrum = pulse_spectrum(pulse(66, frames), RATE_HZ)
        assert self.loss.rate_divergence(spectrum, spectrum).item() == 0

    def test_grows_with_the_error_of_the_rate(self):
        losses = [self.loss(pulse(72 + off), pulse(72), 1).item() for off in (0, 3, 8, 20)]
        assert losses == sorted(losses)

    @pytest.mark.parametrize("logits", [True, False])
    def test_every_term_has_a_gradient(self, logits):
        loss = DynamicHybridLoss(epochs=30, rate_hz=RATE_HZ, spectrum_as_logits=logits)
        x = pulse(90).requires_grad_()
        found, wanted = pulse_spectrum(x, RATE_HZ), pulse_spectrum(pulse(72), RATE_HZ)
        terms = (loss.cross_entropy(found, wanted.argmax(1)), loss.rate_divergence(found, wanted))
        for term in (*terms, loss(x, pulse(72), 1)):
            (gradient,) = torch.autograd.grad(term, x, retain_graph=True)
            assert torch.isfinite(gradient).all() and gradient.abs().max() > 0

    @pytest.mark.parametrize("bad", [{"epochs": 0}, {"rate_hz": 0.0}, {"sigma": 0.0}])
    def test_what_makes_no_sense_is_refused(self, bad):
        with pytest.raises(ValueError, match="must be positive"):
            DynamicHybridLoss(**{"epochs": 1, "rate_hz": RATE_HZ, **bad})


def test_the_lifeless_are_no_correlation_but_a_level():
    wave = torch.sin(torch.arange(60) * 0.3)
    target = torch.stack([wave, torch.zeros(60), torch.full((60,), 3.0), torch.full((60,), torch.nan)])
    assert flat_clips(target).tolist() == [False, True, True, False]
    prediction, known = known_clips(torch.randn(4, 60), target)
    assert len(prediction) == len(known) == 1 and torch.equal(known[0], wave)


def test_power_in_decibels_has_no_offset():
    living = torch.sin(torch.arange(100) * 0.3)[None]
    assert power_db(10 * living + 5) - power_db(living) == pytest.approx(20, abs=1e-3)


def test_level_loss_is_least_for_a_wave_as_large_as_its_correlation():
    generator = torch.Generator().manual_seed(4)
    truth = torch.sin(torch.arange(400) * 0.3)[None]
    wave = standardised(truth) + torch.randn(1, 400, generator=generator)
    wave = standardised(wave)
    r = -float(negative_pearson(wave, truth))
    assert 0.5 < r < 0.9
    sizes = np.arange(0, 1.5, 0.01)
    losses = [float(level_loss(size * wave + 7, 3 * truth - 2)) for size in sizes]
    assert sizes[int(np.argmin(losses))] == pytest.approx(r, abs=0.011), "offset and unit of the truth do not matter"
    assert float(level_loss(wave, torch.full((1, 400), 5.0))) == pytest.approx(float(wave.var()), rel=0.01), (
        "nobody lives"
    )
    assert float(level_loss(0 * wave, torch.zeros(1, 400))) == 0


def test_mean_square_is_twice_what_the_correlation_lacks():
    generator = torch.Generator().manual_seed(3)
    a, b = torch.randn(4, 200, generator=generator), torch.randn(4, 200, generator=generator)
    assert float(mean_square(5 * a + 2, b)) == pytest.approx(2 * (1 + float(negative_pearson(a, b))), rel=0.01)
    assert float(mean_square(a, a)) == pytest.approx(0, abs=1e-6)
