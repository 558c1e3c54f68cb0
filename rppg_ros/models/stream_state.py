"""What causal layers remember between chunks of a stream, and the layers built on it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rppg_ros.models.norm import INSTANCE_NORM_EPS, InstanceNorm

MEMORY_FRAMES = 128
"""Frames after which a running mean has forgotten to 1/e: about 4 s of camera, well below the slowest pulse."""


class StreamState:
    """Carries the memory of a network's causal layers, in the order in which they run.

    Layers `take` what they kept at the end of the chunk before (zeros at the beginning of a stream) and `keep` what they
    need for the next chunk. So a stream may be cut into chunks of any lengths, down to one frame, without any change in
    what comes out.

    Parameters
    ----------
    past : what was kept of the chunk before, in order; None at the beginning.
    """

    def __init__(self, past: Sequence[Tensor] | None = None) -> None:
        self._past = None if past is None else list(past)
        self.kept: list[Tensor] = []

    def take(self, like: Tensor, *shape: int) -> Tensor:
        """The next piece of the past; zeros (B, *shape) at the beginning, of the batch and type of `like`."""
        if self._past is None:
            return like.new_zeros((like.shape[0], *shape))
        past = self._past[len(self.kept)]
        if tuple(past.shape[1:]) != shape:
            raise ValueError(f"state {len(self.kept)} is {tuple(past.shape)}, not (B, {', '.join(map(str, shape))})")
        return past

    def keep(self, memory: Tensor) -> None:
        """Remember for the next chunk; once after each `take`."""
        self.kept.append(memory)


class CausalConv(nn.Module):
    """A convolution in time that looks `reach` frames back and none ahead.

    Parameters
    ----------
    conv : without padding in time; time is axis 2 of its input.
    """

    def __init__(self, conv: nn.Module, reach: int) -> None:
        super().__init__()
        self.conv = conv
        self.reach = reach

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, C, T, ...) to (B, C', T, ...)."""
        shape = (x.shape[1], self.reach, *x.shape[3:])
        seen = torch.cat([stream.take(x, *shape), x], dim=2)
        stream.keep(seen[:, :, -self.reach :])
        return self.conv(seen)


class RunningMean(nn.Module):
    """Mean of the past that forgets: weights fall by 1/e in MEMORY_FRAMES; exact from the first frame on."""

    def __init__(self, memory: int = MEMORY_FRAMES) -> None:
        super().__init__()
        self.decay = 1.0 - 1.0 / memory

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, K, T) to the mean up to each frame, that frame included, (B, K, T)."""
        if torch.is_autocast_enabled(x.device.type):  # its 8 bits are too few for a mean that a pulse is held against
            with torch.autocast(x.device.type, enabled=False):
                return self._mean(x.float(), stream)
        return self._mean(x, stream)

    def _mean(self, x: Tensor, stream: StreamState) -> Tensor:
        before = stream.take(x, x.shape[1] + 1).unsqueeze(2)  # sums, and how much was summed
        age = torch.arange(x.shape[2], device=x.device, dtype=x.dtype)
        lag = age.unsqueeze(1) - age.unsqueeze(0)
        weights = self.decay ** lag.clamp_min(0) * (lag >= 0)
        faded = self.decay ** (age + 1)
        sums = x @ weights.transpose(0, 1) + before[:, :-1] * faded
        counts = weights.sum(dim=1) + before[:, -1:] * faded
        stream.keep(torch.cat([sums[:, :, -1], counts[:, :, -1]], dim=1))
        return sums / counts


class RunningNorm(nn.Module):
    """Instance norm whose mean and variance are those of the frames so far: no look ahead, no parameters."""

    def __init__(self, channels: int, memory: int = MEMORY_FRAMES) -> None:
        super().__init__()
        self.channels = channels
        self.running = RunningMean(memory)

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, C, T, H, W) to the same shape; float32 under mixed precision, where a variance would have no digits left."""
        if torch.is_autocast_enabled(x.device.type):
            x = x.float()
        moments = torch.cat([x.mean(dim=(3, 4)), (x * x).mean(dim=(3, 4))], dim=1)
        mean, square = self.running(moments, stream).split(self.channels, dim=1)
        scale = torch.rsqrt((square - mean * mean).clamp_min(0) + INSTANCE_NORM_EPS)
        return (x - mean[..., None, None]) * scale[..., None, None]


class ClipNorm(nn.Module):
    """Instance norm over the whole clip, in the place of a RunningNorm where looking ahead is allowed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = InstanceNorm()

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, C, T, H, W) to the same shape."""
        return self.norm(x)


class ClipMean(nn.Module):
    """Mean over the whole clip, in the place of a RunningMean where looking ahead is allowed."""

    def forward(self, x: Tensor, stream: StreamState) -> Tensor:
        """(B, K, T) to (B, K, 1)."""
        return x.mean(dim=2, keepdim=True)
