"""How large a network's wave is: as large as it is likely to be right, so that it is faint where nobody lives.

Correlation has no scale, and the norms of a network take away what says how loud a pulse was. So the wave is standardised, and
then multiplied by the correlation with the truth that it can be expected to have. That follows from what a pulse has and the
remains of movement, light and noise have not: one narrow peak, and features in many places that go with it. It is learnt by the
mean square of what is left of the truth (losses.level_loss), whose least is just this expectation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from rppg_ros.models.stream_state import MEMORY_FRAMES, RunningMean, StreamState
from rppg_ros.types import Vital

EPS = 1e-6
YOUNG = 1e-3  # least variance of a stream's wave: its first samples have hardly any, and would be blown up
FLOOR = 1e-3  # of a share of the power, times the number of tones
HIDDEN = 32
SURE = 1.0  # of the logit before anything is learnt
SHORTEST = 0.25  # of a training window, as a clip's first windows are


@dataclass(frozen=True, slots=True)
class Tones:
    """Frequencies at which a wave is looked at: so many, evenly from low to high, cycles a frame."""

    low: float
    high: float
    count: int

    def every(self, step: int) -> Tones:
        """The same frequencies for a wave with one sample in so many frames."""
        return Tones(self.low * step, self.high * step, self.count)

    def radians(self, like: Tensor) -> Tensor:
        """Angle that each turns in a frame, (count,)."""
        return 2 * torch.pi * torch.linspace(self.low, self.high, self.count, dtype=like.dtype, device=like.device)


# On the shipped networks' clock of 15 Hz, 36 to 216 and 5 to 48 per minute.
TONES = {Vital.BVP: Tones(0.04, 0.24, 64), Vital.RSP: Tones(0.0055, 0.0535, 32)}


class Expectation(nn.Module):
    """The correlation to expect, 0 to 1, from the shape of a spectrum and from how features go with the wave.

    Parameters
    ----------
    features : numbers beside the spectrum.
    """

    def __init__(self, tones: int, features: int) -> None:
        super().__init__()
        self.first = nn.Linear(tones + features, HIDDEN)
        self.second = nn.Linear(HIDDEN, HIDDEN // 2)
        self.last = nn.Linear(HIDDEN // 2, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.constant_(self.last.bias, SURE)

    def forward(self, power: Tensor, features: Tensor) -> Tensor:
        """Power at each tone (..., tones) and features (..., F) to (...)."""
        tones = power.shape[-1]
        share = power / (power.sum(dim=-1, keepdim=True) + EPS)
        shape = (tones * share + FLOOR).log().topk(tones, dim=-1).values  # wherever the peak is
        seen = torch.cat([shape / 3, 3 * features], dim=-1)
        hidden = torch.tanh(self.second(torch.tanh(self.first(seen))))
        return torch.sigmoid(self.last(hidden)).squeeze(-1)


class ClipLevel(nn.Module):
    """Level of a window's wave.

    Parameters
    ----------
    tones : where the vital's rate can lie.
    channels : of the features.
    """

    def __init__(self, tones: Tones, channels: int) -> None:
        super().__init__()
        self.tones = tones
        self.expectation = Expectation(tones.count, 2 * channels)

    def forward(self, wave: Tensor, features: Tensor) -> Tensor:
        """The wave (B, T), and features (B, C, T', H, W) with T a multiple of T', to (B, T): standardised, times the expectation.

        While training the expectation comes from a random part of the window: it must hold for short ones too.
        """
        with torch.autocast(wave.device.type, enabled=False):
            wave, features = _wide(wave), _wide(features.detach())
            deviation = wave - wave.mean(dim=1, keepdim=True)
            standard = deviation * torch.rsqrt((deviation * deviation).mean(dim=1, keepdim=True) + EPS)
            stride = wave.shape[1] // features.shape[2]
            part = _part(features.shape[2]) if self.training else slice(None)
            heard = standard.detach()
            sparse = functional.avg_pool1d(heard.unsqueeze(1), stride).squeeze(1)[:, part]
            if self.training:
                heard = heard[:, part.start * stride : part.stop * stride]
            return standard * self.expectation(self._power(heard), _agreement(sparse, features[:, :, part]))[:, None]

    def _power(self, wave: Tensor) -> Tensor:
        """(B, T) to the power at each tone (B, tones), under a Hann window."""
        frames = torch.arange(wave.shape[1], dtype=wave.dtype, device=wave.device)
        window = torch.sin(torch.pi * (frames + 0.5) / wave.shape[1]) ** 2
        angle = frames[:, None] * self.tones.radians(wave)[None]
        heard = (wave - wave.mean(dim=1, keepdim=True)) * window
        return (heard @ angle.cos()) ** 2 + (heard @ angle.sin()) ** 2


def _wide(x: Tensor) -> Tensor:
    """At least float32: powers and correlations have no digits left in half precision."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _part(frames: int) -> slice:
    length = int(torch.empty(1).uniform_(SHORTEST, 1.0).item() * frames)
    first = int(torch.randint(0, frames - length + 1, (1,)).item())
    return slice(first, first + length)


def _agreement(wave: Tensor, features: Tensor) -> Tensor:
    """Correlations of features (B, C, T, H, W) with a wave (B, T): by channel their mean over places, and spread, (B, 2 C)."""
    places = features.flatten(3)
    places = places - places.mean(dim=2, keepdim=True)
    heard = wave - wave.mean(dim=1, keepdim=True)
    both = torch.einsum("bctp,bt->bcp", places, heard)
    scale = (places * places).sum(dim=2) * (heard * heard).sum(dim=1)[:, None, None]
    correlation = both * torch.rsqrt(scale + EPS)
    mean = correlation.mean(dim=2)
    spread = ((correlation - mean[:, :, None]) ** 2).mean(dim=2).sqrt()
    return torch.cat([mean, spread], dim=1)


class RunningLevel(nn.Module):
    """Level of a stream's wave: all it rests on are means of the frames so far.

    Parameters
    ----------
    tones : where the vital's rate can lie.
    features : a stream's features, without places.
    """

    def __init__(self, tones: Tones, features: int) -> None:
        super().__init__()
        self.mean, self.power = RunningMean(), RunningPower(tones)
        self.expectation = Expectation(tones.count, features)

    def forward(self, wave: Tensor, features: Tensor, stream: StreamState) -> Tensor:
        """The wave (B, T) and features (B, F, T) to (B, T): less its mean, over its deviation of late, times the expectation."""
        with torch.autocast(wave.device.type, enabled=False):
            wave, features = _wide(wave).unsqueeze(1), _wide(features.detach())
            heard = wave.detach()
            moments = torch.cat([heard, heard * heard, features, features * features, heard * features], dim=1)
            count = features.shape[1]
            mean, square, level, squares, both = self.mean(moments, stream).split([1, 1, count, count, count], dim=1)
            variance = (square - mean * mean).clamp_min(0) + YOUNG
            spread = (squares - level * level).clamp_min(0) + EPS
            agreement = (both - mean * level) * torch.rsqrt(variance * spread)
            power = self.power((heard - mean) * torch.rsqrt(variance), stream)
            expected = self.expectation(power.transpose(1, 2), agreement.transpose(1, 2))
            return ((wave - mean) * torch.rsqrt(variance)).squeeze(1) * expected


class RunningPower(nn.Module):
    """Power of a wave at some tones, over the past that forgets as a RunningMean does."""

    def __init__(self, tones: Tones, memory: int = MEMORY_FRAMES) -> None:
        super().__init__()
        self.tones = tones
        self.decay = 1.0 - 1.0 / memory

    def forward(self, wave: Tensor, stream: StreamState) -> Tensor:
        """(B, 1, T) to (B, tones, T), up to each frame, that frame included."""
        before = stream.take(
            wave, 2, self.tones.count
        )  # parts in phase and out of phase with tones that begin at the last frame
        age = torch.arange(wave.shape[2], device=wave.device, dtype=wave.dtype)
        lag = age.unsqueeze(1) - age.unsqueeze(0)
        weights = self.decay ** lag.clamp_min(0) * (lag >= 0)
        turn = self.tones.radians(wave)[:, None, None] * lag  # (tones, T, T)
        real = ((turn.cos() * weights) @ wave.transpose(1, 2).unsqueeze(1)).squeeze(-1)
        imaginary = ((turn.sin() * weights) @ wave.transpose(1, 2).unsqueeze(1)).squeeze(-1)
        faded = self.decay ** (age + 1)
        later = self.tones.radians(wave)[:, None] * (age + 1)
        cos, sin = later.cos() * faded, later.sin() * faded
        real = real + before[:, 0, :, None] * cos - before[:, 1, :, None] * sin
        imaginary = imaginary + before[:, 0, :, None] * sin + before[:, 1, :, None] * cos
        stream.keep(torch.stack([real[:, :, -1], imaginary[:, :, -1]], dim=1))
        return real * real + imaginary * imaginary
