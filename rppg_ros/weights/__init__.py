"""Networks that come with the package: trained here, on people made up here, so that no licence and no download is between
a user and the first heartbeat. Each is an .onnx file that carries its card (`rppg-ros models info NAME`), and beside it the
checkpoint that it was exported from, for those who train it further on their own recordings."""

from __future__ import annotations

from pathlib import Path

SUFFIX, CHECKPOINT = ".onnx", ".pt"
WITH_THERMAL, WITHOUT_THERMAL = "mmrphys-rgbt", "mmrphys-rgb"  # of mobile_robot.launch.py; docs/accuracy.md says why


def names() -> tuple[str, ...]:
    """Shipped models, in alphabetical order."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob(f"*{SUFFIX}")))


def resolve(model: str | Path) -> Path:
    """The file of a model that is given as a user gives it: a path, or the name of a shipped one.

    A file of that path goes before a shipped model of that name. Whether the file is there is for the caller to find out.
    """
    return _shipped(model, SUFFIX)


def checkpoint(model: str | Path) -> Path:
    """The checkpoint of a model that is given as for `resolve`."""
    return _shipped(model, CHECKPOINT)


def _shipped(model: str | Path, suffix: str) -> Path:
    path = Path(model)
    return Path(__file__).parent / f"{model}{suffix}" if not path.is_file() and str(model) in names() else path


def hint() -> str:
    """What to say beside "no such file"."""
    return f"; shipped models are: {', '.join(names())}" if names() else ""
