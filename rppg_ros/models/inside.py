"""Looks inside a network: where in the face its features follow the true wave (CSIM), and what its masks weigh."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rppg_ros.models.asf import AdaptiveSpatialFilter
from rppg_ros.models.attention import FactorisedAttention
from rppg_ros.models.efficientphys import EfficientPhys
from rppg_ros.models.factorizephys import FactorizePhys
from rppg_ros.models.inside_places import grids
from rppg_ros.models.mask import SoftMask
from rppg_ros.models.mmrphys import Branch
from rppg_ros.models.network import Network
from rppg_ros.models.physfsunet import PhysFSUNet
from rppg_ros.models.summed import Summed
from rppg_ros.types import Vital

LAG_S = 0.5  # a finger's pulse comes later than the face's, and layers look to both sides
EPS = 1e-12


@dataclass(frozen=True, slots=True)
class Map:
    """Something about each place of a face.

    Attributes
    ----------
    name : of the layer, and what is shown. vital : whose wave.
    places : (H, W); of CSIM 0 to 1, of a mask its weights over their mean.
    mask : whether it is one. left, top, right, bottom : where these places lie in the crop, as shares of its side.
    """

    name: str
    vital: Vital
    places: np.ndarray
    mask: bool
    left: float
    top: float
    right: float
    bottom: float


def look_inside(network: Network, clip: Tensor, waves: Mapping[Vital, Tensor], rate_hz: float) -> list[Map]:
    """Maps of a network at work on one clip.

    CSIM (arXiv 2411.01542, figure of the embeddings): the absolute cosine similarity of each feature's course in time, without
    its mean, with the wave; mean over the features of a place, at the lag (of half a second at most) that suits all places best.

    Parameters
    ----------
    clip : (1, C, T + pad, S, S), raw pixels. waves : (T,) of each task: the true ones, or where they are not known the
        network's own. TSFM looks at them, too.
    """
    whole = network.network if isinstance(network, Summed) else network
    assert isinstance(whole, nn.Module)
    whole.eval()
    seen: list[_Seen] = []
    hooks = [
        hook for name, module in whole.named_modules() for hook in _hooks(name, module, network.config.tasks, seen)
    ]
    targets = {vital: (wave - wave.mean())[None].float() for vital, wave in waves.items()}
    try:
        with torch.no_grad():
            whole(clip, targets, True)
    finally:
        for hook in hooks:
            hook.remove()
    placed, side = grids(whole), clip.shape[-1]
    maps = []
    for one in seen:
        places = _weights(one.features) if one.mask else _csim(one.features, waves[one.vital], rate_hz)
        height, width = places.shape
        grid = placed.get(one.layer)
        (left, right), (top, bottom) = (grid.extent(n, side) if grid else (0.0, 1.0) for n in (width, height))
        maps.append(Map(one.name, one.vital, places, one.mask, left, top, right, bottom))
    return maps


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a hook kept of a layer: features or a mask, (1, C, t, H, W)."""

    layer: str
    name: str
    vital: Vital
    features: Tensor
    mask: bool


def _hooks(name: str, module: nn.Module, tasks: Sequence[Vital], seen: list[_Seen]) -> list[Any]:
    """What to keep while the network runs, by what a layer is."""
    vital = next((one for one in tasks if one.value in name.split(".")), tasks[0])
    whose = {Vital.BVP: "pulse", Vital.RSP: "breath"}[vital]

    def keep(what: str, features: Tensor, mask: bool = False) -> None:
        seen.append(_Seen(name, f"{whose}: {what}", vital, _clips(features), mask))

    def before(module: nn.Module, action: Callable[[Tensor], None]) -> Any:
        """What a hook returns would take the place of the input: this one returns nothing."""

        def hook(_: nn.Module, args: tuple[Tensor, ...]) -> None:
            action(args[0])

        return module.register_forward_pre_hook(hook)

    if isinstance(module, Branch | FactorizePhys):
        return [before(module.final, lambda x: keep("features before the last layers", x))]
    if isinstance(module, FactorisedAttention):
        kind = module.kind.value.upper()
        return [
            before(module, lambda x: keep(f"features before {kind}", x)),
            module.post.register_forward_hook(lambda _, args, out: keep(f"weights of {kind}", out, mask=True)),
        ]
    if isinstance(module, AdaptiveSpatialFilter):
        return [
            before(module, lambda x: keep("features before the spatial filter", x)),
            before(module, lambda x: keep("mask of the spatial filter (ASF)", _asf(module, x), mask=True)),
        ]
    if isinstance(module, SoftMask):
        return [before(module, lambda x: keep(f"soft mask {name}", torch.sigmoid(module.conv(x)), mask=True))]
    if isinstance(module, PhysFSUNet):
        return [before(module.decoder, lambda x: keep("features before the decoder", x))]
    if isinstance(module, EfficientPhys):
        return [module.convs[-1].register_forward_hook(lambda _, args, out: keep("last features", out))]
    return []


def _asf(module: AdaptiveSpatialFilter, x: Tensor) -> Tensor:
    return module.mask(x).reshape(x.shape[0], 1, x.shape[2], x.shape[3], x.shape[4])


def _clips(x: Tensor) -> Tensor:
    """(1, C, T, H, W) of that, or of frames (T, C, H, W)."""
    return x if x.dim() == 5 else x.transpose(0, 1)[None]  # noqa: PLR2004


def _csim(features: Tensor, wave: Tensor, rate_hz: float) -> np.ndarray:
    """(H, W) of features (1, C, t, H, W) and a wave (T,)."""
    courses = features[0].detach().float()
    channels, steps, height, width = courses.shape
    target = functional.interpolate(wave[None, None].float(), size=steps, mode="linear", align_corners=False)[0, 0]
    flat = courses.permute(0, 2, 3, 1).reshape(-1, steps)
    most = min(round(LAG_S * rate_hz * steps / len(wave)), steps // 4)
    found = [_cosines(flat, target, lag).abs() for lag in range(-most, most + 1)]
    best = max(found, key=lambda one: float(one.mean()))
    places: np.ndarray = best.reshape(channels, height, width).mean(dim=0).numpy()
    return places


def _cosines(flat: Tensor, target: Tensor, lag: int) -> Tensor:
    """(n,) of courses (n, t) that come `lag` samples after the target."""
    steps = len(target)
    a = flat[:, max(lag, 0) : steps + min(lag, 0)]
    b = target[max(-lag, 0) : steps + min(-lag, 0)]
    a, b = a - a.mean(dim=1, keepdim=True), b - b.mean()
    return (a @ b) / (a.norm(dim=1) * b.norm()).clamp_min(EPS)


def _weights(mask: Tensor) -> np.ndarray:
    """(H, W): mean over channels and time, over its mean."""
    places = mask[0].detach().float().mean(dim=(0, 1))
    places = places - places.amin() if float(places.amin()) < 0 else places
    found: np.ndarray = (places / places.mean().clamp_min(EPS)).numpy()
    return found
