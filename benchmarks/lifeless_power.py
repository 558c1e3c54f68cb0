"""How loud a network is where nobody lives: power of its raw output in the pulse's (breath's) band, against living people.

    python benchmarks/lifeless_power.py JUDGED MODEL...

JUDGED: folder of crops that paper_ablations.py kept. MODEL: an .onnx file with a card, or a shipped model's name. The output is
taken before the pipeline standardises it. Decibels below the mean of the real people who move, and of the hard made-up people.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnxruntime
from ablation_judged import Judged, _kept
from belief_data import _reduced
from scipy import signal

from rppg_ros import weights
from rppg_ros.inference.card import ModelCard
from rppg_ros.inference.onnx_engine import THERMAL_COUNTS_PER_DEGREE
from rppg_ros.sync.resample import grid_ns, resample
from rppg_ros.types import Vital

BANDS = {Vital.BVP: (0.7, 3.3), Vital.RSP: (0.1, 0.7)}


def clip_of(card: ModelCard, judged: Judged) -> np.ndarray:
    """(1, C, T, S, S) on the network's clock."""
    stamps = np.array([crop.stamp_ns for crop in judged.crops])
    count = int((stamps[-1] - stamps[0]) * card.rate_hz / 1e9)
    at_ns = grid_ns(int(stamps[0]), card.rate_hz, 0, count)
    planes = []
    if "rgb" in card.channels:
        rgb = np.stack([_reduced(crop.rgb, card.size) for crop in judged.crops])
        planes.append(resample(stamps, rgb, at_ns).transpose(3, 0, 1, 2))
    if "thermal" in card.channels:
        warm = [crop for crop in judged.crops if crop.thermal is not None]
        if warm:
            heat = np.stack([_reduced(crop.thermal, card.size) for crop in warm])
            heat = resample(np.array([crop.stamp_ns for crop in warm]), heat, at_ns)
        else:
            heat = np.zeros((count, card.size, card.size), np.float32)
        planes.append((heat * THERMAL_COUNTS_PER_DEGREE)[None])
    return np.concatenate(planes)[None].astype(np.float32)


def powers(session: onnxruntime.InferenceSession, card: ModelCard, clip: np.ndarray) -> dict[Vital, float]:
    """Mean square of the output in the band, over windows of the card's length (a stream's: all of it)."""
    length = clip.shape[2] if card.state else card.frames + card.pad_frames
    found = defaultdict(list)
    for first in range(0, clip.shape[2] - length + 1, max(length - card.pad_frames, 1)):
        feed = {session.get_inputs()[0].name: clip[:, :, first : first + length]}
        feed |= {state.input: np.zeros((1, *state.shape), np.float32) for state in card.state}
        names = [card.outputs[task] for task in card.tasks]
        for task, wave in zip(card.tasks, session.run(names, feed), strict=True):
            sos = signal.butter(2, BANDS[task], "bandpass", fs=card.rate_hz, output="sos")
            found[task].append(float(np.mean(signal.sosfiltfilt(sos, wave[0].astype(float)) ** 2)))
    return {task: float(np.mean(values)) for task, values in found.items()}


def main() -> None:
    """Command line."""
    folder, models = Path(sys.argv[1]), sys.argv[2:]
    names = sorted(path.stem for path in folder.glob("*.npz"))
    heads = [f"{group}: {what}" for group in ("moving", "hard") for what in ("bvp", "rsp")]
    print(f"| model | {' | '.join(f'below {head}, dB' for head in heads)} |\n|---|{'---:|' * len(heads)}")
    for model in models:
        session = onnxruntime.InferenceSession(str(weights.resolve(model)), providers=["CPUExecutionProvider"])
        card = ModelCard.from_session(session)
        groups: dict[tuple[str, Vital], list[float]] = defaultdict(list)
        for name in names:
            group, _, rest = name.partition("-")
            clip = clip_of(card, _kept(folder, group, rest, None))
            for task, power in powers(session, card, clip).items():
                groups[group, task].append(power)
        cells = []
        for group in ("moving", "hard"):
            for task in Vital:
                live, dead = groups.get((group, task)), groups.get(("lifeless", task))
                known = live and dead and not (group == "moving" and task is Vital.RSP)
                cells.append(f"{10 * np.log10(np.mean(live) / np.mean(dead)):.1f}" if known else "-")
        print(f"| {model} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
