"""Real faces and fingers to fit and judge the belief on, as belief_data.py keeps them: people who move, with a pulse of known
rate put in or none; their photographs, lifeless in every way; and pulses of fingertips with a chest strap's truth.

    python benchmarks/belief_films.py OUT --reference REFERENCE --films d0 d3 ... --fingers 01 03 ... [--photographs 3]
"""

from __future__ import annotations

import argparse
import csv
import io
import multiprocessing
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
from belief_data import RGB_ENGINES, collect, keep
from injected import GRID, STRENGTH, _boxes, _pulsing, _without_pulse, read_frames
from scipy import signal

from rppg_ros.meter import CameraHalf
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.sync.policies import RGB
from rppg_ros.synthesis.haemodynamics import Body, simulate
from rppg_ros.synthesis.lifeless import World, random_rhythm
from rppg_ros.types import NS_PER_S, CropRequest, FaceCrop

SECONDS, STILL_S, LARGEST = 30.0, 20.0, 640
FINGER_HZ = 30
WINDOW_S, BEATS_S = 10, 4.0  # of the waveform to lay the strap upon; over which the truth is the mean
LOST = 8.0  # per minute: so far apart, the waveform's own rate says nothing of the strap's clock
AS_IT_IS = 2  # so many clips of a kind show a film as it is, the others as another camera would have taken it
OWN_RATE = {"face": 53.0, "face2": 54.0}  # of the people who keep still: it is taken out before another is put in


def forth_and_back(frames: list[np.ndarray], seconds: float, fps: float) -> list[np.ndarray]:
    """So many seconds of a film that is played to and fro."""
    there = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    return [frames[there[i % len(there)]] for i in range(round(seconds * fps))]


def small(frame: np.ndarray) -> np.ndarray:
    factor = LARGEST / max(frame.shape)
    if factor >= 1:
        return np.ascontiguousarray(frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2])
    width, height = (round(side * factor) // 2 * 2 for side in frame.shape[1::-1])
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)


