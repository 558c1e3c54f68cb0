"""A family of networks: the crop's mean colour, and one learned filter over it in time."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from rppg_ros.models.blocks import RGB_CHANNELS, check_clip
from rppg_ros.models.norm import InstanceNorm
from rppg_ros.models.registry import Family
from rppg_ros.types import Vital


@dataclass(frozen=True, kw_only=True)
class TinyConfig:
    """Its fields are the options of `--set` and of a run's YAML file."""

    pixels: int = 36
    reach: int = 15

    cameras: ClassVar = ("rgb",)
    tasks: ClassVar = (Vital.BVP,)
    frames_multiple: ClassVar = 1
    min_frames: ClassVar = 15
    pad_frames: ClassVar = 0

    def __post_init__(self) -> None:
        if self.reach < 1 or self.reach % 2 == 0:
            raise ValueError(f"reach must be odd and at least 1, not {self.reach}")

    @property
    def variant(self) -> str:
        return f"RGB_{self.pixels}_{self.reach}"


class Tiny(nn.Module):
    """(B, 3, T, S, S), raw pixels, to {Vital.BVP: (B, T)}."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        self.norm = InstanceNorm()
        self.filter = nn.Conv1d(RGB_CHANNELS, 1, config.reach, padding=config.reach // 2, bias=False)

    def forward(self, x, targets=None, attend=None):
        check_clip(x, "tiny", self.config)
        colour = self.norm(x.mean(dim=(3, 4), keepdim=True))
        return {Vital.BVP: self.filter(colour[..., 0, 0]).squeeze(1)}


TINY = Family(
    name="tiny",
    summary="pulse by one filter over the mean colour",
    variants="crops of any size; reach of the filter in frames",
    config=TinyConfig,
    network=Tiny,
    frames=150,
)
