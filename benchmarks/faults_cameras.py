"""Faults of cameras, stamps and scenes, fed to the meter's halves in process (groups 1 to 12, 15, 21, 22)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from faults_judge import FPS, THERMAL_FPS, Judge, Outcome, scene

from rppg_ros import VitalsMeter
from rppg_ros.sources.base import RGB, THERMAL, StreamFrame
from rppg_ros.synthesis.physiology import Vitals
from rppg_ros.types import NS_PER_S, Rate, Vital

Change = Callable[[Iterable[StreamFrame], float, float], Iterable[StreamFrame]]
BEGINS_S = 20.0
BREATH_BEGINS_S = 42.0  # breath needs 30 s
GAP_S = 5.0
HOUR_NS = 3600 * NS_PER_S
BOTH, PULSE, BREATH = (Vital.BVP, Vital.RSP), (Vital.BVP,), (Vital.RSP,)
NAME_AFTER_S = 3.0
"""Within which a fault is to be named; and how long after its end what is said still counts."""


@dataclass(frozen=True, slots=True)
class Case:
    """A fault of a stream of frames.

    Attributes
    ----------
    change : the frames with the fault from `begins_s` to `begins_s + lasts_s`.
    unknowable : what cannot be measured meanwhile. needed : what must come back.
    expected : whether there is something to name in the halves' state (what only a clock shows, the nodes name).
    text : of the scene, after "demo:".
    """

    group: str
    fault: str
    change: Change
    lasts_s: float = 10.0
    begins_s: float = BEGINS_S
    unknowable: tuple[Vital, ...] = ()
    needed: tuple[Vital, ...] = PULSE
    expected: bool = True
    text: str = ""


def run(case: Case, after_s: float) -> Outcome:
    """Play a case; `after_s` is how long it may take to recover."""
    after_s = max(after_s, 45.0) if Vital.RSP in case.needed else after_s
    seconds = case.begins_s + case.lasts_s + after_s
    text = case.text or f"fps={FPS:g},thermal_fps={THERMAL_FPS:g},seed=3"
    frames, vitals = scene(f"{text},seconds={seconds:g}" if "seconds" not in text else text)
    judge = Judge(truths_of(case, vitals), case.begins_s, case.begins_s + case.lasts_s, case.unknowable, case.needed)
    outcome = Outcome(case.group, case.fault, expected=case.expected)
    meter = VitalsMeter(engine="pos", thermal_scale=0.01, thermal_offset=-273.15, seed=1)
    said: dict[str, None] = {}
    try:
        for at_s, frame in _timed(case.change(frames, case.begins_s, judge.ends_s)):
            for rate in meter.outputs(frame.stream, frame.stamp_ns, frame.image):
                if isinstance(rate, Rate):
                    age_s = max(0.0, (frame.stamp_ns - rate.stamp_ns) / NS_PER_S)
                    if (
                        age_s > GAP_S
                    ):  # the last of a clip, known when the next one begins: for recordings, not for anybody who waits
                        continue
                    judge.take(rate.vital, at_s, rate.status, rate.per_minute, rate.window_s, age_s)
            if case.begins_s < at_s <= judge.ends_s + NAME_AFTER_S:
                said |= dict.fromkeys(complaints(meter))
        meter.flush()
    except Exception as error:
        outcome.died = f"{type(error).__name__}: {error}"
    outcome.wrong, outcome.recovery_s = judge.wrong, judge.recovery_s()
    outcome.named = next(iter(said), "")
    return outcome


def truths_of(case: Case, vitals: Vitals) -> list[Vitals]:
    """Of all people of the case."""
    return [vitals, scene(SECOND_PERSON)[1]] if case.change in WITH_A_SECOND else [vitals]


def complaints(meter: VitalsMeter) -> list[str]:
    """All that the halves say is wrong now, whatever attributes they say it by."""
    found: list[str] = []
    for holder in (*meter.camera.streams.values(), meter.camera, meter.camera.tracker, meter.vitals):
        for name in ("complaint", "complaints", "too_slow", "problems", "warnings"):
            said = getattr(holder, name, None)
            said = said() if callable(said) else said
            found += [said] if isinstance(said, str) else [str(one) for one in said or ()]
    guards = [(stream, state.guard) for stream, state in meter.camera.streams.items()]
    found += [
        f"{stream}: {count} stamps {verdict.value}"
        for stream, guard in guards
        for verdict, count in guard.counts.items()
        if count and verdict.name != "OK"
    ]
    return [text for text in found if text]


def _timed(frames: Iterable[StreamFrame]) -> Iterator[tuple[float, StreamFrame]]:
    """Frames with the scene's time: the changed ones carry it, as their stamps may lie."""
    for frame in frames:
        yield (frame.at_s, frame.frame) if isinstance(frame, _Lying) else (frame.stamp_ns / NS_PER_S, frame)


