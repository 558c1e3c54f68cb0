"""How far places of a clip move: optical flow of cells by least squares (Lucas and Kanade 1981), for a branch that breathes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from rppg_ros.inference.card import CHANNEL_COUNTS
from rppg_ros.models.norm import InstanceNorm

DAMPING = 0.3  # grey levels squared per pixel squared: a flat cell has no say
FLOW_CHANNELS = 2
LIMIT = 3.0  # standard deviations: a jerk is a hundred breaths


class CellFlow(nn.Module):
    """Flow of square cells of RGB frames.

    Parameters
    ----------
    cell : side of a cell, pixels.
    """

    def __init__(self, cell: int) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        """Raw pixels (B, 3 or more, T+1, S, S), RGB first, to (B, 2, T, S / cell, S / cell): x and y, pixels a frame.

        In a cell and its neighbours, d minimises the sum of (I_x d_x + I_y d_y + I_t)^2 + DAMPING |d|^2.
        """
        grey = x[:, : CHANNEL_COUNTS["rgb"]].mean(dim=1, keepdim=True)
        step = grey[:, :, 1:] - grey[:, :, :-1]
        middle = functional.pad((grey[:, :, 1:] + grey[:, :, :-1]) / 2, (1, 1, 1, 1, 0, 0), mode="replicate")
        across = (middle[..., 1:-1, 2:] - middle[..., 1:-1, :-2]) / 2
        down = (middle[..., 2:, 1:-1] - middle[..., :-2, 1:-1]) / 2
        products = torch.cat([across * across, down * down, across * down, across * step, down * step], dim=1)
        xx, yy, xy, xt, yt = self._gathered(products).split(1, dim=1)
        xx, yy = xx + DAMPING, yy + DAMPING
        determinant = xx * yy - xy * xy
        return torch.cat([(xy * yt - yy * xt) / determinant, (xy * xt - xx * yt) / determinant], dim=1)

    def _gathered(self, maps: Tensor) -> Tensor:
        """Means (B, C, T, S / cell, S / cell) over each cell and its neighbours."""
        means = functional.avg_pool3d(maps, (1, self.cell, self.cell))
        return functional.avg_pool3d(means, (1, 3, 3), 1, (0, 1, 1), count_include_pad=False)


class SlowView(nn.Module):
    """What a breathing branch sees of a clip: every so many frames, how cells changed and how far they moved.

    A breath takes seconds and lifts shoulders by a hundredth of a face; between two frames it is nothing, and a change of
    brightness does not say which way an edge went.

    Parameters
    ----------
    cell : side of a cell, pixels.
    step : frames that are averaged to one.
    """

    def __init__(self, cell: int, step: int) -> None:
        super().__init__()
        self.cell, self.step = cell, step
        self.flow = CellFlow(cell)
        self.norm = InstanceNorm()

    def forward(self, x: Tensor) -> Tensor:
        """Raw pixels (B, C, T+1, S, S), the last frame a pad, to (B, C+2, T // step, S / cell, S / cell), within +-LIMIT."""
        means = functional.avg_pool3d(x[:, :, :-1], (self.step, 1, 1))
        means = torch.cat([means, means[:, :, -1:]], dim=2)
        cells = functional.avg_pool3d(means, (1, self.cell, self.cell))
        seen = torch.cat([cells[:, :, 1:] - cells[:, :, :-1], self.flow(means)], dim=1)
        return self.norm(seen).clamp(-LIMIT, LIMIT)

    def targets(self, wave: Tensor) -> Tensor:
        """(B, T) to (B, T // step)."""
        return functional.avg_pool1d(wave.unsqueeze(1), self.step).squeeze(1)

    def at_frames(self, wave: Tensor) -> Tensor:
        """(B, T // step) to (B, T), interpolated between the middles of what was averaged."""
        return functional.interpolate(wave.unsqueeze(1), scale_factor=float(self.step), mode="linear").squeeze(1)
