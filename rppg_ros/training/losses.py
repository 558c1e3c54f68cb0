"""The losses of the four papers, on waveforms (B, T)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from rppg_ros.types import Vital

EPS = 1e-8
LOW_BPM, HIGH_BPM = 45, 150


def negative_pearson(prediction: Tensor, target: Tensor, dim: int = -1) -> Tensor:
    """Minus the correlation of prediction and target, -1 (same shape) to 1, mean over what is not `dim`.

    The papers print 1 - r, which has the same gradient. Signals without any variation count as uncorrelated, 0.

    Parameters
    ----------
    prediction, target : (B, T).
    dim : time. FactorizePhys's released trainer has 0 here, the batch, against its paper; only to replicate that.
    """
    x = prediction - prediction.mean(dim=dim, keepdim=True)
    y = target - target.mean(dim=dim, keepdim=True)
    scale = (x.square().sum(dim=dim) * y.square().sum(dim=dim)).clamp_min(EPS**2).sqrt()
    return -((x * y).sum(dim=dim) / scale).mean()


def known_clips(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Those rows of prediction and target (B, T) whose target has no NaN and is not flat: (b, T) each, b from 0 to B."""
    known = told_clips(target) & ~flat_clips(target)
    return prediction[known], target[known]


def told_clips(target: Tensor) -> Tensor:
    """Which rows of a target (B, T) are known throughout, be they flat: (B,) bool."""
    return torch.isfinite(target).all(dim=-1)


def flat_clips(target: Tensor) -> Tensor:
    """Which rows of a target (B, T) are known to be without any pulse or breath: (B,) bool."""
    return told_clips(target) & ((target - target[..., :1]).abs().amax(dim=-1) == 0)


def power_db(waves: Tensor) -> Tensor:
    """Mean square of waves (B, T) about their means, decibels: (B,)."""
    deviation = waves - waves.mean(dim=-1, keepdim=True)
    return 10 * deviation.square().mean(dim=-1).clamp_min(EPS**2).log10()


def level_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean square of what a prediction (B, T) leaves of its standardised target, which is 0 where nobody lives.

    Correlations have no scale. This is least for a wave as large as the correlation that it has: 1 where it is sure, 0 where
    there is nothing to find.
    """
    centred = prediction - prediction.mean(dim=-1, keepdim=True)
    return (centred - standardised(target)).square().mean()


def standardised(waves: Tensor) -> Tensor:
    """Each (T,) of (B, T) to zero mean and unit (sample) standard deviation."""
    centred = waves - waves.mean(dim=-1, keepdim=True)
    return centred / centred.std(dim=-1, keepdim=True).clamp_min(EPS)


def smooth_l1_multitask(
    predictions: Mapping[Vital, Tensor], targets: Mapping[Vital, Tensor], weights: Mapping[Vital, float] | None = None
) -> Tensor:
    """Sum over the tasks of smooth L1 (beta 1) between standardised waveforms: MMRPhys's loss (arXiv 2505.07013).

    Parameters
    ----------
    predictions, targets : task to (B, T). A task without a target (a dataset that lacks it) adds nothing.
    weights : of each task; 1 by default, as released.

    Raises
    ------
    ValueError : when no task has both.
    """
    shared = [task for task in predictions if task in targets]
    if not shared:
        raise ValueError(f"no task has prediction and target: {_names(predictions)} against {_names(targets)}")
    parts = [
        (weights or {}).get(task, 1.0)
        * functional.smooth_l1_loss(standardised(predictions[task]), standardised(targets[task]))
        for task in shared
    ]
    return torch.stack(parts).sum()


def mean_square(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean square of the difference of standardised waves (B, T): 2 (1 - r) of each clip, whatever their units."""
    return functional.mse_loss(standardised(prediction), standardised(target))


def _names(tasks: Mapping[Vital, Tensor]) -> str:
    return ", ".join(sorted(task.value for task in tasks)) or "none"


