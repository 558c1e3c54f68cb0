"""Fits what the quality of an engine's rates follows from, on made-up people; writes JSON for the model's card.

    python benchmarks/engine_calibration.py ENGINE -o calibration.json [--people 80] [--thermal]

Windows of the lengths that the nodes use are cut out of the waveforms. Half of the people are fitted on, half reported on. The
same spectrum is worth less in a hard scene than in an easy one, and nothing tells the scenes apart: the easiest are left out, so
that the quality does not promise too much in the others.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from clips import JudgedClip, made_up, named_engine, request_of
from quality_calibration import fit, report, row

from rppg_ros.meter import VitalsHalf
from rppg_ros.types import NS_PER_S, Vital, Waveform
from rppg_ros.vitals.registry import RATES, RateSpec

SECONDS = 60.0
FIRST_SEED = 500_000  # none of these people is judged on
STEP_S = {Vital.BVP: 3.0, Vital.RSP: 5.0}


def rows_of(
    person: int, engine: str, thermal: bool, people: int, hardness: tuple[float, float]
) -> dict[Vital, np.ndarray]:
    """Features of the windows of one person, see quality_calibration.features."""
    low, high = hardness
    made = named_engine(engine)
    share = (person + 0.5) / people
    clip = made_up(FIRST_SEED + person, SECONDS, thermal, low + (high - low) * share, [request_of(made)])
    start_ns = clip.crops(made)[0][0]
    return {vital: _rows(pieces, clip, start_ns, RATES[vital]) for vital, pieces in _waves(clip, made).items()}


def _waves(clip: JudgedClip, engine) -> dict[Vital, list[Waveform]]:
    half, found = VitalsHalf(engine), {}
    outputs = [o for stamp_ns, crops in clip.crops(engine) for o in half.push(stamp_ns, crops)] + half.flush()
    for output in outputs:
        if isinstance(output, Waveform):
            found.setdefault(output.vital, []).append(output)
    return found


def _rows(pieces: list[Waveform], clip: JudgedClip, clip_start_ns: int, spec: RateSpec) -> np.ndarray:
    rate_hz, samples = pieces[0].rate_hz, np.concatenate([piece.samples for piece in pieces])
    start_s = (pieces[0].start_ns - clip_start_ns) / NS_PER_S
    known = clip.truth.rates[spec.vital]
    at_s = known.stamps_ns / NS_PER_S
    rows = []
    for end in np.arange(spec.min_window_s, len(samples) / rate_hz, STEP_S[spec.vital]):
        length = min(spec.window_s, end)
        part = samples[round((end - length) * rate_hz) : round(end * rate_hz)]
        inside = (at_s >= start_s + end - length) & (at_s <= start_s + end)
        rows.append(row(part, rate_hz, spec, known.values[inside].mean()))
    return np.array([one for one in rows if one is not None]).reshape(-1, 6)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", help="pos, chrom, or a model")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--people", type=int, default=80, help="default: %(default)s")
    parser.add_argument("--thermal", action="store_true", help="with a thermal camera")
    parser.add_argument("--hardness", type=float, nargs=2, default=(0.3, 1.0), help="from and to; default: %(default)s")
    parser.add_argument("--kept", type=Path, help="file to keep the windows' features in between fits")
    parser.add_argument("--pool", type=Path, nargs="*", default=[], help="files kept by other runs, to fit on as well")
    parser.add_argument(
        "--fit-all", action="store_true", help="on both halves: the report is then none of held-out people"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes; default: %(default)s")
    args = parser.parse_args()
    result = {}
    for vital, (fitted, checked) in _features(args).items():
        for path in args.pool:
            more = pickle.loads(path.read_bytes())[vital]  # our own file
            fitted, checked = np.concatenate([fitted, more[0]]), np.concatenate([checked, more[1]])
        calibration = fit(np.concatenate([fitted, checked]) if args.fit_all else fitted, RATES[vital])
        report(checked, calibration, RATES[vital])
        result[vital.value] = asdict(calibration)
    args.output.write_text(json.dumps(result, indent=1))


def _features(args: argparse.Namespace) -> dict[Vital, tuple[np.ndarray, np.ndarray]]:
    """Of each task's windows: those to fit on and those to check with."""
    if args.kept and args.kept.is_file():
        return pickle.loads(args.kept.read_bytes())  # our own file
    task = partial(
        rows_of,
        engine=args.engine,
        thermal=args.thermal,
        people=args.people,
        hardness=tuple(args.hardness),
    )
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("fork")) as pool:
        found = list(pool.map(task, range(args.people)))
    both = {
        vital: tuple(np.concatenate([one[vital] for one in found[i::2] if vital in one]) for i in (0, 1))
        for vital in sorted({vital for one in found for vital in one})
    }
    if args.kept:
        args.kept.write_bytes(pickle.dumps(both))
    return both


if __name__ == "__main__":
    main()