def compressed(frames: list[np.ndarray], fps: int, crf: int) -> Iterator[np.ndarray]:
    """Through H.264 and back."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": str(crf), "preset": "veryfast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def crops_of(frames: Iterator[np.ndarray], fps: float) -> list[FaceCrop]:
    """The largest face's crops, as a node's tracker cuts them."""
    half, out = CameraHalf(EvaluationSettings(), CropRequest(72, 1.5), seed=0), []
    for i, frame in enumerate(frames):
        out += [one for one in half.push(RGB, round((i + 1) * NS_PER_S / fps), frame)]
    out += half.flush()
    faces = [one.crops for one in out if one.crops]
    common = max(
        {c.face_id for f in faces for c in f},
        key=lambda face: sum(c.face_id == face for f in faces for c in f),
        default="",
    )
    return [c for f in faces for c in f if c.face_id == common]


def film(job: tuple[str, str, int], reference: Path, out: Path) -> str:
    """One film as "pulse", "none", "photo", or "own": the pulse that is in it, where that is known."""
    stem, kind, number = job
    name = f"film-{stem}-{kind}-{number}"
    wanted = [engine for engine in RGB_ENGINES if not (out / f"{name}.{engine}.npz").exists()]
    if not wanted:
        return name
    rng = np.random.default_rng([zlib.crc32(name.encode())])
    path = next((reference / "recordings").glob(f"*/{stem}.mp4"))
    frames, stamps_ns = read_frames(path)
    fps = round((len(stamps_ns) - 1) / (stamps_ns[-1] - stamps_ns[0]) * NS_PER_S)
    frames = [small(frame) for frame in frames]
    if stem in OWN_RATE and kind not in ("photo", "own"):
        frames = without_own_pulse(frames, OWN_RATE[stem], fps)
    frames = forth_and_back(frames, STILL_S if kind == "own" else SECONDS, fps)
    if number >= AS_IT_IS:
        frames = varied(frames, rng)
    times_s, about = np.arange(len(frames)) / fps, {"world": "", "world_rate": np.nan, "world_strength": 0.0}
    truth = np.full(int(SECONDS), np.nan)
    if kind == "pulse":
        vitals = simulate(Body(heart_rate=float(rng.uniform(48, 165)), heart_wander=0.015), SECONDS + 1, rng)
        still = np.ones((len(frames), GRID, GRID, 3), np.float32)
        strength = STRENGTH if number < AS_IT_IS else STRENGTH * float(rng.uniform(0.6, 1.6))
        frames = _pulsing(frames, _boxes(frames), still, vitals.at("bvp", times_s), rng, strength)
        truth = np.array([vitals.mean_rate("heart_rate", end - 1, end) for end in range(1, int(SECONDS) + 1)])
    elif kind == "own":
        truth = np.full(int(STILL_S), OWN_RATE[stem])
    elif kind == "photo":
        frames, about = photographed(frames[int(rng.integers(len(frames)))], times_s, rng)
    crops = crops_of(compressed(frames, fps, int(rng.integers(12, 27))), fps)
    if len(crops) < 200:
        return f"{name}: no face for long enough"
    for engine in wanted:
        arrays = collect(crops, engine) | {"bvp_truth": truth}
        if kind == "photo":
            arrays["rsp_truth"] = truth
        keep(
            out / f"{name}.{engine}.npz",
            arrays,
            lives=kind in ("pulse", "own"),
            engine=engine,
            hardness=np.nan,
            **about,
        )
    return name


def varied(frames: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """The same film as another camera would have taken it: mirrored, smaller, darker, of another colour."""
    mirrored, gain = rng.uniform() < 0.5, rng.uniform(0.55, 1.1) * rng.uniform(0.9, 1.1, 3)
    factor = float(rng.uniform(0.55, 1.0))
    height, width = (max(96, round(side * factor) // 2 * 2) for side in frames[0].shape[:2])
    out = []
    for frame in frames:
        frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) * gain
        frame = np.clip(np.rint(frame), 0, 255).astype(np.uint8)
        out.append(np.ascontiguousarray(frame[:, ::-1]) if mirrored else frame)
    return out


def without_own_pulse(frames: list[np.ndarray], rate: float, fps: float) -> list[np.ndarray]:
    """A film without the pulse that is known to be in it."""
    boxes = _boxes(frames)
    factors = _without_pulse(frames, boxes, np.arange(len(frames)) / fps, rate / 60)
    rng = np.random.default_rng(0)
    return _pulsing(frames, boxes, factors, np.zeros(len(frames)), rng, 0.0)


def photographed(picture: np.ndarray, times_s: np.ndarray, rng: np.random.Generator) -> tuple[list[np.ndarray], dict]:
    """A picture before a camera with noise, still or in a hand, under a steady lamp or one with a rhythm."""
    light, shift, turn = np.ones(len(times_s)), np.zeros((len(times_s), 2)), np.zeros(len(times_s))
    about: dict = {"world": "", "world_rate": np.nan, "world_strength": 0.0}
    if rng.uniform() < 0.6:
        rhythm = random_rhythm(rng)
        wave = np.sin(2 * np.pi * rhythm.per_minute / 60 * times_s + rng.uniform(0, 6))
        if rhythm.world is World.MOTION:
            shift += 6 * rhythm.strength * wave[:, None] * rng.normal(size=2)
            turn += 0.02 * rhythm.strength * wave * rng.normal()
        else:
            light += 0.03 * rhythm.strength * wave
        world = World.MOTION if rhythm.world is World.MOTION else World.LIGHT
        about = {"world": world.value, "world_rate": rhythm.per_minute, "world_strength": rhythm.strength}
    if rng.uniform() < 0.4:  # in a hand
        walk = cv2.GaussianBlur(np.cumsum(rng.normal(size=(len(times_s), 2)), axis=0), (1, 0), sigmaX=0.1, sigmaY=8)
        shift += rng.uniform(0.02, 0.3) * walk
        turn += rng.uniform(0, 1e-3) * walk[:, 0]
    middle = np.array(picture.shape[1::-1]) / 2
    noise, frames = rng.uniform(0.5, 4), []
    for factor, move, angle in zip(light, shift, turn, strict=True):
        matrix = cv2.getRotationMatrix2D(middle.tolist(), float(np.degrees(angle)), 1.0)
        matrix[:, 2] += move
        moved = cv2.warpAffine(picture, matrix, picture.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
        grain = cv2.randn(np.empty(picture.shape, np.float32), 0, noise)
        frames.append(np.clip(moved * factor + grain, 0, 255).astype(np.uint8))
    return frames, about


def _beats_beside(beats_s: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Rate over the last BEATS_S of each second, (T,), by a strap whose clock is not the camera's: the two are laid upon one
    another where the strap's rates and the waveform's own differ least."""
    ends = np.arange(1, len(wave) // FINGER_HZ + 1)
    beat_s = np.cumsum(beats_s)

    def rates(length_s: float, later_s: float) -> np.ndarray:
        found = []
        for end in ends:
            mine = beats_s[(beat_s > end - length_s + later_s) & (beat_s <= end + later_s)]
            found.append(60 / mine.mean() if len(mine) > 1 else np.nan)
        return np.array(found)

    seen = np.full(len(ends), np.nan)
    for i, end in enumerate(ends):
        part = wave[max(end - WINDOW_S, 0) * FINGER_HZ : end * FINGER_HZ]
        if len(part) == WINDOW_S * FINGER_HZ:
            power = np.abs(np.fft.rfft(np.hanning(len(part)) * signal.detrend(part), 2**14)) ** 2
            per_minute = 60 * np.fft.rfftfreq(2**14, 1 / FINGER_HZ)
            power[(per_minute < 40) | (per_minute > 180)] = 0
            seen[i] = per_minute[power.argmax()]
    offsets = np.arange(-6, 6.1, 0.5)
    later_s = min(offsets, key=lambda offset: np.nanmean(np.minimum(np.abs(rates(WINDOW_S, offset) - seen), LOST)))
    return rates(BEATS_S, later_s)


def finger(subject: str, reference: Path, out: Path) -> str:
    """One fingertip's waveform."""
    name = f"finger-{subject}"
    folder = reference / "fingertip" / f"subject_{subject}"
    rows = np.array(list(csv.reader((folder / "PPG.csv").open()))[1:], float)
    beats = np.loadtxt(folder / "RR.txt") / 1000
    times = rows[:, 0] / 1000
    at = np.arange(times[0], times[-1], 1 / FINGER_HZ)
    wave = -np.interp(at, times, rows[:, 1])
    truth = _beats_beside(beats, wave)
    arrays = {"bvp_wave": wave, "bvp_start_ns": np.array(0), "bvp_hz": np.array(float(FINGER_HZ)), "bvp_truth": truth}
    keep(out / f"{name}.finger.npz", arrays, lives=True, engine="finger", world="", world_rate=np.nan, hardness=np.nan)
    return name


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--films", nargs="*", default=[])
    parser.add_argument("--fingers", nargs="*", default=[])
    parser.add_argument("--pulses", type=int, default=2, help="of each film; default: %(default)s")
    parser.add_argument("--own", action="store_true", help="only the films as they are, with the pulse that is in them")
    parser.add_argument("--photographs", type=int, default=3, help="of each film; default: %(default)s")
    parser.add_argument("--jobs", type=int, default=2, help="processes; default: %(default)s")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    for subject in args.fingers:
        print(finger(subject, args.reference, args.out), flush=True)
    jobs = [(stem, "none", 0) for stem in args.films]
    jobs += [(stem, "pulse", i) for stem in args.films for i in range(args.pulses)]
    jobs += [(stem, "photo", i) for stem in args.films for i in range(args.photographs)]
    if args.own:
        jobs = [(stem, "own", 0) for stem in args.films if stem in OWN_RATE]
    with ProcessPoolExecutor(args.jobs, multiprocessing.get_context("spawn")) as pool:
        for found in pool.map(partial(film, reference=args.reference, out=args.out), jobs):
            print(found, flush=True)


if __name__ == "__main__":
    main()
