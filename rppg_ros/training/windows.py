"""Windows of recordings: at a seeded place, put on a network's clock by the lines that do it at run time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from rppg_ros.evaluation.protocols import on_clock
from rppg_ros.inference.clips import Window
from rppg_ros.inference.onnx_engine import THERMAL_COUNTS_PER_DEGREE
from rppg_ros.sync.resample import grid_ns
from rppg_ros.training.crops import Crops
from rppg_ros.training.data import Example, SyntheticWindows, WindowSpec
from rppg_ros.training.mixing import mix
from rppg_ros.types import NS_PER_S, Vital
from rppg_ros.vitals.filters import standardise

Row = tuple[int, int, int, int]
"""Of Crops.clips: first and last + 1 of a clip's RGB and thermal frames."""
SALT = 0xC20B5  # recorded windows draw other numbers than made-up ones of the same seed


@dataclass(frozen=True, slots=True)
class _Clip:
    """A stretch of a recording; `starts` are the points of its clock at which a window may begin."""

    crops: Crops
    row: Row
    starts: np.ndarray

    @property
    def start_ns(self) -> int:
        return int(self.crops.rgb_stamps_ns[self.row[0]])


class RecordedWindows:
    """Windows of some recordings; each place in them is as likely as another.

    Parameters
    ----------
    tasks : of the network; a window has the true wave of one of them at least. None: windows are anywhere.
    flip : whether half of them are turned left to right.
    """

    def __init__(self, recordings: Sequence[Crops], spec: WindowSpec, tasks: Sequence[Vital], flip: bool) -> None:
        self._spec, self._flip = spec, flip
        clips = [_clip(crops, _row(row), spec, tasks) for crops in recordings for row in crops.clips]
        self._clips = [clip for clip in clips if len(clip.starts)]
        self._ends = np.cumsum([len(clip.starts) for clip in self._clips])

    def __len__(self) -> int:
        """Places at which a window may begin."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def draw(self, seed: int) -> tuple[Tensor, dict[Vital, Tensor]]:
        """One window as synthetic_window gives it; NaN for a wave that is not known. The same seed, the same window."""
        rng = np.random.default_rng([seed, SALT])
        place = int(rng.integers(len(self)))
        index = int(np.searchsorted(self._ends, place, side="right"))
        clip = self._clips[index]
        first = int(clip.starts[place - (int(self._ends[index - 1]) if index else 0)])
        return self.cut(index, first, self._flip and bool(rng.random() < 0.5))

    def rows(self) -> list[tuple[int, int]]:
        """Clip and first point of windows that follow one another: each place of a recording is in one at most."""
        found = []
        for index, clip in enumerate(self._clips):
            next_free = 0
            for first in clip.starts:
                if first >= next_free:
                    found.append((index, int(first)))
                    next_free = int(first) + self._spec.frames
        return found

    def first_from(self, begin_ns: int) -> tuple[int, int] | None:
        """Clip and first point of the first window that begins at a stamp or later; None: there is none."""
        later = [
            (clip.start_ns + round(int(first) * NS_PER_S / self._spec.rate_hz), index, int(first))
            for index, clip in enumerate(self._clips)
            for first in clip.starts
        ]
        found = min((one for one in later if one[0] >= begin_ns), default=None)
        return None if found is None else found[1:]

    @property
    def flips(self) -> bool:
        """Whether windows may be turned left to right."""
        return self._flip

    def cut(self, index: int, first: int, flipped: bool) -> tuple[Tensor, dict[Vital, Tensor]]:
        """The window of a clip that begins at a point of its clock."""
        clip, spec = self._clips[index], self._spec
        at_ns = grid_ns(clip.start_ns, spec.rate_hz, first, spec.frames + spec.pad_frames)
        window, waves = _cut(clip, first, at_ns, spec)
        if flipped:
            window = window[..., ::-1]
        known = {vital: torch.from_numpy(wave.astype(np.float32)) for vital, wave in waves.items()}
        return torch.from_numpy(np.ascontiguousarray(window)), known


class MixedWindows(SyntheticWindows):
    """Windows of recordings among made-up ones, by shares; see SyntheticWindows.

    Parameters
    ----------
    recorded : the recordings.
    shares : of the windows, for made-up ones and then for each of `recorded`; divided by their sum.
    """

    def __init__(
        self,
        spec: WindowSpec,
        first: int,
        count: int,
        batch: int,
        recorded: Sequence[RecordedWindows],
        shares: Sequence[float],
    ) -> None:
        super().__init__(spec, first, count, batch)
        self._recorded = tuple(recorded)
        self._sources = mix(shares, count)

    def _window(self, index: int) -> tuple[Tensor, dict[Vital, Tensor]]:
        source = int(self._sources[index])
        return super()._window(index) if source == 0 else self._recorded[source - 1].draw(self._first + index)


class PassWindows(Dataset[Example]):
    """One pass over recordings, window after window, in an order of its own: as the papers count their epochs.

    Parameters
    ----------
    seed, epoch : the order, and which windows are turned left to right, follow from them.
    """

    def __init__(self, recorded: Sequence[RecordedWindows], seed: int, epoch: int) -> None:
        rng = np.random.default_rng([seed, epoch, SALT])
        self._recorded = tuple(recorded)
        rows = [(source, *row) for source, one in enumerate(recorded) for row in one.rows()]
        self._rows = [rows[i] for i in rng.permutation(len(rows))]
        self._turned = rng.random(len(rows)) < 0.5

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> Example:
        source, index, first = self._rows[number]
        chosen = self._recorded[source]
        window, waves = chosen.cut(index, first, chosen.flips and bool(self._turned[number]))
        return window, {vital.value: wave for vital, wave in waves.items()}


def _row(numbers: np.ndarray) -> Row:
    rgb, rgb_end, warm, warm_end = (int(number) for number in numbers)
    return rgb, rgb_end, warm, warm_end


def _clip(crops: Crops, row: Row, spec: WindowSpec, tasks: Sequence[Vital]) -> _Clip:
    stamps_ns = crops.rgb_stamps_ns[row[0] : row[1]]
    points = int((int(stamps_ns[-1]) - int(stamps_ns[0])) * spec.rate_hz / NS_PER_S + 1e-6) + 1
    places = points - spec.frames - spec.pad_frames + 1
    if places < 1:
        return _Clip(crops, row, np.zeros(0, dtype=np.int64))
    at_ns = grid_ns(int(stamps_ns[0]), spec.rate_hz, 0, points)
    whole = np.full(places, not tasks)
    for vital in set(tasks) & set(crops.waves):
        wave = on_clock(crops.waves[vital], at_ns)
        gaps = np.concatenate([[0], np.cumsum(np.isnan(wave))])
        known = (gaps[spec.frames :] - gaps[: -spec.frames])[:places] == 0
        # A contact sensor that says nothing new has slipped: that is no sign that nobody lives.
        changes = np.concatenate([[0], np.cumsum(np.diff(wave) != 0)])
        whole |= known & ((changes[spec.frames - 1 :] - changes[: len(changes) - spec.frames + 1])[:places] > 0)
    return _Clip(crops, row, np.flatnonzero(whole))


def _cut(clip: _Clip, first: int, at_ns: np.ndarray, spec: WindowSpec) -> tuple[np.ndarray, dict[Vital, np.ndarray]]:
    crops, (rgb, rgb_end, warm, warm_end) = clip.crops, clip.row
    seen = Window(
        "",
        clip.start_ns,
        first,
        at_ns,
        _around(crops.rgb_stamps_ns[rgb:rgb_end], crops.rgb()[rgb:rgb_end], at_ns),
        _around(crops.thermal_stamps_ns[warm:warm_end], crops.thermal()[warm:warm_end], at_ns),
    )
    waves = {vital: _wave(crops, vital, at_ns[: spec.frames]) for vital in Vital}
    planes = [seen.rgb().transpose(3, 0, 1, 2)] if "rgb" in spec.cameras else []
    if "thermal" in spec.cameras:
        heat = seen.thermal()
        if heat is None:  # as the engines do it: a blank, and no word about what it is needed for
            heat = np.zeros((len(at_ns), spec.pixels, spec.pixels), dtype=np.float32)
            waves = {k: w if k is not Vital.RSP and planes else np.full_like(w, np.nan) for k, w in waves.items()}
        planes.append((heat * np.float32(THERMAL_COUNTS_PER_DEGREE))[None])
    return np.concatenate(planes), waves


def _around(stamps_ns: np.ndarray, images: np.ndarray, at_ns: np.ndarray) -> tuple[tuple[int, np.ndarray], ...]:
    """The frames at some times, and one or two more to each side to interpolate from."""
    period_ns = int(at_ns[1] - at_ns[0])
    low = max(0, int(np.searchsorted(stamps_ns, at_ns[0] - period_ns, side="right")) - 1)
    high = int(np.searchsorted(stamps_ns, at_ns[-1] + period_ns)) + 1
    return tuple(zip(stamps_ns[low:high].tolist(), np.asarray(images[low:high]), strict=True))


def _wave(crops: Crops, vital: Vital, at_ns: np.ndarray) -> np.ndarray:
    """Truth at some times, standardised where it is whole; all NaN where there is none."""
    if vital not in crops.waves:
        return np.full(len(at_ns), np.nan)
    wave = on_clock(crops.waves[vital], at_ns)
    if np.isfinite(wave).all():
        return standardise(wave) if np.ptp(wave) > 0 else np.full(len(at_ns), np.nan)
    return wave
