"""Frames of datasets: images, arrays and videos, each with the stamps its dataset gives."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import TypeVar

import cv2
import numpy as np

from rppg_ros.datasets.base import DatasetError
from rppg_ros.sources import film
from rppg_ros.sources.base import RGB, SourceError, StreamFrame
from rppg_ros.sources.image_size import HEADER, too_large
from rppg_ros.types import NS_PER_S

LEAST_SHARE = 0.9  # of a video's frames; containers count a few too many

Loaded = tuple[int, Callable[[], np.ndarray], str]
"""A frame's stamp, how its pixels are read, and their encoding."""
Stream = Callable[[], Iterable[Loaded]]
"""One camera's frames, made anew for each run through them."""
AnyPath = TypeVar("AnyPath", bound=PurePath)


class Frames:
    """Frames of a recording, read as they are asked for; a FrameSource.

    Parameters
    ----------
    streams : by the names of the cameras.
    absolute : whether stamps are times of the clock.
    """

    live = False

    def __init__(
        self,
        name: str,
        streams: Mapping[str, Stream],
        duration_s: float | None = None,
        absolute: bool = False,
    ) -> None:
        self.name = name
        self.absolute = absolute
        self.duration_s = duration_s
        self.has_thermal = any(stream != RGB for stream in streams)
        self._streams = streams

    def __iter__(self) -> Iterator[StreamFrame]:
        merged = heapq.merge(*(self._stamped(stream) for stream in self._streams), key=lambda item: item[1])
        for stream, stamp_ns, read, encoding in merged:
            yield StreamFrame(stream, stamp_ns, read(), encoding)

    def close(self) -> None:
        """Nothing is held open."""

    def _stamped(self, stream: str) -> Iterator[tuple[str, int, Callable[[], np.ndarray], str]]:
        for stamp_ns, read, encoding in self._streams[stream]():
            yield stream, stamp_ns, read, encoding


def even_stamps(count: int, rate_hz: float) -> np.ndarray:
    """Stamps, int64 ns, of frames whose dataset says only how many there are in a second."""
    stamps_ns: np.ndarray = np.round(np.arange(count) * (NS_PER_S / rate_hz)).astype(np.int64)
    return stamps_ns


MOST_MISSING = 3  # times as many frames as there are: numbers with larger holes are not those of frames


def numbered_stamps(paths: Sequence[AnyPath], rate_hz: float, first: int | None = None) -> np.ndarray:
    """Stamps, int64 ns, of frames numbered in their files' names, in this order: a frame that is missing is a gap.

    Numbers that do not rise from file to file, or leap, are no frame numbers: the frames then follow one another.

    Parameters
    ----------
    first : number of the frame at 0, where it lies near these; None: that of the first of them.
    """
    count = len(paths)
    found = np.array([last_number(path) for path in paths], dtype=np.float64)
    steps = np.diff(found)
    if not count or (steps < 1).any() or found[-1] - found[0] > (1 + MOST_MISSING) * count:
        return even_stamps(count, rate_hz)
    origin = float(found[0])
    if first is not None and abs(origin - first) <= MOST_MISSING * count:
        origin = min(float(first), origin)
    stamps_ns: np.ndarray = np.round((found - origin) * (NS_PER_S / rate_hz)).astype(np.int64)
    return stamps_ns


def images(paths: Sequence[Path], stamps_ns: Iterable[int]) -> Iterator[Loaded]:
    """Colour images with their stamps."""
    for path, stamp_ns in zip(paths, stamps_ns, strict=True):
        yield int(stamp_ns), partial(read_image, path), "bgr8"


def read_image(path: Path) -> np.ndarray:
    """BGR uint8 (H, W, 3); DatasetError names a file that is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: not readable: {error}") from None
    return decoded(data, str(path))


def decoded(data: bytes, name: str) -> np.ndarray:
    """BGR uint8 (H, W, 3) of an image file's content; DatasetError names it where it is none."""
    why = too_large(data[:HEADER])
    if why:
        raise DatasetError(f"{name}: {why}")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # empty, or of a size that cannot be
        image = None
    if image is None:
        raise DatasetError(f"{name}: not a readable image")
    return image


def last_number(path: PurePath) -> int:
    """The last number in a file's name, 0 where there is none."""
    return int((re.findall(r"\d+", path.stem) or ["0"])[-1])


def in_number_order(paths: Iterable[AnyPath]) -> list[AnyPath]:
    """Files by the last number in their names: frame 10 after frame 9."""
    return sorted(paths, key=lambda path: (last_number(path), path.name))


def video_frames(path: Path, stamps_ns: np.ndarray | None) -> Iterator[Loaded]:
    """Frames of a video; with stamps, as many as there are stamps, else at the container's times.

    Raises
    ------
    DatasetError : it is none, or its file was cut off.
    """
    try:
        promised, index, last_ns = film.facts(path).frames, 0, -1
        for picture in film.pictures(path):
            if stamps_ns is not None and index >= len(stamps_ns):
                break
            stamp_ns = picture.time_ns if stamps_ns is None else int(stamps_ns[index])
            index += 1
            if stamp_ns > last_ns:
                last_ns = stamp_ns
                yield stamp_ns, picture.bgr, "bgr8"
    except SourceError as error:
        raise DatasetError(str(error)) from None
    if index < LEAST_SHARE * (promised if stamps_ns is None else min(promised, len(stamps_ns))):
        raise DatasetError(f"{path}: ends after {index} of {promised} frames")


def video_length(path: Path) -> tuple[int, float]:
    """Frames, and frames per second, as a video's container says.

    Raises
    ------
    DatasetError : missing, or no video.
    """
    try:
        said = film.facts(path)
    except SourceError as error:
        raise DatasetError(str(error)) from None
    if said.frames < 1 or said.rate_hz <= 0:
        raise DatasetError(f"{path}: says neither how many frames it has nor how fast they come")
    return said.frames, said.rate_hz


def numbers(path: Path) -> np.ndarray:
    """One number a line (n,), a header line passed over.

    Raises
    ------
    DatasetError : missing, or something else; names the line.
    """
    out: list[float] = []
    for line, text in enumerate(lines(path), start=1):
        try:
            out.append(float(text.split(",")[0]))
        except ValueError:
            if line > 1:
                raise DatasetError(f"{path}: line {line} is no number: {text[:40]}") from None
    if not out:
        raise DatasetError(f"{path}: holds no numbers")
    return np.array(out)


def lines(path: Path) -> list[str]:
    """Lines of a text file that are not blank; DatasetError names a file that is missing or no text."""
    try:
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not readable: {error}") from None
