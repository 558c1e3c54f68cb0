"""How real people move before a camera, and how made-up ones do: the same figures of both, in crops as networks get them.

    python benchmarks/motion_statistics.py JUDGED [--hardness 0.1 0.4 0.7 1.0] [--people 12]

JUDGED: folder of crops that paper_ablations.py kept (real people who talk, grimace and turn). Both are read at 72 pixels and put
on a clock of 25 frames a second. Each figure is the median over clips, and the range of the middle 80 % of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from scipy import signal

from rppg_ros.sync.resample import resample
from rppg_ros.synthesis.clip import make_clip
from rppg_ros.synthesis.sampler import random_scene
from rppg_ros.types import NS_PER_S

RATE_HZ, SIDE, SECONDS, SEED = 25.0, 72, 20.0, 980_000
BAND_HZ = (0.7, 3.0)
CELLS = 9
FACE = (slice(18, 54), slice(18, 54))  # the middle of the crop: skin in most


def clock(rgb: np.ndarray, stamps_ns: np.ndarray) -> np.ndarray:
    """(T, S, S, 3) float32 on the clock."""
    at_ns = stamps_ns[0] + np.round(
        np.arange(int((stamps_ns[-1] - stamps_ns[0]) / NS_PER_S * RATE_HZ)) * NS_PER_S / RATE_HZ
    ).astype(np.int64)
    return resample(stamps_ns, rgb, at_ns[: int(SECONDS * RATE_HZ)])


def flows(frames: np.ndarray) -> np.ndarray:
    """(T - 1, S, S, 2) movement from frame to frame, pixels."""
    grey = [cv2.cvtColor(np.clip(frame, 0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY) for frame in frames]
    return np.stack(
        [
            cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 3, 11, 2, 5, 1.1, 0)
            for a, b in zip(grey[:-1], grey[1:], strict=True)
        ]
    )


def in_band(courses: np.ndarray) -> np.ndarray:
    """RMS (n,) of courses (n, T) in the pulse's band."""
    b, a = signal.butter(2, BAND_HZ, "bandpass", fs=RATE_HZ)
    return np.sqrt(np.mean(signal.filtfilt(b, a, courses, axis=1) ** 2, axis=1))


def figures(frames: np.ndarray) -> dict[str, float]:
    """Of one clip."""
    flow = flows(frames)
    face = flow[:, FACE[0], FACE[1]]
    whole = face.mean(axis=(1, 2))
    cells = np.stack([[cv2.resize(f, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for f in face]])[0]
    own = cells - whole[:, None, None]
    skin = frames[:, FACE[0], FACE[1]].mean(axis=(1, 2))
    shares = skin / skin.mean(axis=0) - 1
    sharp = np.array([cv2.Laplacian(frame.mean(axis=2), cv2.CV_32F)[FACE].var() for frame in frames])
    small = np.stack([cv2.resize(frame, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for frame in frames])
    green = small[..., 1].reshape(len(small), -1).T
    return {
        "movement of the face in the crop, pixels a frame": float(np.sqrt(np.mean(np.sum(whole**2, axis=1)))),
        "the same, 95th percentile": float(np.percentile(np.hypot(*whole.T), 95)),
        "share of it in the pulse's band, %": 100
        * float(np.sum(in_band(whole.T) ** 2) / max(np.sum(whole.var(axis=0)), 1e-12)),
        "movement of parts against the face, pixels a frame": float(np.sqrt(np.mean(np.sum(own**2, axis=-1)))),
        "of parts, 95th percentile": float(np.percentile(np.hypot(*np.moveaxis(own, -1, 0)), 95)),
        "skin's green in the pulse's band, %": 100 * float(in_band(shares[:, 1][None])[0]),
        "skin's red less green in the pulse's band, %": 100 * float(in_band((shares[:, 0] - shares[:, 1])[None])[0]),
        "skin's slow change of green (below the band), %": 100 * float(np.std(signal.detrend(shares[:, 1]))),
        "green of a cell in the pulse's band, %": 100
        * float(np.median(in_band(green / np.maximum(green.mean(axis=1, keepdims=True), 1)))),
        "sharpness, coefficient of variation, %": 100 * float(sharp.std() / max(sharp.mean(), 1e-9)),
        "bursts: frames that move thrice the median, %": 100
        * float(np.mean(np.hypot(*whole.T) > 3 * np.median(np.hypot(*whole.T)))),
    }


def real(folder: Path) -> list[np.ndarray]:
    """Crops of the films, one pulse of each."""
    found = [np.load(path) for path in sorted(folder.glob("moving-*-0.npz"))]
    return [clock(data["rgb"], data["stamps"]) for data in found]


def made_up(hardness: float, people: int) -> list[np.ndarray]:
    """Crops of the generator's people."""
    out = []
    for number in range(people):
        rng = np.random.default_rng([SEED + number, round(1000 * hardness)])
        clip = make_clip(random_scene(rng, hardness, False), SECONDS + 1, SIDE, SEED + number, SIDE)
        out.append(clock(clip.rgb, np.round(clip.times_s * NS_PER_S).astype(np.int64)))
    return out


def main(read: Callable[[np.ndarray], dict[str, float]] = figures) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judged", type=Path)
    parser.add_argument("--hardness", type=float, nargs="*", default=[0.1, 0.4, 0.7, 1.0])
    parser.add_argument("--people", type=int, default=12)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    columns = {"real people who move": [read(clip) for clip in real(args.judged)]}
    for hardness in args.hardness:
        columns[f"made-up, hardness {hardness:g}"] = [read(clip) for clip in made_up(hardness, args.people)]
    print(f"| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    for name in next(iter(columns.values()))[0]:
        cells = []
        for clips in columns.values():
            values = np.array([clip[name] for clip in clips])
            low, high = np.percentile(values, [10, 90])
            cells.append(f"{np.median(values):.2g} ({low:.2g} to {high:.2g})")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