def pulse_spectrum(waves: Tensor, rate_hz: float, low_bpm: int = LOW_BPM, high_bpm: int = HIGH_BPM) -> Tensor:
    """Share of the power at each whole beat per minute, low_bpm to high_bpm - 1, of waves (B, T): (B, bins), sums to 1.

    Hann window and a Fourier transform at just those frequencies, as in the toolbox these losses come from.
    """
    frames = waves.shape[-1]
    t = torch.arange(frames, device=waves.device, dtype=waves.dtype) / rate_hz
    bpm = torch.arange(low_bpm, high_bpm, device=waves.device, dtype=waves.dtype)
    phase = 2 * math.pi * t[:, None] * bpm[None] / 60
    windowed = (waves - waves.mean(dim=-1, keepdim=True)) * torch.hann_window(
        frames, device=waves.device, dtype=waves.dtype
    )
    power = (windowed @ phase.cos()).square() + (windowed @ phase.sin()).square()
    return power / power.sum(dim=-1, keepdim=True).clamp_min(EPS)


class DynamicHybridLoss:
    """physFSUNet's dynamic hybrid loss (arXiv 2507.07795): a L_time + b(e) (L_CE + L_HR), b(e) = lambda theta^((e-1)/E).

    L_time is 1 - r. L_CE is the cross-entropy of the prediction's spectrum against the bin of the target's peak. L_HR is
    the Kullback-Leibler divergence of N(heart rate of the target, sigma^2) from that of the prediction, which for equal
    widths is their squared difference over 2 sigma^2. Both heart rates are read by one soft maximum of the spectrum: it
    has a gradient (in the toolbox that the term comes from it has none), and a true prediction has L_HR = 0 however
    broad a short clip's spectrum is, which a soft maximum held against the hard peak has not.

    Parameters
    ----------
    epochs : E, planned in all.
    rate_hz : samples per second of the waveforms.
    alpha, lam, theta : a, lambda, theta.
    sigma : beats per minute.
    sharpness : exponent of the power in the soft maximum.
    spectrum_as_logits : feed the normalised spectrum to the cross-entropy as logits, as the toolbox does. False, as the paper
        prints it, takes it as the probabilities that it is: far steeper, but a few seconds' spectrum is broad, and what suits a
        single bin best is then not the true waveform (one clip of 4 s learnt by heart stays at r = 0.86).
    """

    def __init__(
        self,
        epochs: int,
        rate_hz: float,
        alpha: float = 1.0,
        lam: float = 1.0,
        theta: float = 1.5,
        sigma: float = 3.0,
        sharpness: float = 4.0,
        spectrum_as_logits: bool = False,
    ) -> None:
        if epochs < 1 or rate_hz <= 0 or sigma <= 0:
            raise ValueError(f"epochs, rate_hz and sigma must be positive, not {epochs}, {rate_hz}, {sigma}")
        self.epochs, self.rate_hz = epochs, rate_hz
        self.alpha, self.lam, self.theta, self.sigma = alpha, lam, theta, sigma
        self.sharpness, self.spectrum_as_logits = sharpness, spectrum_as_logits

    def beta(self, epoch: int) -> float:
        """Weight of the frequency terms in an epoch, counted from 1."""
        return self.lam * self.theta ** ((epoch - 1) / self.epochs)

    def __call__(self, prediction: Tensor, target: Tensor, epoch: int) -> Tensor:
        """Loss of waveforms (B, T) in an epoch, counted from 1."""
        time = 1 + negative_pearson(prediction, target)
        found, wanted = pulse_spectrum(prediction, self.rate_hz), pulse_spectrum(target, self.rate_hz)
        rates = self.cross_entropy(found, wanted.argmax(dim=-1)) + self.rate_divergence(found, wanted)
        return self.alpha * time + self.beta(epoch) * rates

    def cross_entropy(self, spectrum: Tensor, peak: Tensor) -> Tensor:
        """L_CE of spectra (B, bins) against peak bins (B,)."""
        logits = spectrum if self.spectrum_as_logits else spectrum.clamp_min(EPS).log()
        return functional.cross_entropy(logits, peak)

    def rate_divergence(self, found: Tensor, wanted: Tensor) -> Tensor:
        """L_HR of the prediction's and the target's spectra (B, bins)."""
        difference = self.soft_peak(found) - self.soft_peak(wanted)
        return (difference.square() / (2 * self.sigma**2)).mean()

    def soft_peak(self, spectrum: Tensor) -> Tensor:
        """Where spectra (B, bins) peak, in bins, by a softmax of their sharpened power: (B,)."""
        weights = spectrum.clamp_min(EPS).log().mul(self.sharpness).softmax(dim=-1)
        return weights @ torch.arange(spectrum.shape[-1], device=spectrum.device, dtype=spectrum.dtype)
