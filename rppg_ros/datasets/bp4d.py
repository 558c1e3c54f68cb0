"""BP4D+ (Zhang et al. 2016): images of ten tasks, 25 a second; blood pressure wave and breath at 1 kHz.

2D+3D/SUBJECT.zip (or the folder it unpacks to) with SUBJECT/TASK/NUMBER.jpg; Physiology/SUBJECT/TASK/ with "BP_mmHg.txt",
"Resp_Volts.txt", "Pulse Rate_BPM.txt" and "Respiration Rate_BPM.txt", a number a line. The finger's blood pressure wave
serves as pulse wave. The thermal recordings (Thermal/F001/T1.mv, a maker's format with a colour palette) are read where they were
turned into matrices: Thermal/F001/T1/*.npy. Or all of it as MMRPhys's authors keep it, see bp4d_matrices.
"""

from __future__ import annotations

import contextlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from rppg_ros.datasets import bp4d_matrices
from rppg_ros.datasets.base import DatasetError, Recording, Trace, Truth
from rppg_ros.datasets.frames import (
    Frames,
    Loaded,
    Stream,
    decoded,
    images,
    in_number_order,
    last_number,
    numbered_stamps,
    numbers,
)
from rppg_ros.datasets.traces import even_trace, known_rates
from rppg_ros.sources.base import RGB, THERMAL
from rppg_ros.types import Vital

RATE_HZ, SENSOR_HZ = 25.0, 1000.0
RATES_STEP = 100  # of 1 kHz: a rate changes once a beat
GENDERS = {"F": "female", "M": "male"}
IMAGES, SENSORS, HEAT = "2D+3D", "Physiology", "Thermal"
WAVES = {Vital.BVP: "BP_mmHg.txt", Vital.RSP: "Resp_Volts.txt"}
RATES = {Vital.BVP: "Pulse Rate_BPM.txt", Vital.RSP: "Respiration Rate_BPM.txt"}
SUBJECT, TASK = re.compile(r"[FM]\d+"), re.compile(r"T\d+")


def read(root: Path) -> list[Recording]:
    """See DatasetReader."""
    found = [
        folder
        for folder in root.glob(f"{SENSORS}/*/*")
        if SUBJECT.fullmatch(folder.parent.name) and TASK.fullmatch(folder.name)
    ]
    if not found and (matrices := bp4d_matrices.read(root)):
        return matrices
    if not found:
        raise DatasetError(f"{root}: no folders like {SENSORS}/F001/T1, or like F001_T01")
    return [_recording(root, folder) for folder in sorted(found, key=lambda f: (f.parent.name, int(f.name[1:])))]


def _recording(root: Path, folder: Path) -> Recording:
    subject, task = folder.parent.name, folder.name
    return Recording(
        "bp4d",
        f"{subject}_{task}",
        subject,
        {"task": task, "gender": GENDERS[subject[0]]},
        lambda: _frames(root, subject, task),
        lambda: _truth(folder),
    )


def _frames(root: Path, subject: str, task: str) -> Frames:
    place = root / IMAGES
    folder, archive = place / subject / task, place / f"{subject}.zip"
    if folder.is_dir():
        paths = in_number_order(folder.glob("*.jpg"))
        stream, count = lambda: images(paths, numbered_stamps(paths, RATE_HZ)), len(paths)
        first = last_number(paths[0]) if paths else None
    elif archive.is_file():
        names = _names(archive, task)
        stream, count = lambda: _zipped(archive, names), len(names)
        first = last_number(PurePosixPath(names[0])) if names else None
    else:
        raise DatasetError(f"{archive}: no such file, and no folder {folder}")
    if not count:
        raise DatasetError(f"{archive}: no images of {task} in it")
    streams: dict[str, Stream] = {RGB: stream}
    warm = in_number_order((root / HEAT / subject / task).glob("*.npy"))
    if warm:
        streams[THERMAL] = lambda: bp4d_matrices.thermal_matrices(warm, RATE_HZ, first)
    return Frames(f"{subject}_{task}", streams, count / RATE_HZ)


def _names(archive: Path, task: str) -> list[str]:
    with _opened(archive) as file:
        found = [PurePosixPath(name) for name in file.namelist() if name.lower().endswith(".jpg")]
    return [str(name) for name in in_number_order(name for name in found if name.parent.name == task)]


def _zipped(archive: Path, names: list[str]) -> Iterator[Loaded]:
    with _opened(archive) as file:
        for name, stamp_ns in zip(
            names, numbered_stamps([PurePosixPath(name) for name in names], RATE_HZ), strict=True
        ):
            yield int(stamp_ns), partial(_image, file, archive, name), "bgr8"


def _image(file: zipfile.ZipFile, archive: Path, name: str) -> np.ndarray:
    try:
        data = file.read(name)
    # NotImplementedError is zipfile's own, for a way of compression that it cannot read.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise DatasetError(f"{archive}: not a readable zip file: {error}") from None
    return decoded(data, f"{archive}: {name}")


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, OSError) as error:
        raise DatasetError(f"{archive}: not a readable zip file: {error}") from None


def _truth(folder: Path) -> Truth:
    waves = {vital: even_trace(values, SENSOR_HZ) for vital, values in _series(folder, WAVES)}
    rates: dict[Vital, Trace] = {}
    for vital, values in _series(folder, RATES):
        rates |= known_rates(vital, even_trace(values[::RATES_STEP], SENSOR_HZ / RATES_STEP))
    if not waves and not rates:
        raise DatasetError(f"{folder}: none of {', '.join([*WAVES.values(), *RATES.values()])} in it")
    return Truth(waves, rates)


def _series(folder: Path, names: Mapping[Vital, str]) -> Iterator[tuple[Vital, np.ndarray]]:
    """Those that are there; not every subject has all."""
    for vital, name in names.items():
        if (folder / name).is_file():
            yield vital, numbers(folder / name)
