"""Faults of files (groups 13, 14, 24, 25, 26): each must be refused in one line that names the file."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from faults_judge import Outcome

from rppg_ros import weights
from rppg_ros.commands.main import main as command
from rppg_ros.evaluation.results import Results
from rppg_ros.inference.factory import make_engine
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.settings.files import read_params_file
from rppg_ros.sources.factory import open_source

MAX_REFUSAL_S = 10.0
KNOWN = (ValueError, RuntimeError, OSError)  # what all errors that we name are of


def refused(group: str, fault: str, path: Path | str, act: Callable[[], object]) -> Outcome:
    """Whether an action on a bad file is refused, quickly, by an error that names the file."""
    outcome, started = Outcome(group, fault), time.monotonic()
    try:
        act()
        outcome.wrong = "taken as if it were good"
    except KNOWN as error:
        outcome.named = str(error) if Path(path).name in str(error) else ""
        outcome.died = "" if type(error) not in (RuntimeError, ValueError) else f"{type(error).__name__}: {error}"
    except BaseException as error:
        outcome.died = f"{type(error).__name__}: {error}"
    outcome.note = f"{time.monotonic() - started:.1f} s"
    if time.monotonic() - started > MAX_REFUSAL_S:
        outcome.died = outcome.died or "takes too long"
    return outcome


def outcomes(groups: set[str]) -> Iterator[Outcome]:
    """All cases of some groups."""
    with tempfile.TemporaryDirectory() as name:
        for group, cases in (("13", _models), ("14", _parameters), ("24", _sources), ("25", _runs), ("26", _hostile)):
            if group in groups:
                folder = Path(name) / group
                folder.mkdir()
                yield from cases(folder)


def _models(folder: Path) -> Iterator[Outcome]:
    good = weights.resolve("mmrphys-rgb").read_bytes()
    contents = {
        "missing": None,
        "empty": b"",
        "cut": good[: len(good) // 2],
        "random": np.random.default_rng(0).bytes(100_000),
        "of 300 MB": bytes(300_000_000),
        "not ours": good.replace(b"rppg_ros.card", b"else_ros.card"),
        "card of another size": good.replace(b'"size": 36', b'"size": 63'),
        "card with NaN": good.replace(b'"rate_hz": 15.0', b'"rate_hz":  NaN'),
    }
    for fault, content in contents.items():
        path = folder / f"{fault.replace(' ', '_')}.onnx"
        if content is not None:
            path.write_bytes(content)
        yield refused("13", f"model {fault}", path, lambda path=path: make_engine(model=str(path)))
        path.unlink(missing_ok=True)


def _parameters(folder: Path) -> Iterator[Outcome]:
    section = "vitals:\n  ros__parameters:\n    "
    texts = {
        "out of range": f"{section}hop: 500.0\n",
        "of another type": f"{section}hop: often\n",
        "NaN": f"{section}hop: .nan\n",
        "misspelt": f"{section}hpo: 0.5\n",
        "of another node": f"{section}max_faces: 1\n",
        "in a misspelt node": "vitls:\n  ros__parameters: {hop: 0.5}\n",
        "flat": "hop: 0.5\n",
    }
    for fault, text in texts.items():
        yield _parameter_file(folder, "14", f"parameter {fault}", text)


def _parameter_file(folder: Path, group: str, fault: str, text: str) -> Outcome:
    path = folder / "parameters.yaml"
    path.write_text(text)
    return refused(group, fault, path, lambda: read_params_file(path, EvaluationSettings))


def _film(path: Path, frames: int = 60, code: str = "MJPG") -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 30.0, (64, 48))
    rng = np.random.default_rng(0)
    for _ in range(frames):
        writer.write(rng.integers(0, 255, (48, 64, 3), np.uint8))
    writer.release()
    return path


def _sources(folder: Path) -> Iterator[Outcome]:
    def all_of(path: Path | str) -> Callable[[], object]:
        return lambda: sum(1 for _ in open_source(str(path)))

    yield refused("24", "video missing", "no.mp4", all_of(folder / "no.mp4"))
    for code, suffix in (("MJPG", "avi"), ("mp4v", "mp4")):
        path = _film(folder / f"cut.{suffix}", code=code)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        yield refused("24", f"{suffix} cut", path, all_of(path))
    path = _film(folder / "hole.avi")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 9000] = bytes(9000)
    path.write_bytes(content)
    yield refused("24", "avi with a hole", path, all_of(path))
    (folder / "bag").mkdir()
    (folder / "bag" / "metadata.yaml").write_text("rosbag2_bagfile_information: {version: 5}\n")
    yield refused("24", "bag without storage", "bag", all_of(folder / "bag"))
    yield refused("24", "camera 97, not there", "97", all_of("97"))


def _runs(folder: Path) -> Iterator[Outcome]:
    def films(name: str, truth: bytes) -> Path:
        place = folder / name
        place.mkdir()
        for one in ("good", "odd"):
            _film(place / f"{one}.avi", 90)
            (place / f"{one}.csv").write_bytes(b"time_s,heart_rate\n0,60\n1,61\n")
        (place / "odd.csv").write_bytes(truth)
        return place

    truths = {
        "empty": b"",
        "binary": np.random.default_rng(0).bytes(1000),
        "text in numbers": b"time_s,heart_rate\n0,sixty\n",
        "530 a minute": b"time_s,heart_rate\n0,530\n",
        "huge numbers": b"stamp_ns,heart_rate\n1e400,60\n",
        "another time": b"time_s,heart_rate\n5000,60\n",
    }
    for fault, truth in truths.items():
        place = films(fault.replace(" ", "_"), truth)
        outcome = Outcome("25", f"truth: {fault}")
        code, said = _evaluate(place, place / "out")
        try:
            kept = Results.load(place / "out" / "results.json").recordings
            errors = {Path(one.name).stem: one.error for one in kept}
            outcome.named = errors["odd"] if "odd" in errors["odd"] and not errors["good"] else ""
            outcome.wrong = "" if errors["odd"] else "taken as if it were good"
        except Exception as error:
            outcome.died = f"exit code {code}: {said or error}"
        yield outcome
    place = films("full", b"time_s,heart_rate\n0,60\n")
    (place / "out").mkdir()
    (place / "out" / ".results.json.partial").symlink_to("/dev/full")
    code, said = _evaluate(place, place / "out")
    yield Outcome(
        "25", "full disk", "" if code == 2 else f"exit code {code}", named=said if "results.json" in said else ""
    )


def _evaluate(place: Path, out: Path) -> tuple[object, str]:
    """Exit code and standard error."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            code: object = command(["evaluate", str(place), "-o", str(out), "--model", "none"])
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"
    return code, errors.getvalue()


class _Marks:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.mkdir, (str(self._path),)


def _hostile(folder: Path) -> Iterator[Outcome]:
    laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)
    )
    yield _parameter_file(folder, "26", "YAML 3000 deep", "a: " + "[" * 3000 + "]" * 3000)
    yield _parameter_file(folder, "26", "YAML of a billion laughs", laughs)
    mark = folder / "mark"
    yield _parameter_file(folder, "26", "YAML with code", f'!!python/object/apply:os.mkdir ["{mark}"]')
    path = folder / "harm.pt"
    path.write_bytes(pickle.dumps(_Marks(mark)))
    try:
        from rppg_ros.models.checkpoint import read_file
    except ImportError:
        yield Outcome("26", "pickle with code", expected=False, note="torch is not installed")
    else:
        yield refused("26", "pickle with code", path, lambda: read_file(path))
    if mark.exists():
        yield Outcome("26", "code of a file", died="it was run")
