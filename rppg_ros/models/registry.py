"""The families of networks by name: how to build one, and how to read its authors' checkpoints."""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from torch import nn

from rppg_ros.models import official_factorizephys, official_mmrphys
from rppg_ros.models.checkpoint import OfficialLayout
from rppg_ros.models.factorizephys import FactorizePhys, FactorizePhysConfig
from rppg_ros.models.mmrphys import MMRPhys, MMRPhysConfig


@dataclass(frozen=True, slots=True)
class Family:
    """One family of networks.

    Attributes
    ----------
    summary : one line for a listing, with the paper.
    variants : what can be chosen, for a listing.
    network : class built from a `config`.
    official : reads the layout of the authors' checkpoints; None where no weights are public.
    """

    name: str
    summary: str
    variants: str
    config: type
    network: Callable[[Any], nn.Module]
    official: Callable[..., OfficialLayout] | None


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            Family(
                name="mmrphys",
                summary="pulse and breathing from RGB and thermal, TSFM attention (arXiv 2505.07013)",
                variants="sizes S 9, M 36, L 72; rgb, thermal or both; fusion EF or NF; bvp, rsp or both",
                config=MMRPhysConfig,
                network=MMRPhys,
                official=official_mmrphys.layout,
            ),
            Family(
                name="factorizephys",
                summary="pulse from RGB or thermal, FSAM attention (arXiv 2411.01542)",
                variants="crops of 72 or 128; rgb, thermal or both; attention none, fsam or tsfm",
                config=FactorizePhysConfig,
                network=FactorizePhys,
                official=official_factorizephys.layout,
            ),
        )
    }
)


def family(name: str) -> Family:
    """The family of that name; ValueError lists the known ones."""
    if name not in FAMILIES:
        raise ValueError(f"no model family '{name}'; there are: {', '.join(FAMILIES)}")
    return FAMILIES[name]


def build(name: str, **config: Any) -> nn.Module:
    """A new network, e.g. ``build("mmrphys", size="S", cameras=("rgb",))``; enums may be given by value.

    Raises
    ------
    ValueError : for an unknown family or option, or a value the family does not have.
    """
    chosen = family(name)
    types = typing.get_type_hints(chosen.config)
    known = [f.name for f in fields(chosen.config)]
    for option in config:
        if option not in known:
            raise ValueError(f"{name} has no option '{option}'; there are: {', '.join(known)}")
    return chosen.network(chosen.config(**{key: _as(types[key], value) for key, value in config.items()}))


def _as(wanted: Any, value: Any) -> Any:
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return wanted(value)
    if typing.get_origin(wanted) is tuple:
        return tuple(_as(typing.get_args(wanted)[0], item) for item in value)
    return value
