"""Folders of images with their stamps: in the file names (PURE's way), in a CSV beside them, or at a rate that the user gives."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import cv2

from rppg_ros.sources.base import RGB, THERMAL, SourceError, StreamFrame
from rppg_ros.sources.recorded import thermal_encoding
from rppg_ros.types import NS_PER_S

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".pgm", ".ppm"})
STAMPS_FILE = "timestamps.csv"
# Nanoseconds since 1970 in a file name have 18 or 19 digits until the year 2286; frame numbers never have.
STAMP_IN_NAME = re.compile(r"(\d{18,19})(?!\d)")
STAMP = re.compile(r"[0-9]{1,19}")
MAX_STAMP_NS = (2**31 - 1) * NS_PER_S  # builtin_interfaces/Time has 32 bits of seconds
MAX_SHOWN = 80  # characters of a wrong entry


class ImageFolder:
    """Images of one folder as frames.

    Parameters
    ----------
    fps : frames per second, for images without stamps; 0: they must have stamps.

    Raises
    ------
    SourceError : no folder, no images, no stamps and no fps, or stamps that do not fit the images.
    """

    live = False

    def __init__(self, path: str | Path, stream: str = RGB, fps: float = 0.0) -> None:
        self._path = Path(path)
        self._stream = stream
        self.name = self._path.name
        if not self._path.is_dir():
            raise SourceError(f"{path}: no such folder")
        files = sorted((f for f in self._path.iterdir() if f.suffix.lower() in SUFFIXES), key=_natural)
        if not files:
            raise SourceError(f"{path}: no images ({', '.join(sorted(SUFFIXES))}) in this folder")
        self._frames, self.absolute = self._stamped(files, fps)
        self.has_thermal = stream == THERMAL
        self.duration_s: float | None = (self._frames[-1][0] - self._frames[0][0]) / NS_PER_S

    def __iter__(self) -> Iterator[StreamFrame]:
        for stamp_ns, file in self._frames:
            yield self._read(stamp_ns, file)

    def close(self) -> None:
        """Nothing is held open."""

    def _stamped(self, files: list[Path], fps: float) -> tuple[list[tuple[int, Path]], bool]:
        table = self._path / STAMPS_FILE
        in_names = [int(found[1]) for file in files if (found := STAMP_IN_NAME.search(file.stem))]
        if table.is_file():
            frames, absolute = self._from_table(table, files), True
        elif len(in_names) == len(files):
            frames, absolute = list(zip(in_names, files, strict=True)), True
        elif fps > 0:
            frames, absolute = [(round(i * NS_PER_S / fps), f) for i, f in enumerate(files)], False
        else:
            raise SourceError(
                f"{self._path}: the images have no stamps: put them in {STAMPS_FILE} (file,stamp_ns), or give fps"
            )
        frames.sort(key=lambda entry: entry[0])
        for (a, _), (b, file) in zip(frames, frames[1:], strict=False):
            if a == b:
                raise SourceError(f"{file}: has the stamp of another image, {b}")
        if frames[-1][0] > MAX_STAMP_NS:
            raise SourceError(f"{frames[-1][1]}: no ROS message can have its stamp, {frames[-1][0]} ns")
        return frames, absolute

    def _from_table(self, table: Path, files: list[Path]) -> list[tuple[int, Path]]:
        try:
            with table.open(newline="", encoding="utf-8-sig") as lines:
                rows = [row for row in csv.reader(lines) if row]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(f"{table}: cannot be read: {error}") from None
        if rows and not rows[0][-1].strip().lstrip("-").isdigit():
            rows = rows[1:]  # a header
        by_name = {file.name: file for file in files}
        frames = []
        for number, row in enumerate(rows, 1):
            if len(row) < 2 or not STAMP.fullmatch(row[1].strip()):
                raise SourceError(f"{table}: entry {number} is not 'file,stamp_ns': {','.join(row)[:MAX_SHOWN]}")
            if row[0].strip() not in by_name:
                raise SourceError(f"{table}: entry {number} names '{row[0][:MAX_SHOWN]}', which is not there")
            frames.append((int(row[1]), by_name[row[0].strip()]))
        if not frames:
            raise SourceError(f"{table}: no entries")
        return frames

    def _read(self, stamp_ns: int, file: Path) -> StreamFrame:
        thermal = self._stream == THERMAL
        image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED if thermal else cv2.IMREAD_COLOR)
        if image is None:
            raise SourceError(f"{file}: cannot be read as an image")
        if not thermal:
            return StreamFrame(self._stream, stamp_ns, image, "bgr8")
        try:
            return StreamFrame(self._stream, stamp_ns, image, thermal_encoding(image))
        except SourceError as error:
            raise SourceError(f"{file}: {error}") from None


def _natural(file: Path) -> list[int | str]:
    """Sorts frame10 after frame9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file.name)]
