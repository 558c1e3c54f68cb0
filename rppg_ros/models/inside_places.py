"""Where in the crop the places of a network's layers lie, by the arithmetic of its convolutions and poolings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from rppg_ros.models.efficientphys import EfficientPhys
from rppg_ros.models.factorizephys import FactorizePhys, Size
from rppg_ros.models.mmrphys import Branch, MMRPhys
from rppg_ros.types import Vital

CELLS = 9  # of a SlowView, along a side
PADDING = 1  # of EfficientPhys's convolutions 0 and 2, whose others have none


@dataclass(frozen=True, slots=True)
class Grid:
    """The middle of the first place, and the way from one to the next, in pixels of the crop."""

    first: float
    step: float

    @classmethod
    def of_pixels(cls, size: float = 1.0) -> Grid:
        """Of an input whose places are so many pixels wide."""
        return cls(size / 2, size)

    def through(self, kernel: int, stride: int, padding: int) -> Grid:
        """Behind a convolution or pooling."""
        return Grid(self.first + ((kernel - 1) / 2 - padding) * self.step, self.step * stride)

    def extent(self, count: int, side: int) -> tuple[float, float]:
        """Where `count` places begin and end, as shares of the crop's side."""
        begin = self.first - self.step / 2
        return begin / side, (begin + count * self.step) / side


def grids(network: nn.Module) -> dict[str, Grid]:
    """By the name of a layer whose input (an attention's or a mask's), or last input (a branch's), lies on the grid.

    Layers that are not there lie on all of the crop: their networks pad, and lose nothing at the rim.
    """
    found: dict[str, Grid] = {}
    slow_px = network.config.pixels / CELLS if isinstance(network, MMRPhys) and network.slow is not None else 1.0
    for name, module in network.named_modules():
        if isinstance(module, Branch):
            cells = slow_px if name.endswith(Vital.RSP.value) else 1.0
            grid = _convolved(module.streams[0].modules(), Grid.of_pixels(cells))
            found |= {name: grid, f"{name}.attention": grid}
        if isinstance(module, FactorizePhys):
            early = _convolved(module.extractor.modules(), Grid.of_pixels())
            late = _convolved(module.head.modules(), early)
            found |= {name: late, "attention": early if module.config.size is Size.BIG else late}
        if isinstance(module, EfficientPhys):
            found |= _of_efficientphys(module)
    return found


def _convolved(layers: Iterable[nn.Module], grid: Grid) -> Grid:
    """Behind convolutions, in the order of their registration."""
    for layer in layers:
        if isinstance(layer, nn.Conv3d):
            grid = grid.through(layer.kernel_size[2], layer.stride[2], int(layer.padding[2]))
    return grid


def _of_efficientphys(network: EfficientPhys) -> dict[str, Grid]:
    grid, found = Grid.of_pixels(), {}
    for i in range(len(network.convs)):
        grid = grid.through(3, 1, PADDING * (1 - i % 2))
        found[f"masks.{i}"] = found[""] = grid
        if i in network.config.pooled_after:
            grid = grid.through(2, 2, 0)
    found["attention"] = grid
    return found
