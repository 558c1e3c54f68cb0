"""Real faces with another pulse: their own taken out by a band-stop, one of known rate put in, in the full frames.

What stays is what no generator has: these cameras' noise and compression, these people's movements and lights.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from clips import JudgedClip, tracked, truth_of

from rppg_ros.datasets.bags import open_recording
from rppg_ros.sources.frames import image_of
from rppg_ros.synthesis.haemodynamics import Body, simulate
from rppg_ros.synthesis.maps import noise_field
from rppg_ros.synthesis.skin import BLOOD
from rppg_ros.types import NS_PER_S, CropRequest, Vital
from rppg_ros.vision.detect import make_detector

GRID = 48  # the face's box is looked at as so many places
STOP_HZ, STOP_SECOND_HZ = 0.2, 0.3  # taken out on both sides of the pulse's frequency, and of twice that
STRENGTH = 0.006  # share of green at 0.77: an ordinary pulse
RATES = (66.0, 84.0, 110.0, 150.0)


def injected_clips(video: Path, own_rate: float, requests: set[CropRequest]) -> Iterator[JudgedClip]:
    """The video with each of RATES, as it is and after another round of compression (MPEG-4)."""
    frames, stamps_ns = read_frames(video)
    boxes = _boxes(frames)
    times_s = (stamps_ns - stamps_ns[0]) / NS_PER_S
    still = _without_pulse(frames, boxes, times_s, own_rate / 60)
    for i, rate in enumerate(RATES):
        rng = np.random.default_rng([i, len(frames)])
        vitals = simulate(Body(heart_rate=rate, heart_wander=0.01), times_s[-1] + 1, rng)
        pulsing = _pulsing(frames, boxes, still, vitals.at("bvp", times_s), rng)
        truth = truth_of(vitals, times_s[-1], (Vital.BVP,))
        name = f"{video.stem} at {rate:g}"
        yield JudgedClip("injected", name, tracked(pulsing, stamps_ns, requests), truth)
        again = tracked(_recompressed(pulsing), stamps_ns, requests)
        yield JudgedClip("injected, compressed again", name, again, truth)


def read_frames(video: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """RGB frames of a video, and their stamps, ns."""
    with contextlib.closing(open_recording(str(video), "").open()) as source:
        frames = [(frame.stamp_ns, image_of(frame)) for frame in source]
    return [image for _, image in frames], np.array([stamp_ns for stamp_ns, _ in frames])


def _boxes(frames: list[np.ndarray]) -> np.ndarray:
    """(T, 4) face boxes, held where nothing is found and smoothed: a place must stay a place."""
    detector, found, last = make_detector(), [], None
    for i, frame in enumerate(frames):
        if i % 5 == 0:
            faces = detector.detect(frame, 40)
            last = max((f.box for f in faces), key=lambda box: box.width, default=last)
        found.append(last)
    first = next(box for box in found if box is not None)
    boxes = np.array([box or first for box in found], dtype=np.float64)
    return (
        cv2.GaussianBlur(boxes, (1, 0), sigmaX=0.1, sigmaY=10, borderType=cv2.BORDER_REFLECT)
        if len(boxes) > 1
        else boxes
    )


def _region(frame: np.ndarray, box: np.ndarray) -> tuple[slice, slice]:
    x, y, width, height = np.round(box).astype(int)
    return slice(max(y, 0), min(y + height, frame.shape[0])), slice(max(x, 0), min(x + width, frame.shape[1]))


def _mask() -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : GRID * 1j, -1 : 1 : GRID * 1j]
    return np.clip((1.0 - np.hypot(x / 0.92, y / 0.98)) / 0.2, 0, 1).astype(np.float32)[..., None]


def _without_pulse(frames, boxes, times_s: np.ndarray, own_hz: float) -> np.ndarray:
    """(T, GRID, GRID, 3) factors that take the band of the face's own pulse out of each place."""
    small = np.stack(
        [
            cv2.resize(f[_region(f, b)], (GRID, GRID), interpolation=cv2.INTER_AREA)
            for f, b in zip(frames, boxes, strict=True)
        ]
    )
    light = np.log(np.maximum(_blurred(small.astype(np.float32)), 1.0))
    spectrum = np.fft.rfft(light, axis=0)
    hz = np.fft.rfftfreq(len(frames), (times_s[-1] - times_s[0]) / (len(times_s) - 1))
    stop = (np.abs(hz - own_hz) < STOP_HZ) | (np.abs(hz - 2 * own_hz) < STOP_SECOND_HZ)
    own = np.fft.irfft(np.where(stop[:, None, None, None], spectrum, 0), n=len(frames), axis=0)
    return np.exp(-own * _mask()).astype(np.float32)


def _blurred(stack: np.ndarray, places: float = 3.0) -> np.ndarray:
    """(T, S, S, 3) blurred in space."""
    return np.stack([cv2.GaussianBlur(image, (0, 0), places) for image in stack])


def _pulsing(
    frames, boxes, still: np.ndarray, bvp: np.ndarray, rng: np.random.Generator, strength: float = STRENGTH
) -> list[np.ndarray]:
    spread = np.clip(1 + 0.3 * noise_field(GRID, GRID / 8, rng), 0.2, 2.0)[..., None] * _mask()
    out = []
    for frame, box, factor, blood in zip(frames, boxes, still, bvp, strict=True):
        gain = factor * np.exp(-strength * blood * spread * BLOOD.astype(np.float32))
        rows, columns = _region(frame, box)
        part = frame[rows, columns]
        wide = cv2.resize(gain.astype(np.float32), part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        changed = frame.copy()
        dither = rng.uniform(-0.5, 0.5, part.shape)  # half a grey level would be rounded away in flat places
        changed[rows, columns] = np.clip(np.rint(part * wide + dither), 0, 255).astype(np.uint8)
        out.append(changed)
    return out


def _recompressed(frames: list[np.ndarray]) -> Iterator[np.ndarray]:
    height, width = frames[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/again.mp4"
        writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (width, height))
        for frame in frames:
            writer.write(frame[..., ::-1])
        writer.release()
        reader = cv2.VideoCapture(path)
        for _ in frames:
            there, frame = reader.read()
            assert there, "a frame was lost in compression"
            yield np.ascontiguousarray(frame[..., ::-1])
        reader.release()
