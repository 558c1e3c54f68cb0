"""The families of networks by name, ours and plug-ins': how to build one, and how to read its authors' checkpoints."""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import Any

from torch import nn

from rppg_ros.models import official_efficientphys, official_factorizephys, official_mmrphys
from rppg_ros.models.blocks import NetworkConfig
from rppg_ros.models.checkpoint import OfficialLayout
from rppg_ros.models.efficientphys import EfficientPhys, EfficientPhysConfig
from rppg_ros.models.factorizephys import FactorizePhys, FactorizePhysConfig
from rppg_ros.models.mmrphys import MMRPhys, MMRPhysConfig
from rppg_ros.models.phasenet import PhaseNet, PhaseNetConfig
from rppg_ros.models.physfsunet import PhysFSUNet, PhysFSUNetConfig
from rppg_ros.plugins import Group


@dataclass(frozen=True, slots=True)
class Family:
    """One family of networks.

    Attributes
    ----------
    summary : one line for a listing, with the paper.
    variants : what can be chosen, for a listing.
    network : class built from a `config`.
    frames, rate_hz : window and clock of its paper, used where nothing else is known.
    official : reads the layout of the authors' checkpoints; None where no weights are public.
    """

    name: str
    summary: str
    variants: str
    config: type
    network: Callable[[Any], nn.Module]
    frames: int
    official: Callable[..., OfficialLayout] | None = None
    rate_hz: float = 30.0

    def window(self, config: NetworkConfig) -> int:
        """Frames of its paper, as near as a network of that config takes."""
        return max(config.min_frames, self.frames // config.frames_multiple * config.frames_multiple)


_ALL = (
    Family(
        name="mmrphys",
        summary="pulse and breathing from RGB and thermal, TSFM attention (arXiv 2505.07013)",
        variants="size S 9, M 36, L 72; rgb, thermal or both; EF, NF or LF; bvp, rsp or both; none, fsam, tsfm; rsp_step",
        config=MMRPhysConfig,
        network=MMRPhys,
        frames=180,
        official=official_mmrphys.layout,
    ),
    Family(
        name="factorizephys",
        summary="pulse from RGB or thermal, FSAM attention (arXiv 2411.01542)",
        variants="crops of 72 or 128; rgb, thermal or both; attention none, fsam or tsfm; four foldings",
        config=FactorizePhysConfig,
        network=FactorizePhys,
        frames=160,
        official=official_factorizephys.layout,
    ),
    Family(
        name="efficientphys",
        summary="pulse by a shifted 2-D network, soft masks (arXiv 2110.04447) or FSAM (arXiv 2411.01542)",
        variants="attention sasn or fsam; crops of 36, 72, 96; rgb, thermal or both",
        config=EfficientPhysConfig,
        network=EfficientPhys,
        frames=160,
        official=official_efficientphys.layout,
    ),
    Family(
        name="phasenet",
        summary="pulse by axial swaps, a spatial filter and a gated causal TCN (arXiv 2509.24850)",
        variants="causal (runs frame by frame) or not; crops of 8 and more",
        config=PhaseNetConfig,
        network=PhaseNet,
        frames=128,
    ),
    Family(
        name="physfsunet",
        summary="pulse by fused frame differences, shifts and masks, upsampling (arXiv 2507.07795)",
        variants="crops of 16 and more",
        config=PhysFSUNetConfig,
        network=PhysFSUNet,
        frames=160,
    ),
)
FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in _ALL})


def _problem(name: str, found: object) -> str:
    if not isinstance(found, Family):
        return f"is of type {type(found).__name__}, not a Family"
    if found.name != name:  # checkpoints and cards would carry a name that nobody finds
        return f"calls itself '{found.name}'"
    return "" if is_dataclass(found.config) else "has a config that is no dataclass"


GROUP: Group[Family] = Group("rppg_ros.network_families", "model family", FAMILIES, ValueError, _problem)


def family(name: str) -> Family:
    """The family of that name; ValueError lists the known ones, or says what is wrong with a plug-in."""
    return GROUP.find(name)


def family_names() -> tuple[str, ...]:
    """Names that `family` takes, those of plug-ins last. Imports no plug-in."""
    return GROUP.names()


def configure(name: str, **options: Any) -> NetworkConfig:
    """A family's config from options; enums may be given by value, tuples as lists, both as text where it is clear.

    Raises
    ------
    ValueError : for an unknown family or option, or a value the family does not have.
    """
    chosen = family(name)
    types = typing.get_type_hints(chosen.config)
    known = [f.name for f in fields(chosen.config)]
    values = {}
    for option, value in options.items():
        if option not in known:
            raise ValueError(f"{name} has no option '{option}'; there are: {', '.join(known)}")
        try:
            values[option] = _as(types[option], value)
        except ValueError as error:
            raise ValueError(f"{name} option '{option}': {error}") from None
    return chosen.config(**values)


def build(name: str, **config: Any) -> nn.Module:
    """A new network, e.g. ``build("mmrphys", size="S", cameras=("rgb",))``; see `configure`."""
    return family(name).network(configure(name, **config))


def options_of(config: NetworkConfig) -> dict[str, Any]:
    """The config as plain values that `configure` takes and JSON can hold."""
    return {name: _plain(value) for name, value in asdict(config).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _as(wanted: Any, value: Any) -> Any:
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return wanted(value)
    if typing.get_origin(wanted) is tuple:
        items = value.replace("+", ",").split(",") if isinstance(value, str) else value
        return tuple(_as(typing.get_args(wanted)[0], item) for item in items)
    if wanted is bool and isinstance(value, str):
        if value.lower() not in ("true", "false"):
            raise ValueError(f"must be true or false, not '{value}'")
        return value.lower() == "true"
    return wanted(value) if wanted in (int, float) and isinstance(value, str) else value
