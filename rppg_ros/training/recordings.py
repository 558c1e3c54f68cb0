"""The recordings that a run names: found, filmed once, and shared out between training and held-out windows."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from rppg_ros.evaluation.work import RecordingRef
from rppg_ros.training.config import SHARE_TOLERANCE, TrainConfig
from rppg_ros.training.crops import Crops, CropSpec, crops_folder, load_crops, make_crops
from rppg_ros.training.data import WindowSpec
from rppg_ros.training.recording_set import RecordingSet, TrainingError
from rppg_ros.training.windows import RecordedWindows

HELD_OUT_SHARE = 0.2  # of the subjects of a set that is trained on and held out
NAMED = 10  # recordings that a warning names; the rest are counted
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What windows are drawn from, besides made-up people.

    Attributes
    ----------
    train, train_shares : windows of each set that is trained on; shares are for made-up windows first, and sum to 1.
    held_out, held_out_shares : the same for held-out windows; the sets, and made-up people where they are trained on, have
        equal parts.
    """

    train: tuple[RecordedWindows, ...]
    train_shares: tuple[float, ...]
    held_out: tuple[RecordedWindows, ...]
    held_out_shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    subject: str
    crops: Crops


def open_recorded(config: TrainConfig, cache: Path, film: bool) -> Recorded:
    """Recordings of a run, those that can be used.

    Parameters
    ----------
    cache : folder of the crops.
    film : whether recordings that are not in the cache are filmed, and those that are left out named in a warning; else only
        what is in the cache is used.

    Raises
    ------
    TrainingError : a set has no recording that can be used, cannot be divided, or is held out and trained on; names the setting.
    """
    train, held_out = [], []
    for index, chosen in enumerate(config.recordings):
        try:
            for_training, for_later = _divided(chosen, _usable(chosen, config, cache, film))
        except (ValueError, OSError) as error:
            raise TrainingError(f"recordings[{index}]: {error}") from None
        train.append(for_training)
        held_out.append(for_later)
    _check_apart(train, held_out)
    shares = [chosen.share for chosen in config.recordings]
    made_up = 1 - sum(shares) if sum(shares) < 1 - SHARE_TOLERANCE else 0.0
    parts = [1.0 if made_up or not any(held_out) else 0.0, *(1.0 for found in held_out if found)]
    return Recorded(
        tuple(_windows(found, config, config.flip) for found in train if found),
        (made_up, *(share for share in shares if share)),
        tuple(_windows(found, config, flip=False) for found in held_out if found),
        tuple(parts),
    )


def window_spec(config: TrainConfig, hardness: tuple[float, float], without: tuple[str, ...] = ()) -> WindowSpec:
    """What the network of a run wants."""
    options = {"rate_hz": config.rate_hz, "hardness": hardness, "without": without}
    options |= {"lifeless": config.lifeless, "rhythm": config.rhythm}
    return WindowSpec.of(config.network(), frames=config.frames, **options)


def _windows(found: Sequence[_Found], config: TrainConfig, flip: bool) -> RecordedWindows:
    spec = window_spec(config, config.hardness)
    return RecordedWindows([one.crops for one in found], spec, config.network().tasks, flip)


def _usable(chosen: RecordingSet, config: TrainConfig, cache: Path, film: bool) -> list[_Found]:
    refs = chosen.refs()
    network = config.network()
    spec = CropSpec(pixels=network.pixels, thermal="thermal" in network.cameras)
    found, left_out = [], {}
    with Progress(console=Console(stderr=True), transient=True, disable=not film) as progress:
        for ref in progress.track(refs, description=f"face crops of {chosen.dataset or chosen.folder}"):
            try:
                found.append(_one(ref, config, spec, cache, film))
            except (ValueError, OSError) as error:
                left_out[ref.key] = " ".join(str(error).split())
    if not found:
        raise TrainingError(f"folder: {chosen.folder}: none of its recordings can be used: {_listed(left_out)}")
    if film and left_out:
        LOG.warning("%d of %d recordings left out: %s", len(left_out), len(refs), _listed(left_out))
    return found


def _listed(reasons: dict[str, str]) -> str:
    said = [f"{name} ({reason})" for name, reason in reasons.items()]
    rest = f" and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return ", ".join(said[:NAMED]) + rest


def _one(ref: RecordingRef, config: TrainConfig, spec: CropSpec, cache: Path, film: bool) -> _Found:
    """One recording; ValueError, OSError: why it cannot be used."""
    recording = ref.recording()
    folder = crops_folder(cache, ref, spec)
    crops = load_crops(folder)
    tasks = config.network().tasks
    if crops is None and film:
        truth = recording.truth()
        if not set(tasks) & set(truth.waves):
            raise ValueError(_no_wave(config))
        make_crops(recording, truth, spec, folder)
        crops = load_crops(folder)
    if crops is None:
        raise ValueError("no crops of it")
    found = _Found(ref.key, recording.subject or ref.key, crops)
    _check(found, config)
    return found


def _check(found: _Found, config: TrainConfig) -> None:
    network = config.network()
    if not set(network.tasks) & set(found.crops.waves):
        raise ValueError(_no_wave(config))
    if not len(found.crops.clips):
        raise ValueError("no face in it")
    if network.cameras == ("thermal",) and not len(found.crops.thermal_stamps_ns):
        raise ValueError("no thermal images in it")
    if not len(_windows([found], config, flip=False)):
        seconds = (config.frames + network.pad_frames) / config.rate_hz
        raise ValueError(f"nowhere {seconds:.1f} s of one face with its true wave")


def _no_wave(config: TrainConfig) -> str:
    return f"no true {' or '.join(sorted(config.network().tasks))} wave"


def _divided(chosen: RecordingSet, found: list[_Found]) -> tuple[list[_Found], list[_Found]]:
    """Recordings to train on, and held-out ones; no subject is in both."""
    if not chosen.val:
        return found, []
    if not chosen.share:
        return [], found
    subjects = sorted({one.subject for one in found}, key=_digest)
    if len(subjects) < 2:
        raise TrainingError(f"val: needs two subjects that can be used to hold one out, there is only '{subjects[0]}'")
    later = set(subjects[: math.ceil(HELD_OUT_SHARE * len(subjects))])
    return [one for one in found if one.subject not in later], [one for one in found if one.subject in later]


def _digest(text: str) -> str:
    """An order that has nothing to do with names, and stays."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check_apart(train: Sequence[Sequence[_Found]], held_out: Sequence[Sequence[_Found]]) -> None:
    trained = {one.crops.folder: index for index, found in enumerate(train) for one in found}
    for index, found in enumerate(held_out):
        for one in found:
            if one.crops.folder in trained:
                other = trained[one.crops.folder]
                raise TrainingError(f"recordings[{index}]: val: {one.name} is trained on by recordings[{other}]")
