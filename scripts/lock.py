"""Writes requirements/lock-*.txt: the versions that make installs, with their hashes, for every Python that there are wheels for.

    python scripts/lock.py [--uv UV] [--cpu-torch WHEEL ...]

`make lock` runs it. A lock holds what those before it do not. Apart are torch and the CUDA libraries that PyPI's build of it
needs: a build for the CPU needs none of them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "requirements"
OLDEST_PYTHON = "3.10"
COMMAND = "make lock"
CUDA = re.compile(r"cuda-|nvidia-|triton$")
TORCH = "torch"
HASH = r"--hash=\S+"
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==", re.MULTILINE)
BUILDERS = ("setuptools", "wheel")


@dataclass(frozen=True)
class Lock:
    """One file: what it is made for, and which lists it adds to those of the locks before it."""

    name: str
    title: str
    files: tuple[str, ...] = ()


LOCKS = (
    Lock("build", "Before all else: what builds source distributions"),
    Lock("wheels", "make demo: the package, and the ROS 2 and tools that its messages are built with", ("build.txt",)),
    Lock("colcon", "make build", ("colcon.txt",)),
    Lock("test", "make test, without torch", ("test.txt",)),
    Lock("mutate", "make mutate", ("mutate.txt",)),
    Lock("tool", "make lock", ("tool.txt",)),
)


def compile_lock(uv: str, files: Iterable[str], lines: Iterable[str], pins: Path) -> str:
    """What uv resolves for all Pythons and platforms of ours, keeping versions that are pinned already; as the text of a lock."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "asked.in"
        source.write_text("\n".join([*(f"-r {FOLDER / name}" for name in files), *lines]) + "\n")
        options = f"--universal --python-version {OLDEST_PYTHON} --generate-hashes --no-annotate --no-header".split()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
        command = [uv, "pip", "compile", "--quiet", *options, "--constraint", str(pins), str(source)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"uv pip compile of {', '.join(files) or 'build.txt'} failed")
    return done.stdout


def builders() -> list[str]:
    """What build.txt says of BUILDERS."""
    return [line for line in (FOLDER / "build.txt").read_text().splitlines() if line.startswith(BUILDERS)]


def entries(text: str) -> list[tuple[str, str]]:
    """Name and lines of each entry of a lock."""
    starts = [found.start() for found in PIN.finditer(text)]
    parts = [text[start:end].rstrip() for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [(PIN.match(part).group(1), part) for part in parts]


def first_line(part: str) -> str:
    """Name, version and marker of an entry."""
    return part.partition("\\")[0].strip()


def write(name: str, title: str, found: Iterable[str]) -> None:
    """Write one lock."""
    head = f"# Written by `{COMMAND}`; not by hand. {title}.\n"
    (FOLDER / f"lock-{name}.txt").write_text(head + "".join(f"{part}\n" for part in found))


def cpu_torch(part: str, wheels: Iterable[Path]) -> str:
    """The entry of builds of the same torch for the CPU: given files, and those of the lock before where the version stays."""
    path, wanted = FOLDER / "lock-torch-cpu.txt", f"{first_line(part)}+cpu"
    before = dict(entries(path.read_text())).get(TORCH, "") if path.exists() else ""
    known = re.findall(HASH, before) if first_line(before) == wanted else []
    given = [f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" for wheel in wheels]
    return " \\\n    ".join([wanted, *dict.fromkeys([*known, *given])])


def main() -> int:
    """Resolve, file by file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uv", default="uv", help="the program uv")
    parser.add_argument("--cpu-torch", nargs="*", type=Path, default=[], help="wheels of torch without CUDA to allow")
    arguments = parser.parse_args()
    declared = runpy.run_path(str(ROOT / "scripts/lowest.py"))["declared"]()
    files: list[str] = []
    done: dict[str, None] = {}  # first lines, in the order of the locks
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        for lock in LOCKS:
            pins.write_text("".join(f"{line}\n" for line in done))
            files += lock.files
            lines = declared if files else builders()
            found = entries(compile_lock(arguments.uv, files, lines, pins))
            new = [(name, part) for name, part in found if first_line(part) not in done]
            cuda = [part for name, part in new if CUDA.match(name)]
            torch = [part for name, part in new if name == TORCH]
            if torch:
                write(
                    "torch-cpu",
                    "make test: torch, where pip finds a build for the CPU",
                    [cpu_torch(torch[0], arguments.cpu_torch)],
                )
                write("torch", "make test: torch, where it finds PyPI's alone", torch)
                write("cuda", "make test: what PyPI's torch needs besides", cuda)
            write(lock.name, lock.title, [part for name, part in new if name != TORCH and not CUDA.match(name)])
            done |= dict.fromkeys(first_line(part) for _, part in new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