@dataclass(frozen=True, slots=True)
class _Lying:
    """A frame whose stamp is not when it was taken."""

    at_s: float
    frame: StreamFrame


def only(stream: str, edit: Callable[[StreamFrame, float, dict], object]) -> Change:
    """Edit the frames of a stream during the fault; None leaves one out. `edit` gets the seconds since it began, and a dict."""

    def change(frames, begins_s, ends_s):
        memory: dict = {}
        for frame in frames:
            at_s = frame.stamp_ns / NS_PER_S
            if frame.stream == stream and begins_s <= at_s < ends_s:
                edited = edit(frame, at_s - begins_s, memory)
                if edited is not None:
                    yield edited
            else:
                yield frame

    return change


def gone(frame, since_s, memory):
    return None


def image(make: Callable[[np.ndarray, float, dict], np.ndarray]):
    return lambda frame, since_s, memory: replace(frame, image=make(frame.image, since_s, memory))


def stamp(make: Callable[[int, dict], int]):
    return lambda frame, since_s, memory: _Lying(
        frame.stamp_ns / NS_PER_S, replace(frame, stamp_ns=make(frame.stamp_ns, memory))
    )


def frozen(picture, since_s, memory):
    return memory.setdefault("first", picture)


def noise(picture, since_s, memory):
    rng = memory.setdefault("rng", np.random.default_rng(0))
    if picture.dtype == np.uint16:
        return rng.integers(28000, 31500, picture.shape, np.uint16)
    return rng.integers(0, 256, picture.shape, np.uint8)


def later(shift_ns: int) -> Change:
    """All stamps of both cameras from then on are of another time."""

    def change(frames, begins_s, ends_s):
        for frame in frames:
            at_s = frame.stamp_ns / NS_PER_S
            moved = shift_ns if at_s >= begins_s else 0
            yield _Lying(at_s, replace(frame, stamp_ns=frame.stamp_ns + 2 * HOUR_NS + moved))

    return change


def shuffled(frames, begins_s, ends_s):
    held: list[StreamFrame] = []
    for frame in frames:
        at_s = frame.stamp_ns / NS_PER_S
        if begins_s <= at_s < ends_s and frame.stream == RGB:
            held.append(frame)
            if len(held) == 3:
                yield from (_Lying(at_s, held[i]) for i in (1, 0, 0, 2))
                held.clear()
        else:
            yield frame


def resized(size):
    return image(lambda picture, since_s, memory: cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def empty_room(picture, since_s, memory):
    """Grey with a camera's noise."""
    rng = memory.setdefault("rng", np.random.default_rng(0))
    return np.clip(rng.normal(90, 2, picture.shape), 0, 255).astype(np.uint8)


SECOND_PERSON = f"fps={FPS:g},thermal_fps=0,seed=8,heart_rate=96,seconds=80"


def beside(swapped: bool) -> Change:
    """A second person beside the first; during the fault they change places, or the second is there only then."""

    def change(frames, begins_s, ends_s):
        others = [frame.image for frame in scene(SECOND_PERSON)[0]]
        count = 0
        for frame in frames:
            if frame.stream != RGB:
                continue
            at_s = frame.stamp_ns / NS_PER_S
            inside, other = begins_s <= at_s < ends_s, others[min(count, len(others) - 1)]
            count += 1
            if not swapped and not inside:
                other = np.full_like(other, 90)
            pair = [other, frame.image] if swapped and inside else [frame.image, other]
            yield replace(frame, image=np.hstack(pair))

    return change


def tenfold(picture, since_s, memory):
    row = np.hstack([cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)] * 5)
    return np.vstack([row, row])


SWAP, WALK_BY = beside(True), beside(False)
WITH_A_SECOND = (SWAP, WALK_BY)
UNCHANGED: Change = lambda frames, begins_s, ends_s: frames  # noqa: E731


def slow(fps: float, heart_rate: float) -> Case:
    """A camera too slow for the pulse, from the beginning."""
    text = f"fps={fps:g},thermal_fps=0,seed=2,drop=0,heart_rate={heart_rate:g},seconds=30"
    fault = f"{fps:g} fps, {heart_rate:g} beats per minute"
    return Case("21", fault, UNCHANGED, 30.0, 0.0, PULSE, (), text=text)


