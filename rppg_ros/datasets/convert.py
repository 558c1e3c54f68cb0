"""Recordings as rosbag2: images, and the truth in our own messages, with the stamps that they came with."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Final

from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from rppg_ros.datasets.bag_writer import FORMATS, BagWriter
from rppg_ros.datasets.base import DatasetError, Recording
from rppg_ros.types import NS_PER_S

EPOCH_NS = 1_600_000_000 * NS_PER_S
"""Where recordings begin that only count from their first frame: a stamp of 0 is no stamp in ROS."""
BAG_VERSION: Final = 9
CONDITION = "condition."


def bag_name(recording: Recording) -> str:
    """Folder of a recording's bag."""
    return f"{recording.dataset}_{recording.name}".replace("/", "_").replace(" ", "_")


def write_bag(
    recording: Recording, folder: str | Path, image_format: str = "png", overwrite: bool = False
) -> Path | None:
    """Write a recording as a bag (mcap) in a folder of its own below `folder`; whole, or not at all.

    Parameters
    ----------
    image_format : "png": lossless, CompressedImage; "raw": Image; "jpeg": smaller, and weakens the pulse. Thermal images in
        degrees are always Image, 32FC1. The bag itself is compressed (zstd).
    overwrite : write it again if it is there.

    Returns
    -------
    The bag; None when it was there already.

    Raises
    ------
    DatasetError, SourceError : see Recording; nothing is left behind, and a bag that was there before stays.
    """
    if image_format not in FORMATS:
        raise DatasetError(f"image format '{image_format}' is not known; there are: {', '.join(FORMATS)}")
    target = Path(folder) / bag_name(recording)
    if target.exists() and not overwrite:
        return None
    # The bag's file carries its folder's name, so the unfinished one lies in a folder of another name.
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write(recording, partial / target.name, image_format)
        shutil.rmtree(target, ignore_errors=True)
        (partial / target.name).rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _write(recording: Recording, folder: Path, image_format: str) -> None:
    truth = recording.truth()
    writer = Writer(folder, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with contextlib.closing(recording.open()) as source, writer:
        _note(writer, recording)
        if not BagWriter(writer, image_format, 0 if source.absolute else EPOCH_NS).write(source, truth):
            raise DatasetError(f"{recording.name}: no RGB frames")


def _note(writer: Writer, recording: Recording) -> None:
    """What is known of the recording, in the bag's metadata."""
    about = {"dataset": recording.dataset, "name": recording.name, "subject": recording.subject}
    about |= {f"{CONDITION}{name}": value for name, value in recording.conditions.items()}
    for key, value in about.items():
        writer.set_custom_data(key, str(value))
