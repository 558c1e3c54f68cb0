#!/usr/bin/env python3
"""Score of each module after `mutmut run`, and the mutants that survived, each as the lines it changed.

Exits with 1 where a module is below MINIMUM or was not finished.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

MUTANTS = Path("mutants")
MINIMUM = 85.0  # per cent
KILLED = {"killed", "timeout", "suspicious", "segfault"}


def statuses(meta: Path) -> dict[str, str]:
    """Status of each mutant of one module."""
    codes = json.loads(meta.read_text())["exit_code_by_key"]
    return {name: status_by_exit_code[code] for name, code in codes.items()}


def change(name: str, source: Path) -> list[str]:
    """Lines of a mutant's diff that went (-) and came (+)."""
    diff = get_diff_for_mutant(name, path=source).splitlines()
    return [line for line in diff if line[:1] in "+-" and not line.startswith(("+++", "---"))]


def main() -> int:
    """Print the table and write the survivors to mutants/survivors.txt."""
    low, survivors = [], []
    print("| module | mutants | killed | score |\n|---|---:|---:|---:|")
    for meta in sorted(MUTANTS.glob("rppg_ros/**/*.py.meta")):
        source = meta.relative_to(MUTANTS).with_suffix("")
        found = statuses(meta)
        if not found:
            continue
        counts = Counter(found.values())
        killed = sum(counts[status] for status in KILLED)
        score = 100 * killed / len(found)
        unknown = counts["not checked"]
        print(f"| `{source}` | {len(found)} | {killed} | {score:.0f} % |" + (f" {unknown} not run" if unknown else ""))
        if score < MINIMUM:
            low.append(str(source))
        for name, status in found.items():
            if status not in KILLED | {"not checked"}:
                survivors += [f"{name} ({status})", *change(name, source), ""]
    (MUTANTS / "survivors.txt").write_text("\n".join(survivors))
    print(f"\nsurvivors: {MUTANTS / 'survivors.txt'}")
    if low:
        print(f"below {MINIMUM:.0f} %: {', '.join(low)}")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
