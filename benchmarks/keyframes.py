"""How much of the pulse that is read off a video is the rhythm of its keyframes: rates before and after that rhythm is taken out.

    python benchmarks/keyframes.py VIDEO ENGINE...

What repeats from keyframe to keyframe is learnt in one half of the video, place by place and colour by colour, and taken out of
the other: a pulse, which does not beat with the encoder, is not in the other half at the same phase. In each cell: the rate of
the whole waveform (the nodes' band), then the numbers that a subscriber would have got, from second to second.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from clips import JudgedClip, named_engine, requests_of, steady, tracked
from injected import read_frames
from scipy.signal import savgol_filter

from rppg_ros.sources.keyframes import keyframe_times
from rppg_ros.types import NS_PER_S, Vital

GRID = (80, 60)  # places, across and down
BLUR = 1.5  # places
SLOW = 2  # keyframe periods; what changes slower than that is no rhythm


def keyframe_period(video: Path, stamps_ns: np.ndarray) -> int:
    """Frames from keyframe to keyframe.

    Raises
    ------
    SystemExit : they do not come evenly.
    """
    at = np.searchsorted((stamps_ns - stamps_ns[0]) / NS_PER_S, keyframe_times(video) - 1e-3)
    periods = np.unique(np.diff(at))
    if len(periods) != 1:
        raise SystemExit(f"{video}: its keyframes do not come evenly: {periods} frames apart")
    return int(periods[0])


def without_rhythm(frames: list[np.ndarray], period: int) -> Iterator[np.ndarray]:
    """RGB uint8 frames less what repeats every so many frames in the other half of them."""
    small = np.stack([cv2.resize(frame, GRID, interpolation=cv2.INTER_AREA).astype(np.float32) for frame in frames])
    light = np.log(np.maximum([cv2.GaussianBlur(image, (0, 0), BLUR) for image in small], 4.0))
    fast = light - savgol_filter(light, SLOW * period | 1, 2, axis=0)
    whole = len(frames) // period
    folded = fast[: whole * period].reshape(whole, period, *fast.shape[1:])
    halves = [folded[whole // 2 :].mean(0), folded[: whole // 2].mean(0)]
    rng = np.random.default_rng(0)
    for i, frame in enumerate(frames):
        rhythm = halves[i >= whole // 2 * period]
        gain = np.exp(rhythm.mean(0) - rhythm[i % period])
        dither = rng.uniform(-0.5, 0.5, frame.shape)  # half a grey level would be rounded away
        yield np.clip(np.rint(frame * cv2.resize(gain, frame.shape[1::-1]) + dither), 0, 255).astype(np.uint8)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("engines", nargs="+", help="pos, chrom, or a model")
    args = parser.parse_args()
    frames, stamps_ns = read_frames(args.video)
    period = keyframe_period(args.video, stamps_ns)
    seconds = float(stamps_ns[-1] - stamps_ns[0]) / NS_PER_S
    print(f"a keyframe every {period} frames: {60 * (len(frames) - 1) / seconds / period:.1f} a minute\n")
    print("| | as it is | keyframes' rhythm taken out |\n|---|---|---|")
    truth = steady({Vital.BVP: np.nan}, seconds)
    requests = requests_of(args.engines)
    shown = {
        "as it is": tracked(frames, stamps_ns, requests),
        "taken out": tracked(without_rhythm(frames, period), stamps_ns, requests),
    }
    for engine in args.engines:
        cells = [_cell(JudgedClip("", name, cuts, truth), named_engine(engine)) for name, cuts in shown.items()]
        print(f"| {Path(engine).stem} | " + " | ".join(cells) + " |", flush=True)


def _cell(clip: JudgedClip, engine) -> str:
    task = clip.run(engine)[Vital.BVP]
    given = [
        f"{at:.0f} s: {rate:.0f}"
        for at, rate in zip(task.running.at_s, task.running.measured, strict=True)
        if rate == rate
    ]
    return f"{task.windows.measured[0]:.1f} ({', '.join(given) or 'none given'})"


if __name__ == "__main__":
    main()
