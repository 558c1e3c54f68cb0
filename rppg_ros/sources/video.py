"""Video files and cameras, through OpenCV. File stamps are the container's, so variable frame rates stay variable."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from rppg_ros.sources.base import RGB, THERMAL, SourceError, StreamFrame


class VideoFile:
    """A video (or animated GIF).

    Raises
    ------
    SourceError : the file is missing or OpenCV cannot read a frame of it.
    """

    absolute = False
    live = False

    def __init__(self, path: str | Path, stream: str = RGB) -> None:
        self._path = Path(path)
        self._stream = stream
        self.name = self._path.name
        if not self._path.is_file():
            raise SourceError(f"{path}: no such file")
        self._capture = self._open()
        if not self._capture.grab():
            raise SourceError(f"{path}: no frame can be read; is it a video?")
        self._capture = self._open()

    def __iter__(self) -> Iterator[StreamFrame]:
        last_ns = -1
        while self._capture.grab():
            # POS_MSEC after a grab is the presentation time of the grabbed frame.
            stamp_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
            done, image = self._capture.retrieve()
            if not done or stamp_ns <= last_ns:  # some containers repeat a time; two frames cannot share one
                continue
            last_ns = stamp_ns
            yield _frame(self._stream, stamp_ns, image)

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

    def __init__(self, device: str, stream: str = RGB) -> None:
        self.name = f"camera {device}"
        self._stream = stream
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
        return StreamFrame(stream, stamp_ns, grey, "mono8")
    return StreamFrame(stream, stamp_ns, image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), "bgr8")
