"""Video files and cameras, through OpenCV. File stamps are the container's, so variable frame rates stay variable."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from rppg_ros.sources import keyframes
from rppg_ros.sources.base import RGB, THERMAL, SourceError, StreamFrame
from rppg_ros.sources.recorded import thermal_encoding

# FFmpeg's tag of its pixel format gray16le.
GRAY16LE = int.from_bytes(b"Y1\x00\x10", "little")
# Elementary streams: the reader would invent 25 frames per second.
TIMELESS = frozenset({".mjpeg", ".mjpg", ".h264", ".264", ".h265", ".265", ".hevc", ".yuv"})


class VideoFile:
    """A video (or animated GIF). Thermal videos may have 16 bits (FFV1, for instance).

    Raises
    ------
    SourceError : the file is missing, has no times, or OpenCV cannot read a frame of it, or not all of its bits.
    """

    absolute = False
    live = False

    def __init__(self, path: str | Path, stream: str = RGB) -> None:
        self._path = Path(path)
        self._stream = stream
        self.name = self._path.name
        self.has_thermal = stream == THERMAL
        if not self._path.is_file():
            raise SourceError(f"{path}: no such file")
        if self._path.suffix.lower() in TIMELESS:
            raise SourceError(
                f"{path}: a bare {self._path.suffix} stream has no times; put it into a container at the rate of its"
                " recording: ffmpeg -r RATE -i IN -c copy OUT.mkv"
            )
        self._capture = self._open()
        if not self._capture.grab():
            raise SourceError(f"{path}: no frame can be read; is it a video?")
        # OpenCV makes 8 bits of them unless told not to.
        self._deep = self.has_thermal and int(self._capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) == GRAY16LE
        if self._deep and not self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 0):
            raise SourceError(
                f"{path}: OpenCV {cv2.__version__} makes 8 bits of the 16 of this video, and temperatures are lost; a later"
                " one (pip install 'opencv-python>=4.7') reads it"
            )
        frames, fps = self._capture.get(cv2.CAP_PROP_FRAME_COUNT), self._capture.get(cv2.CAP_PROP_FPS)
        self.duration_s: float | None = frames / fps if frames > 0 and fps > 0 else None

    def __iter__(self) -> Iterator[StreamFrame]:
        self._capture = self._open()
        if self._deep:
            self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        last_ns = None
        while self._capture.grab():
            # POS_MSEC after a grab is the presentation time of the grabbed frame.
            stamp_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
            done, image = self._capture.retrieve()
            # Some containers repeat a time; two frames cannot share one.
            if not done or (last_ns is not None and stamp_ns <= last_ns):
                continue
            last_ns = stamp_ns
            yield _frame(self._stream, stamp_ns, image)

    @functools.cached_property
    def caution(self) -> str:
        """What its keyframes may do to a heart rate; empty: nothing."""
        return "" if self.has_thermal else keyframes.caution(self._path)

    def close(self) -> None:
        """Release the file."""
        self._capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            raise SourceError(f"{self._path}: OpenCV cannot open it; is it a video?")
        return capture


class Camera:
    """A camera of this machine; frames are stamped when they are grabbed, whatever rate the driver claims.

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
            if done:
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
