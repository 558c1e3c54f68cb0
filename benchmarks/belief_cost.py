"""What the belief costs for each face: processor time for each second of waveform, of heart and breath.

    python benchmarks/belief_cost.py KEPT.npz     # a living subject of belief_data.py, by mmrphys-rgb

Also with what the tracker measures beside the crop (parts of the face, surroundings), for each frame.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time

import numpy as np

from rppg_ros.inference.evidence_log import EvidenceLog
from rppg_ros.types import NS_PER_S, Box, Vital, Waveform
from rppg_ros.vision.evidence import EVIDENCE_SIZE, WIDTH, EvidenceMeter
from rppg_ros.vitals.reader import RateReader
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.spectral_evidence import GRIDS


def reading(data, vital: Vital) -> tuple[float, int]:
    """Processor seconds, and looks, once the window is full."""
    rate_hz, wave, start_ns = float(data[f"{vital}_hz"]), data[f"{vital}_wave"], int(data[f"{vital}_start_ns"])
    log, reader, rows = (
        EvidenceLog(),
        RateReader(RATES[vital], 0.8),
        list(zip(data["at_ns"], _wide(data["evidence"]), strict=True)),
    )
    step, spent, looks = round(rate_hz), 0.0, 0
    for first in range(0, len(wave) - step + 1, step):
        piece = Waveform(
            vital, "f", start_ns + round(first * NS_PER_S / rate_hz), rate_hz, wave[first : first + step], "m"
        )
        log.add((int(stamp_ns), row) for stamp_ns, row in rows if stamp_ns <= piece.end_ns + NS_PER_S)
        began = time.process_time()
        reader.push(piece, log)
        if first > GRIDS[vital].window_s * rate_hz:
            spent, looks = spent + time.process_time() - began, looks + 1
    return spent, looks


def _wide(evidence: np.ndarray) -> np.ndarray:
    """Older files lack the newest columns."""
    return np.pad(evidence, ((0, 0), (0, WIDTH - evidence.shape[1])))


def looking() -> float:
    """Processor seconds for each frame of EvidenceMeter."""
    crop, meter = (
        np.random.default_rng(0).integers(0, 255, (EVIDENCE_SIZE, EVIDENCE_SIZE, 3), dtype=np.uint8),
        EvidenceMeter(),
    )
    began = time.process_time()
    for _ in range(300):
        meter.measure(crop, None, Box(200, 100, 160, 160))
    return (time.process_time() - began) / 300


def main() -> None:
    """Command line."""
    data = np.load(sys.argv[1])
    print("| what | ms | of a core, % |\n|---|---:|---:|")
    for vital in Vital:
        spent, looks = reading(data, vital)
        print(f"| belief, {RATES[vital].name}, a second | {1e3 * spent / looks:.1f} | {100 * spent / looks:.2f} |")
    spent = looking()
    print(f"| evidence of a crop, a frame (30 a second) | {1e3 * spent:.2f} | {100 * 30 * spent:.2f} |")


if __name__ == "__main__":
    main()
