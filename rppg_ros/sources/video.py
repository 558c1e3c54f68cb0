"""Video files, through PyAV, and cameras, through OpenCV. Files' stamps are the container's: variable rates stay variable."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from rppg_ros.sources import film, keyframes
from rppg_ros.sources.base import RGB, THERMAL, SourceError, StreamFrame
from rppg_ros.sources.recorded import thermal_encoding

# Elementary streams: the reader would invent 25 frames per second.
TIMELESS = frozenset({".mjpeg", ".mjpg", ".h264", ".264", ".h265", ".265", ".hevc", ".yuv"})
MAX_CAMERA = 1000
MAX_SHOWN = 20  # digits of a camera's number


class VideoFile:
    """A video (or animated GIF). Thermal videos may have 16 bits (FFV1, for instance).

    Reading raises SourceError after the last good frame where a file is damaged or was cut off.

    Raises
    ------
    SourceError : the file is missing, has no times, or no frame of it can be read.
    """

    absolute = False
    live = False

    def __init__(self, path: str | Path, stream: str = RGB) -> None:
        self._path = Path(path)
        self._stream = stream
        self.name = self._path.name
        self.has_thermal = stream == THERMAL
        if self._path.suffix.lower() in TIMELESS:
            raise SourceError(
                f"{path}: a bare {self._path.suffix} stream has no times; put it into a container at the rate of its"
                " recording: ffmpeg -r RATE -i IN -c copy OUT.mkv"
            )
        facts = film.facts(path)
        if next(film.pictures(path), None) is None:
            raise SourceError(f"{path}: no frame can be read; is it a video?")
        self._deep = self.has_thermal and facts.deep
        self.duration_s: float | None = facts.duration_s

    def __iter__(self) -> Iterator[StreamFrame]:
        last_ns = -1
        for picture in film.pictures(self._path):
            if picture.time_ns > last_ns:  # some containers repeat a time; two frames cannot share one
                last_ns = picture.time_ns
                yield _frame(self._stream, last_ns, picture.grey16() if self._deep else picture.bgr())

    @functools.cached_property
    def caution(self) -> str:
        """What its keyframes may do to a heart rate; empty: nothing."""
        return "" if self.has_thermal else keyframes.caution(self._path)

    def close(self) -> None:
        """Nothing is held open."""


class Camera:
    """A camera of this machine; frames are stamped when they are grabbed, whatever rate the driver claims.

    OpenCV opens them by number on all systems, negotiates formats, and lets one image wait at most: an old one has a wrong stamp.

    Parameters
    ----------
    device : index, or path as /dev/video0.

    Raises
    ------
    SourceError : no such camera, or it gives no frame.
    """

    absolute = True
    live = True
    duration_s: float | None = None

    def __init__(self, device: str, stream: str = RGB) -> None:
        self.name = f"camera {device}"
        self._stream = stream
        self.has_thermal = stream == THERMAL
        if device.isdigit() and int(device) > MAX_CAMERA:
            raise SourceError(f"camera '{device[:MAX_SHOWN]}': there is none of that number")
        self._capture = cv2.VideoCapture(int(device) if device.isdigit() else device)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # a buffered frame is an old frame
        if not self._capture.isOpened():
            raise SourceError(f"camera '{device}' cannot be opened")

    def __iter__(self) -> Iterator[StreamFrame]:
        failed = 0
        while failed < 10:
            grabbed = self._capture.grab()
            stamp_ns = time.time_ns()
            done, image = self._capture.retrieve() if grabbed else (False, None)
            failed = 0 if done else failed + 1
            if image is not None and done:
                yield _frame(self._stream, stamp_ns, image)
        raise SourceError(f"{self.name} gives no more frames")

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()


def _frame(stream: str, stamp_ns: int, image: np.ndarray) -> StreamFrame:
    if stream == THERMAL:
        grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        return StreamFrame(stream, stamp_ns, grey, thermal_encoding(grey))
    return StreamFrame(stream, stamp_ns, image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), "bgr8")
