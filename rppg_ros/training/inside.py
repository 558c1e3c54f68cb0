"""A picture of what a network sees in a clip of a recording: its face, and maps over it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rppg_ros.datasets.base import NoTruthError, Recording, Trace, Truth
from rppg_ros.models.inside import Map, look_inside
from rppg_ros.models.saved import Saved
from rppg_ros.sources.demo import DemoSource
from rppg_ros.training.crops import CropSpec, load_crops, make_crops
from rppg_ros.training.data import WindowSpec
from rppg_ros.training.recording_set import TrainingError
from rppg_ros.training.windows import RecordedWindows
from rppg_ros.types import NS_PER_S, Vital

COLUMNS = 4
BY_ITSELF = "the network's own wave"


def picture(saved: Saved, recording: Recording, path: Path, start_s: float = 0.0) -> list[Map]:
    """Write a PNG of the maps over the mean face of one window.

    The crops are made in a folder of their own, and removed.

    Parameters
    ----------
    start_s : the window begins there or as soon after it as there is one.

    Raises
    ------
    TrainingError : no such stretch of one face; DatasetError, SourceError : of the recording.
    """
    clip, waves, known = _window(saved, recording, start_s)
    if not known:
        with torch.no_grad():
            waves = {vital: wave[0] for vital, wave in saved.network(clip).items()}
    maps = look_inside(saved.network, clip, waves, saved.provenance.rate_hz)
    _draw(maps, clip, f"{saved.network.config.variant} on {recording.name}", known, path)
    return maps


def _window(saved: Saved, recording: Recording, start_s: float) -> tuple[Tensor, dict[Vital, Tensor], bool]:
    """A clip (1, C, T, S, S), waves (T,), and whether they are true ones."""
    config, about = saved.network.config, saved.provenance
    spec = WindowSpec.of(config, about.frames, rate_hz=about.rate_hz)
    truth = _truth(recording)
    known = set(config.tasks) <= set(truth.waves)
    with tempfile.TemporaryDirectory() as folder:
        cut = CropSpec(pixels=config.pixels, thermal="thermal" in config.cameras)
        make_crops(recording, truth, cut, Path(folder) / "crops")
        crops = load_crops(Path(folder) / "crops")
        found = RecordedWindows([crops] if crops else [], spec, config.tasks if known else (), flip=False)
        first = round(start_s * about.rate_hz)
        rows = found.first_from(first)
        if rows is None:
            seconds = (about.frames + config.pad_frames) / about.rate_hz
            raise TrainingError(f"{recording.name}: from {start_s:g} s on nowhere {seconds:.1f} s of one face")
        clip, waves = found.cut(*rows, flipped=False)
    return clip[None], {vital: waves[vital].nan_to_num() for vital in config.tasks}, known


def _truth(recording: Recording) -> Truth:
    with contextlib.closing(recording.open()) as source:
        if isinstance(source, DemoSource):
            at_s = np.arange(0, source.scene.seconds, 1 / 60)
            stamps = np.round(at_s * NS_PER_S).astype(np.int64)
            return Truth({vital: Trace(stamps, source.vitals.at(vital.value, at_s)) for vital in Vital})
    try:
        return recording.truth()
    except NoTruthError:
        return Truth()


def _draw(maps: Sequence[Map], clip: Tensor, title: str, known: bool, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    face = clip[0].mean(dim=1).permute(1, 2, 0).numpy()
    face = np.clip(face[..., :3] if face.shape[2] >= 3 else np.repeat(face, 3, axis=2), 0, None)  # noqa: PLR2004
    face = face / max(float(face.max()), 1.0)
    rows = -(-(len(maps) + 1) // COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(3.4 * COLUMNS, 3.4 * rows), squeeze=False, constrained_layout=True
    )
    for axis in axes.ravel():
        axis.axis("off")
    axes[0, 0].imshow(face, extent=(0, 1, 1, 0))
    axes[0, 0].set_title("mean of the crops", fontsize=8)
    for axis, one in zip(axes.ravel()[1:], maps, strict=False):
        axis.imshow(face.mean(axis=2), cmap="gray", extent=(0, 1, 1, 0))
        shown = axis.imshow(
            one.places, cmap="viridis" if one.mask else "magma", alpha=0.6, extent=(one.left, one.right, one.bottom, one.top),
            vmin=0, vmax=None if one.mask else 1,
        )  # fmt: skip
        axis.set_xlim(0, 1)
        axis.set_ylim(1, 0)
        axis.set_title(f"{one.vital}, {one.name}{'' if one.mask else ', CSIM'}", fontsize=7)
        figure.colorbar(shown, ax=axis, shrink=0.7)
    against = "the true wave" if known else BY_ITSELF
    figure.suptitle(f"{title}; CSIM against {against}", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
