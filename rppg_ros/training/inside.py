"""A picture of what a network sees in a clip of a recording: its face, and maps over it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rppg_ros.datasets.base import NoTruthError, Recording, Trace, Truth
from rppg_ros.models.inside import Map, look_inside
from rppg_ros.models.saved import Saved
from rppg_ros.sources.base import RGB
from rppg_ros.sources.demo import DemoSource
from rppg_ros.training.crops import Crops, CropSpec, load_crops, make_crops
from rppg_ros.training.data import WindowSpec
from rppg_ros.training.recording_set import TrainingError
from rppg_ros.training.windows import RecordedWindows
from rppg_ros.types import NS_PER_S, Vital

COLUMNS = 4
BY_ITSELF = "the network's own wave"
MOST_SPANS = 3  # that an error names
OWNER_ONLY = 0o600


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
    shown = _window(saved, recording, start_s)
    waves = shown.waves
    if not shown.known:
        with torch.no_grad():
            waves = {vital: wave[0] for vital, wave in saved.network(shown.clip).items()}
    maps = look_inside(saved.network, shown.clip, waves, saved.provenance.rate_hz)
    last_s = shown.start_s + saved.provenance.frames / saved.provenance.rate_hz
    title = f"{saved.network.config.variant} on {recording.name}, {shown.start_s:.1f} to {last_s:.1f} s"
    _draw(maps, shown.clip, title, shown.known, path)
    return maps


@dataclass(frozen=True, slots=True)
class _Shown:
    """A clip (1, C, T, S, S), waves (T,), whether they are true ones, and where it begins in the recording, seconds."""

    clip: Tensor
    waves: dict[Vital, Tensor]
    known: bool
    start_s: float


def _window(saved: Saved, recording: Recording, start_s: float) -> _Shown:
    config, about = saved.network.config, saved.provenance
    spec = WindowSpec.of(config, about.frames, rate_hz=about.rate_hz)
    truth, begin_ns = _truth(recording)
    known = set(config.tasks) <= set(truth.waves)
    with tempfile.TemporaryDirectory() as folder:
        cut = CropSpec(pixels=config.pixels, thermal="thermal" in config.cameras)
        make_crops(recording, truth, cut, Path(folder) / "crops")
        crops = load_crops(Path(folder) / "crops")
        found = RecordedWindows([crops] if crops else [], spec, config.tasks if known else (), flip=False)
        rows = found.first_from(begin_ns + round(start_s * NS_PER_S))
        if rows is None:
            raise TrainingError(f"{recording.name}: {_why(crops, spec, start_s, begin_ns)}")
        clip, waves = found.cut(*rows, flipped=False)
    assert crops is not None  # a window was found in them
    first_ns = int(crops.rgb_stamps_ns[crops.clips[rows[0]][0]]) + round(rows[1] * NS_PER_S / spec.rate_hz)
    return _Shown(clip[None], {v: waves[v].nan_to_num() for v in config.tasks}, known, (first_ns - begin_ns) / NS_PER_S)


def _why(crops: Crops | None, spec: WindowSpec, start_s: float, begin_ns: int) -> str:
    """Why there is no window."""
    seconds = (spec.frames + spec.pad_frames) / spec.rate_hz
    if crops is None or not len(crops.clips):
        return "no face in it"
    spans = [
        (crops.rgb_stamps_ns[row[0]] - begin_ns, crops.rgb_stamps_ns[row[1] - 1] - begin_ns) for row in crops.clips
    ]
    seen = ", ".join(f"{first / NS_PER_S:.1f} to {last / NS_PER_S:.1f} s" for first, last in spans[:MOST_SPANS])
    return (
        f"from {start_s:g} s on nowhere {seconds:.1f} s of one face, as this network needs; faces are there from {seen}"
    )


def _truth(recording: Recording) -> tuple[Truth, int]:
    """What is known of the person, and the stamp of the first frame."""
    with contextlib.closing(recording.open()) as source:
        begin_ns = next((frame.stamp_ns for frame in source if frame.stream == RGB), 0)
        if isinstance(source, DemoSource):
            at_s = np.arange(0, source.scene.seconds, 1 / 60)
            stamps = np.round(at_s * NS_PER_S).astype(np.int64)
            return Truth({vital: Trace(stamps, source.vitals.at(vital.value, at_s)) for vital in Vital}), begin_ns
    try:
        return recording.truth(), begin_ns
    except NoTruthError:
        return Truth(), begin_ns


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
        axis.set_title(f"{one.name}\n{'weight, 1 is the mean' if one.mask else 'CSIM, 0 to 1'}", fontsize=7)
        figure.colorbar(shown, ax=axis, shrink=0.7)
    against = "the true wave" if known else BY_ITSELF
    figure.suptitle(f"{title}; CSIM against {against}", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, OWNER_ONLY)) as file:  # it shows a face
        figure.savefig(file, format="png", dpi=110)
    plt.close(figure)
