"""Prints the lowest versions that setup.py declares, as pins for pip, one a line: what `make test-lowest` installs.

    python scripts/lowest.py [EXTRA ...] [--but NAME ...]

Of names in several lists the highest floor counts, as it does for pip.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from distutils.core import run_setup  # setuptools', which every build here has
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?P<extras>\[[\w,.-]+\])?(?P<bounds>([<>=!~][^;]*)?)(?P<marker>;.*)?")
FLOOR = re.compile(r"(?:>=|==)\s*([\d.]+)")


def declared(extras: Iterable[str] = ()) -> list[str]:
    """Requirements of the package and of some of its extras, as setup.py has them."""
    distribution = run_setup(str(ROOT / "setup.py"), stop_after="init")
    return [*distribution.install_requires, *(line for extra in extras for line in distribution.extras_require[extra])]


def lowest(requirements: Iterable[str], but: Iterable[str] = ()) -> Iterator[str]:
    """A pin for each name. ValueError: a name has no lowest version."""
    floors: dict[str, tuple[str, str, str]] = {}
    for line in requirements:
        found = REQUIREMENT.fullmatch(line.replace(" ", ""))
        if not found:
            raise ValueError(f"'{line}' is not a requirement that is understood here")
        name, extras, marker = found["name"], found["extras"] or "", found["marker"] or ""
        bound = FLOOR.search(found["bounds"])
        floor = bound.group(1) if bound else ""
        known = floors.get(name.lower())
        if known is None or _order(floor) > _order(known[1]):
            floors[name.lower()] = (f"{name}{extras}", floor, marker)
    for key in {name.lower() for name in but} & floors.keys():
        del floors[key]
    for named, floor, marker in floors.values():
        if not floor:
            raise ValueError(f"setup.py declares no lowest version of {named}")
        yield f"{named}=={floor}{marker}"


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)


def main() -> int:
    """Print the pins."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extras", nargs="*", metavar="EXTRA", help="extras of setup.py to add")
    parser.add_argument("--but", nargs="+", default=[], metavar="NAME", help="names to leave out")
    arguments = parser.parse_args()
    print(*lowest(declared(arguments.extras), arguments.but), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
