"""Face detectors side by side on people who move: frames with a face, how steady the crops are, and what rates they leave.

    python benchmarks/detectors.py --reference REFERENCE --yunet FILE.onnx [--engines pos mmrphys-rgb] [--pulses 1]

A pulse of known rate is put into each film, which is then compressed (H.264). Each detector runs in the nodes' tracker, on the
same frames. A row for each detector and film, and means. How much a crop moves is partly the face's own movement: compare rows.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from ablation_judged import Judged, scores
from belief_films import SECONDS, compressed, forth_and_back, small
from clips import named_engine, truth_of
from injected import GRID, STRENGTH, _boxes, _pulsing, read_frames

from rppg_ros.meter import CameraHalf
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.sync.policies import RGB
from rppg_ros.synthesis.haemodynamics import Body, simulate
from rppg_ros.types import NS_PER_S, CropRequest, FaceCrop, Vital

HEADS = ("found, %", "crop moves, %", "tracker, ms a frame")


def film(path: Path, number: int) -> tuple[list[np.ndarray], int, object]:
    """Frames with a pulse, their rate, and the truth."""
    frames, stamps_ns = read_frames(path)
    fps = round((len(stamps_ns) - 1) / (stamps_ns[-1] - stamps_ns[0]) * NS_PER_S)
    frames = forth_and_back([small(frame) for frame in frames], SECONDS, fps)
    rng = np.random.default_rng([number, len(frames), 7])
    body = simulate(Body(heart_rate=float(rng.uniform(50, 150)), heart_wander=0.01), SECONDS + 1, rng)
    still = np.ones((len(frames), GRID, GRID, 3), np.float32)
    pulsing = _pulsing(frames, _boxes(frames), still, body.at("bvp", np.arange(len(frames)) / fps), rng, STRENGTH)
    return list(compressed(pulsing, fps, 20)), fps, truth_of(body, SECONDS, (Vital.BVP,))


def tracked(frames: list[np.ndarray], fps: int, settings: EvaluationSettings) -> tuple[list[FaceCrop], float]:
    """Crops of the face that is seen longest, and milliseconds a frame."""
    half, out = CameraHalf(settings, CropRequest(72, 1.5), seed=0), []
    began = time.process_time()
    for i, frame in enumerate(frames):
        out += half.push(RGB, round((i + 1) * NS_PER_S / fps), frame)
    out += half.flush()
    spent = 1e3 * (time.process_time() - began) / len(frames)
    count: dict[str, int] = defaultdict(int)
    for one in out:
        for crop in one.crops:
            count[crop.face_id] += 1
    chosen = max(count, key=lambda face: count[face], default="")
    return [crop for one in out for crop in one.crops if crop.face_id == chosen], spent


def unsteady(crops: list[FaceCrop]) -> float:
    """Second differences of the middle from frame to frame, percent of the side, root mean square."""
    middle = np.array([[c.box.x + c.box.width / 2, c.box.y + c.box.height / 2] for c in crops])
    side = np.array([c.box.width for c in crops])
    jerks = np.diff(middle, 2, axis=0) / side[1:-1, None]
    return float(100 * np.sqrt(np.mean(np.sum(jerks**2, axis=1))))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--yunet", required=True)
    parser.add_argument("--engines", nargs="*", default=["pos", "mmrphys-rgb", "phasenet-causal"])
    parser.add_argument("--pulses", type=int, default=1, help="of each film; default: %(default)s")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    kinds = {
        "haar": EvaluationSettings(detector_name="haar"),
        "yunet": EvaluationSettings(detector_name="yunet", detector_model=args.yunet),
    }
    heads = (*HEADS, *(f"{engine}: {what}" for engine in args.engines for what in ("given, %", "right, %")))
    print(f"| film | detector | {' | '.join(heads)} |\n|---|---|{'---:|' * len(heads)}")
    rows: dict[str, list[list[float]]] = defaultdict(list)
    for path in sorted((args.reference / "recordings" / "moving").glob("*.mp4")):
        for number in range(args.pulses):
            frames, fps, truth = film(path, number)
            for name, settings in kinds.items():
                crops, spent = tracked(frames, fps, settings)
                row = [100 * len(crops) / len(frames), unsteady(crops) if len(crops) > 3 else np.nan, spent]
                for engine in args.engines:
                    found = scores(named_engine(engine), Judged("moving", path.stem, crops, truth)) if crops else {}
                    given = found.get("bvp_given", 0.0)
                    row += [100 * given / SECONDS, 100 * found["bvp_right"] / given if given else np.nan]
                rows[name].append(row)
                print(f"| {path.stem} | {name} | {' | '.join(f'{x:.3g}' for x in row)} |", flush=True)
    for name, found in rows.items():
        print(f"| mean | {name} | {' | '.join(f'{x:.3g}' for x in np.nanmean(found, axis=0))} |")


if __name__ == "__main__":
    main()
