"""The floor plan: who may know whom, no circles, and how long a file may be."""

import ast
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "rppg_ros"
LONGEST = 300
GENERATED = ("msg", "srv", "action")
CORE = {"sync", "vitals"}  # pure numpy and scipy


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in GENERATED}


def imports(path):
    """Names that a module imports when it runs, each as far as it is a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module


ARROWS = {name: set(imports(path)) for name, path in MODULES.items()}


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def between_rooms():
    found = defaultdict(set)
    for module, others in ARROWS.items():
        for other in others & MODULES.keys():
            if room(module) and room(other) not in ("", room(module)):
                found[room(module)].add(room(other))
    return found


def circles(arrows):
    """Those that can be reached from themselves."""

    def reached(start):
        seen, ahead = set(), list(arrows.get(start, ()))
        while ahead:
            one = ahead.pop()
            if one not in seen:
                seen.add(one)
                ahead.extend(arrows.get(one, ()))
        return seen

    return {one for one in arrows if one in reached(one)}


def test_a_circle_is_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == {"b", "c"}


def test_no_circles():
    assert len(MODULES) > 200
    assert not circles({module: others & MODULES.keys() for module, others in ARROWS.items()})
    assert not circles(between_rooms())


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("torch", {"models", "training"}),
        ("lightning", {"training", "commands"}),
        ("rclpy", {"nodes"}),
        ("rosbags", {"sources", "datasets"}),
    ],
)
def test_a_library_is_known_in_its_rooms_only(library, allowed):
    knowing = {room(module) for module, names in ARROWS.items() if library in {name.split(".")[0] for name in names}}
    assert knowing and knowing <= allowed


def test_nobody_knows_nodes_or_commands():
    known = {other for start, others in between_rooms().items() if start != "commands" for other in others}
    assert not known & {"nodes", "commands"}


def test_the_core_knows_numpy_and_scipy_alone():
    for module, names in ARROWS.items():
        if room(module) in CORE:
            others = {name.split(".")[0] for name in names} - {"rppg_ros", "numpy", "scipy"}
            assert all(other == "__future__" or _is_standard(other) for other in others), (module, others)


def _is_standard(name):
    return name in sys.stdlib_module_names


def test_what_the_halves_run_on_knows_nothing_above_it():
    above = {"meter", "evaluation", "commands", "nodes", "training", "datasets"}
    for start in ("sync", "vision", "inference", "vitals"):
        assert not between_rooms()[start] & above, start


def test_files_are_short():
    long = {name: lines for name, path in MODULES.items() if (lines := len(path.read_text().splitlines())) > LONGEST}
    assert not long
