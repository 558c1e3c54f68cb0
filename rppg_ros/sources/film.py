"""Video files through PyAV: pictures with the times that their container gives, and an error where it cannot be read on."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rppg_ros.sources.base import SourceError
from rppg_ros.sources.gif import is_whole
from rppg_ros.types import NS_PER_S

try:
    import av
    from av.error import FFmpegError
    from av.filter import Graph
except ModuleNotFoundError:  # rosdep has no key for it: a robot that plays no video need not have it
    HAS_AV = False
else:
    HAS_AV = True

if TYPE_CHECKING:
    from av.container import InputContainer

# What a container may promise beyond its last frame. It counts its sound too, writers round, and a last frame may be short.
MAX_MISSING_S = 0.5
MAX_MISSING_ALONE_S = 0.1  # of a container with nothing but the video
MAX_MISSING_FRAMES = 1.5
MAX_STEP_BACK_NS = NS_PER_S  # between frames; less is a time that was written twice, or badly rounded

DEEP = ("gray16le", "gray16be")
LOSSLESS = ("ffv1", "huffyuv", "ffvhuff")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a container says of its video.

    Attributes
    ----------
    frames : how many; 0: it does not say.
    rate_hz : on average; 0: it does not say.
    duration_s : None: it does not say.
    lossless : whether its codec is.
    deep : whether pixels are grey and have 16 bits.
    """

    frames: int
    rate_hz: float
    duration_s: float | None
    lossless: bool
    deep: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded frame.

    Attributes
    ----------
    time_ns : since the first frame, nanoseconds. Some files give a time twice.
    quarter_turns : against the clock, that put the picture upright.
    """

    time_ns: int
    quarter_turns: int
    _frame: av.VideoFrame
    _colours: _Colours

    def bgr(self) -> np.ndarray:
        """Upright uint8 (H, W, 3), full range, from the colours that the file names; BT.601 of limited range if it names none."""
        return self._upright(self._colours.bgr(self._frame))

    def grey16(self) -> np.ndarray:
        """Upright uint16 (H, W) of a deep video."""
        return self._upright(self._frame.to_ndarray().astype(np.uint16, copy=False))

    def _upright(self, pixels: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(pixels, self.quarter_turns))


class _Colours:
    """A filter of FFmpeg's, which heeds matrix and range; PyAV's own conversion does so since 13 alone."""

    def __init__(self) -> None:
        self._graphs: dict[tuple[int, int, str], Graph] = {}

    def bgr(self, frame: av.VideoFrame) -> np.ndarray:
        """Pixels as they lie in the file."""
        shape = (frame.width, frame.height, frame.format.name)
        if shape not in self._graphs:
            self._graphs[shape] = self._graph(frame)
        self._graphs[shape].push(frame)
        pixels: np.ndarray = self._graphs[shape].pull().to_ndarray()
        return pixels

    @staticmethod
    def _graph(frame: av.VideoFrame) -> Graph:
        graph = Graph()
        buffer = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        )
        filters = [buffer, graph.add("scale", "in_range=auto"), graph.add("format", "bgr24"), graph.add("buffersink")]
        for before, after in itertools.pairwise(filters):
            before.link_to(after)
        graph.configure()
        return graph


class _DamageError(Exception):
    """Why a file cannot be read on."""


def facts(path: str | Path) -> Facts:
    """What the container says.

    Raises
    ------
    SourceError : it is no video.
    """
    with _opened(path) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        if codec is None:
            raise SourceError(f"{path}: its codec is not known to this FFmpeg")
        return Facts(
            frames=stream.frames,
            rate_hz=float(stream.average_rate or 0),
            duration_s=min(_promised_s(container), default=None),
            lossless=codec.name in LOSSLESS,
            deep=getattr(codec, "pix_fmt", None) in DEEP,  # older PyAV raises AttributeError where there is none
        )


def pictures(path: str | Path) -> Iterator[Picture]:
    """All frames that can be read, in the order of their times.

    Whether a file was cut off is known of containers that say how long they are. An MPEG transport stream, or a file that its
    writer had no time to finish, may end anywhere.

    Raises
    ------
    SourceError : after the last of them, where the file is damaged or was cut off; names the file, the time, and how much was
        read of how much.
    """
    time_ns, count, colours = 0, 0, _Colours()
    with _opened(path) as container:
        turns = _turns_of_file(path)
        try:
            first: Fraction | None = None
            for frame in _frames(container):
                ticks = frame.dts if frame.pts is None else frame.pts
                unit = frame.time_base or container.streams.video[0].time_base
                if ticks is None or unit is None:
                    raise _DamageError("a frame has no time")
                first = ticks * unit if first is None else first
                since_ns = round((ticks * unit - first) * NS_PER_S)
                if since_ns < time_ns - MAX_STEP_BACK_NS:
                    raise _DamageError(f"its times go back to {since_ns / NS_PER_S:.3f} s")
                time_ns = max(time_ns, since_ns)
                frame_turns = round(frame.rotation / 90) % 4 if turns is None else turns
                count += 1
                yield Picture(since_ns, frame_turns, frame, colours)
        except (FFmpegError, _DamageError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SourceError(
                f"{path}: cannot be read on after {time_ns / NS_PER_S:.3f} s: {reason}; {_share(container, count)}"
            ) from None


def keyframes(path: str | Path) -> Iterator[float]:
    """Times of the keyframes, seconds, without decoding; what is damaged ends it. SourceError: no video."""
    with _opened(path) as container, contextlib.suppress(FFmpegError):
        for packet in container.demux(video=0):
            if packet.is_keyframe and packet.pts is not None:
                yield float(packet.pts * packet.time_base)


@contextlib.contextmanager
def _opened(path: str | Path) -> Iterator[InputContainer]:
    if not Path(path).is_file():
        raise SourceError(f"{path}: no such file")
    if not HAS_AV:
        raise SourceError(f"{path}: videos need PyAV: sudo apt install python3-av, or pip install av")
    try:  # with a protocol, for FFmpeg would find one in names such as "face: 1.mp4"
        container = _container(f"file:{path}")
    except (FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path}: not a readable video: {reason}") from None
    with container:
        if not container.streams.video:
            raise SourceError(f"{path}: there is no video in it")
        container.streams.video[0].thread_type = "AUTO"
        yield container


def _container(url: str) -> InputContainer:
    opened: Callable[..., InputContainer] = av.open  # whose arguments depend on its version
    try:
        return opened(url, metadata_errors="replace")
    except TypeError:  # PyAV 19 has no such argument: it never fails by what a title is written in
        return opened(url)


def _frames(container: InputContainer) -> Iterator[av.VideoFrame]:
    """Whole frames; _DamageError or FFmpegError after the last one before a damage."""
    whole = False
    for frame in _decoded(container):
        if not frame.is_corrupt:
            whole = True
            yield frame
        elif whole:  # before, it is of a picture that began before the recording
            raise _DamageError("a frame is damaged")


def _decoded(container: InputContainer) -> Iterator[av.VideoFrame]:
    stream = container.streams.video[0]
    count, end_s, damage = 0, 0.0, None
    try:
        for packet in container.demux(stream):
            yield from _decoded_packet(packet, begun=count > 0)
            if packet.pts is not None:
                count += 1
                end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except (FFmpegError, _DamageError) as error:
        damage = error
    if damage is None:
        _check_end(container, count, end_s)
        return
    with contextlib.suppress(FFmpegError, ValueError):
        yield from stream.decode(None)  # what came before the damage and is still in the decoder
    raise damage


def _decoded_packet(packet: av.Packet[av.VideoStream], begun: bool) -> list[av.VideoFrame]:
    try:
        if packet.is_corrupt:
            raise _DamageError("a part is missing")
        return packet.decode()
    except (FFmpegError, _DamageError):
        if begun:
            raise
        return []  # recorded from the middle of a stream
    except ValueError as error:  # PyAV's own, of a codec that it does not know
        raise _DamageError(str(error)) from None


def _share(container: InputContainer, count: int) -> str:
    """How many frames were read, of how much there should be."""
    frames, promised_s = container.streams.video[0].frames, min(_promised_s(container), default=None)
    promised = [f"{frames} frames"] if frames else []
    promised += [] if promised_s is None else [f"{promised_s:.3f} s"]
    return f"{count} frames were read" + (f", the file promises {', '.join(promised)}" if promised else "")


def _check_end(container: InputContainer, count: int, end_s: float) -> None:
    """_DamageError if the container promises more than the `count` packets, until `end_s`, that were in it."""
    stream = container.streams.video[0]
    if container.format.name == "gif" and not is_whole(container.name.removeprefix("file:")):
        raise _DamageError("the file is damaged or was cut off")
    if stream.frames and count >= stream.frames:
        return
    frame_s = float(1 / stream.average_rate) if stream.average_rate else 0.0
    alone = len(container.streams) == 1
    allowed_s = max(MAX_MISSING_ALONE_S if alone else MAX_MISSING_S, MAX_MISSING_FRAMES * frame_s)
    missing_s = min(_promised_s(container), default=0.0) - end_s
    if missing_s > allowed_s:
        raise _DamageError(f"the file was cut off, {missing_s:.3f} s are missing")


def _promised_s(container: InputContainer) -> list[float]:
    """Durations that a container gives, seconds: of the video, of everything."""
    stream = container.streams.video[0]
    if (
        container.format.name == "avi" and stream.frames and stream.average_rate
    ):  # its durations are guessed from the file's size
        return [float(stream.frames / stream.average_rate)]
    own = [float(stream.duration * stream.time_base)] if stream.duration and stream.time_base else []
    return own + ([container.duration / av.time_base] if container.duration else [])


def _turns_of_file(path: str | Path) -> int | None:
    """Quarter turns against the clock, asked of OpenCV where PyAV's frames do not say (before 13); else None."""
    if hasattr(av.VideoFrame, "rotation"):
        return None
    capture = cv2.VideoCapture(str(path))
    degrees = capture.get(cv2.CAP_PROP_ORIENTATION_META)
    capture.release()
    with_the_clock = tuple(int(part) for part in cv2.__version__.split(".")[:2]) >= (4, 7)
    return round(-degrees / 90 if with_the_clock else degrees / 90) % 4
