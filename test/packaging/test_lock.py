"""requirements/lock-*.txt: each thing that is asked for is pinned once for every Python, within its bounds, and has hashes."""

import re
import runpy
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"
LOCK = runpy.run_path(str(ROOT / "scripts/lock.py"))
DECLARED = runpy.run_path(str(ROOT / "scripts/lowest.py"))["declared"]()
NAMES = [lock.name for lock in LOCK["LOCKS"]]
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def asked(*files: str) -> list[Requirement]:
    """What lists in requirements/ ask for, with the lists that they take in."""
    found = []
    for line in "\n".join((FOLDER / name).read_text() for name in files).splitlines():
        if line.startswith("-r "):
            found += asked(line.removeprefix("-r ").strip())
        elif line and not line.startswith("#"):
            found.append(Requirement(line))
    return found


@cache
def pinned(name: str) -> list[tuple[Requirement, list[str]]]:
    """Entries of a lock: what is pinned, and all its words."""
    parts = [part for _, part in LOCK["entries"]((FOLDER / f"lock-{name}.txt").read_text())]
    return [(Requirement(LOCK["first_line"](part)), part.replace("\\", "").split()) for part in parts]


def on(python: str) -> dict[str, str]:
    """Values of markers there, on the machines that ROS wheels are for."""
    version = {"python_version": python, "python_full_version": f"{python}.9", "platform_machine": "x86_64"}
    return version | {"sys_platform": "linux", "platform_system": "Linux", "platform_python_implementation": "CPython"}


def installed(python: str, *names: str) -> dict[str, set[str]]:
    """Name to the versions that pip would be told to install."""
    versions = {}
    for requirement, _ in (entry for name in names for entry in pinned(name)):
        if requirement.marker is None or requirement.marker.evaluate(on(python)):
            versions.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier)[2:])
    return versions


STEPS = {
    "make demo": (["build", "wheels"], lambda: asked("build.txt") + [Requirement(line) for line in DECLARED]),
    "make build": (["build", "wheels", "colcon"], lambda: asked("colcon.txt")),
    "make test": (["build", "wheels", "colcon", "test", "torch", "cuda"], lambda: asked("test.txt")),
    "make mutate": (["build", "wheels", "colcon", "test", "torch", "cuda", "mutate"], lambda: asked("mutate.txt")),
    "make lock": (["build", "wheels", "tool"], lambda: asked("tool.txt")),
}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("step", STEPS)
def test_what_is_asked_for_is_pinned_within_its_bounds(step, python):
    names, requirements = STEPS[step]
    found = installed(python, *names)
    twice = {name: versions for name, versions in found.items() if len(versions) > 1}
    assert not twice
    for requirement in requirements():
        if requirement.marker is None or requirement.marker.evaluate(on(python)):
            (version,) = found.get(canonicalize_name(requirement.name), {"nothing"})
            assert requirement.specifier.contains(version), f"{requirement}: {version}"


@pytest.mark.parametrize("name", [*NAMES, "torch", "torch-cpu", "cuda"])
def test_every_entry_has_a_version_and_hashes(name):
    entries = pinned(name)
    assert entries
    for requirement, words in entries:
        assert [one.operator for one in requirement.specifier] == ["=="], requirement
        hashes = [word for word in words if word.startswith("--hash")]
        assert hashes and all(HASH.fullmatch(word) for word in hashes), requirement


def test_a_build_for_the_cpu_needs_nothing_of_cuda():
    locks = [name for name in NAMES if name != "cuda"]
    assert not [r.name for name in locks for r, _ in pinned(name) if LOCK["CUDA"].match(r.name) or r.name == "torch"]
    assert [r.name for r, _ in pinned("torch")] == ["torch"]


def test_hashes_of_builds_for_the_cpu_stay_while_the_version_does(tmp_path, monkeypatch):
    wheel, new = tmp_path / "torch.whl", "torch==2.1 \\\n    --hash=sha256:aa"
    wheel.write_bytes(b"a wheel")
    monkeypatch.setitem(LOCK["cpu_torch"].__globals__, "FOLDER", tmp_path)
    first = LOCK["cpu_torch"](new, [wheel])
    (tmp_path / "lock-torch-cpu.txt").write_text(f"# head\n{first}\n")
    assert first.startswith("torch==2.1+cpu \\\n    --hash=sha256:") and first.count("--hash") == 1
    assert LOCK["cpu_torch"](new, []) == first
    assert LOCK["cpu_torch"](new.replace("2.1", "2.2"), []) == "torch==2.2+cpu"


def test_both_builds_of_torch_are_one_version():
    ((pypi, _),), ((cpu, _),) = pinned("torch"), pinned("torch-cpu")
    assert f"{pypi}+cpu" == str(cpu)


def test_make_installs_each_lock():
    makefile = (ROOT / "Makefile").read_text()
    called = set(" ".join(re.findall(r"\$\(LOCKED\) \$\(call lock,([a-z -]+)\)", makefile)).split())
    assert called == {*NAMES, "torch", "torch-cpu", "cuda"}
    assert "--require-hashes" in re.search(r"^LOCKED := (.*)", makefile, re.MULTILINE).group(1)
