"""Training windows that all variants of a study share, kept in files: made once, as rppg_ros.training.data makes them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from rppg_ros.training.data import Example, WindowSpec, synthetic_window
from rppg_ros.types import Vital

TENTHS = 10  # of a grey level, and of a count: finer than any camera
SEEDS_OF_A_RUN = 1_000_000
FIRST = 1_000_000_000  # beyond those of the shipped runs


class KeptWindows(Dataset[Example]):
    """`count` windows of a spec, of one seed; made where they are not there yet.

    Parameters
    ----------
    folder : to keep them in.
    """

    def __init__(self, spec: WindowSpec, seed: int, count: int, folder: Path) -> None:
        about = json.dumps(asdict(spec), sort_keys=True) + f"/{seed}"
        path = folder / f"windows-{hashlib.sha256(about.encode()).hexdigest()[:12]}-{count}"
        if not path.with_suffix(".waves.npy").is_file():
            _make(spec, FIRST + seed * SEEDS_OF_A_RUN, count, path)
        self._clips = np.load(path.with_suffix(".clips.npy"), mmap_mode="r")
        self._waves = np.load(path.with_suffix(".waves.npy"))
        self.change = lambda index, waves: waves  # what a study does to the truth

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> Example:
        clip = self._clips[index].astype(np.float32) / TENTHS
        waves = {vital.value: torch.from_numpy(self._waves[index, i].copy()) for i, vital in enumerate(Vital)}
        return torch.from_numpy(clip), self.change(index, waves)


def _make(spec: WindowSpec, first: int, count: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    clips, waves = None, np.zeros((count, len(Vital), spec.frames), np.float32)
    part = path.with_suffix(".part.npy")
    for index in range(count):
        clip, truth = synthetic_window(spec, first + index)
        if clips is None:
            clips = np.lib.format.open_memmap(part, "w+", np.uint16, (count, *clip.shape))
        clips[index] = np.clip(np.rint(clip.numpy() * TENTHS), 0, 65535)
        waves[index] = np.stack([truth[vital].numpy() for vital in Vital])
    part.rename(path.with_suffix(".clips.npy"))
    np.save(path.with_suffix(".waves.npy"), waves)


def smoothed(index: int, waves: dict[str, Tensor], sigma: float = 3.0) -> dict[str, Tensor]:
    """The truth as a sum of Gaussian radial basis functions (one a sample, `sigma` samples wide), as the authors' RBF option
    spreads it: what is sharper than they are is lost."""
    reach = int(4 * sigma)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum())[None, None]
    padded = {k: torch.nn.functional.pad(w[None, None], (reach, reach), mode="reflect") for k, w in waves.items()}
    return {k: torch.nn.functional.conv1d(w, kernel)[0, 0] for k, w in padded.items()}


def noisy(index: int, waves: dict[str, Tensor]) -> dict[str, Tensor]:
    """White noise as strong as the wave itself."""
    generator = torch.Generator().manual_seed(index)
    return {k: w + w.std() * torch.randn(w.shape, generator=generator) for k, w in waves.items()}


def shifted(index: int, waves: dict[str, Tensor], most: int = 3) -> dict[str, Tensor]:
    """Late or early by up to `most` samples, another each time: the contact sensor's clock is off."""
    by = int(torch.randint(-most, most + 1, (1,), generator=torch.Generator().manual_seed(index)))
    return {k: torch.roll(w, by) for k, w in waves.items()}


def gapped(index: int, waves: dict[str, Tensor], share: float = 0.25) -> dict[str, Tensor]:
    """A quarter of the wave is flat: the contact sensor slipped."""
    generator, out = torch.Generator().manual_seed(index), {}
    for name, wave in waves.items():
        length = int(share * len(wave))
        begin = int(torch.randint(0, len(wave) - length, (1,), generator=generator))
        flat = wave.clone()
        flat[begin : begin + length] = wave[begin]
        out[name] = flat
    return out