def dead(stream: str, make, fault: str) -> Case:
    """A camera whose images say nothing."""
    if stream == RGB:
        return Case("12", f"RGB {fault}", only(RGB, image(make)), unknowable=PULSE)
    return Case("12", f"thermal {fault}", only(THERMAL, image(make)), 10.0, BREATH_BEGINS_S, BREATH, BOTH)


def constant(value: int):
    return lambda picture, since_s, memory: np.full_like(picture, value)


def shutter(picture, since_s, memory):
    """A second of the last image, then all is half a degree warmer."""
    return memory.setdefault("first", picture) if since_s < 1 else picture + np.uint16(50)


def not_numbers(picture, since_s, memory):
    return np.full(picture.shape, math.nan, np.float32)


CASES = (
    Case("1", "RGB camera stops for 10 s", only(RGB, gone), expected=False),
    Case("2", "thermal camera stops for 10 s", only(THERMAL, gone), 10.0, BREATH_BEGINS_S, needed=BOTH, expected=False),
    Case("3", "thermal camera never there", only(THERMAL, gone), 30.0, 0.0, BREATH, expected=False),
    Case("4", "stamps jump an hour back", later(-HOUR_NS), 0.1),
    Case("5", "stamps jump an hour forward", later(HOUR_NS), 0.1),
    Case("6", "RGB stamps stand still", only(RGB, stamp(lambda ns, m: m.setdefault("first", ns))), unknowable=PULSE),
    Case("7", "RGB stamps 0", only(RGB, stamp(lambda ns, m: 0)), unknowable=PULSE),
    Case("7", "thermal stamps 0", only(THERMAL, stamp(lambda ns, m: 0)), 10.0, BREATH_BEGINS_S, needed=BOTH),
    Case("8", "RGB stamps out of order and doubled", shuffled),
    Case("9", "resolution doubles for 10 s", only(RGB, resized((640, 480))), expected=False),
    Case("10", "RGB images turn grey", only(RGB, image(lambda p, s, m: p[..., 0])), unknowable=PULSE),
    Case("10", "RGB images of 16 bits", only(RGB, image(lambda p, s, m: p.astype(np.uint16))), unknowable=PULSE),
    Case("11", "RGB images of 2x1300", only(RGB, resized((1300, 2))), unknowable=PULSE),
    Case("11", "RGB images without pixels", only(RGB, image(lambda p, s, m: p[:0])), unknowable=PULSE),
    Case("11", "thermal images of 1x60000", only(THERMAL, resized((60000, 1))), 10.0, BREATH_BEGINS_S, BREATH, BOTH),
    dead(RGB, frozen, "frozen"),
    dead(RGB, constant(0), "black"),
    dead(RGB, constant(255), "white"),
    dead(RGB, noise, "noise"),
    dead(THERMAL, frozen, "frozen"),
    dead(THERMAL, constant(0), "zero"),
    dead(THERMAL, constant(65535), "saturated"),
    dead(THERMAL, noise, "noise"),
    dead(THERMAL, not_numbers, "NaN"),
    Case("12", "thermal shutter", only(THERMAL, image(shutter)), 2.0, BREATH_BEGINS_S, needed=BOTH, expected=False),
    Case("15", "face leaves for 3 s", only(RGB, image(empty_room)), 3.0, expected=False),
    Case("15", "face leaves for 10 s", only(RGB, image(empty_room)), unknowable=PULSE, expected=False),
    Case("15", "two people change places", SWAP, 10.0, expected=False),
    Case("15", "somebody walks by", WALK_BY, 5.0, expected=False),
    Case("15", "ten faces", only(RGB, image(tenfold)), 5.0, expected=False),
    slow(5, 165),
    slow(3, 110),
    slow(4, 130),
    slow(2.1, 78),
    Case("21", "20 ms of jitter", UNCHANGED, 5.0, expected=False, text="fps=15,thermal_fps=0,jitter_s=0.02,seed=4,seconds=40"),
    Case("21", "120 fps", UNCHANGED, 5.0, 10.0, expected=False, text="fps=120,thermal_fps=0,seed=4,seconds=22"),
    Case("22", "4K for 3 s", only(RGB, resized((3840, 2160))), 3.0, expected=False),
    Case("22", "64x64 for 10 s", only(RGB, resized((64, 64))), unknowable=PULSE, expected=False),
)  # fmt: skip
