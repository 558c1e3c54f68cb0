"""The faults that the product survives, as a table: died? a wrong number? named? seconds to recovery?

    python benchmarks/faults.py [--group 12 --group 24] [--seconds 30] [--out faults.md] [--no-dds]

In process where that is the same code (cameras, stamps, scenes, files), over real DDS where it is not (processes, clocks,
publishers). A wrong number is a rate given as OK that is further than 5 (heart) or 2 (breath) per minute from the made-up
person's, or any where none can be known. Named: what the halves, or /diagnostics, say while the fault lasts.
Exit code 1: something does not pass. All of it takes about a quarter of an hour on a quiet machine of two cores.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import faults_cameras
import faults_files
from faults_judge import Outcome, markdown

from rppg_ros.types import Vital

GROUPS = [str(number) for number in range(1, 28)]
AFTER_S = 25.0
CASES_OF_FILES = ("13", "14", "24", "25", "26")


def outcomes(groups: set[str], seconds: float, dds: bool) -> Iterator[Outcome]:
    """Outcomes of some groups, as they come."""
    # Cases of one scene follow one another: it is rendered once.
    cases = [case for case in faults_cameras.CASES if case.group in groups]
    for case in sorted(cases, key=lambda case: (case.text, Vital.RSP in case.needed, case.lasts_s)):
        yield faults_cameras.run(case, AFTER_S)
    yield from faults_files.outcomes(groups)
    if dds:
        import faults_graph

        yield from faults_graph.outcomes(groups, seconds)


def main() -> int:
    """Run, print as it goes, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--group", action="append", choices=GROUPS, help="only this group; several times")
    parser.add_argument("--seconds", type=float, default=30.0, help="of group 27's run at 30 fps; default: %(default)s")
    parser.add_argument("--out", type=Path, help="Markdown file to write; default: standard output")
    parser.add_argument("--no-dds", action="store_true", help="only what runs in process")
    args = parser.parse_args()
    found, began = [], time.monotonic()
    for outcome in outcomes(set(args.group or GROUPS), args.seconds, not args.no_dds):
        found.append(outcome)
        mark = "pass" if outcome.passed else "FAIL"
        print(
            f"{time.monotonic() - began:6.0f} s {mark} {outcome.group:>2} {outcome.fault}", file=sys.stderr, flush=True
        )
    table = markdown(sorted(found, key=lambda outcome: int(outcome.group)))
    if args.out:
        args.out.write_text(table + "\n", encoding="utf-8")
    else:
        print(table)
    return 0 if all(outcome.passed for outcome in found) else 1


if __name__ == "__main__":
    sys.exit(main())
