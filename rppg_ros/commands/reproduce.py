"""`rppg-ros reproduce`: a paper's protocol on one's own copies of its data sets, and its table with ours beside it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from rppg_ros.commands.evaluate import jobs

FOLDER = Path(__file__).parents[1] / "training" / "papers"
NAMES = [path.stem for path in sorted(FOLDER.glob("*.yaml"))]
EXIT_OK, EXIT_SOME_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 0, 1, 2, 130
PACKAGES = ("torch", "lightning", "tensorboard")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add `reproduce` to a command line; the parsed arguments' `run` takes them and returns the exit code."""
    parser = subparsers.add_parser(
        "reproduce",
        allow_abbrev=False,
        help="train and evaluate by a paper's protocol, on your copies of its data sets",
        description="Trains the paper's network as the paper says on the data sets that are given, evaluates it by the paper's "
        "protocol, and prints its table with ours beside it. Experiments without their data sets are left out. Run again in "
        "the same folder, it goes on where it was stopped. Needs 'rppg_ros[training]'.",
    )
    parser.add_argument("paper", help=f"{', '.join(NAMES)}, or a YAML file like theirs (docs/training.md)")
    parser.add_argument(
        "--data", action="append", default=[], metavar="[NAME=]FOLDER",
        help="a data set's root, as pure=/data/PURE; without a name: a folder of folders named as data sets; several times",
    )  # fmt: skip
    parser.add_argument("--only", default="", metavar="TEXT", help="only experiments whose name holds this")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="settings",
        help="a setting that comes before the paper's, as epochs=1; then it is not the paper's protocol any more; several times",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, help="folder to write; crops of faces stay in its folder crops")
    parser.add_argument("--jobs", type=jobs, default=1, help="recordings evaluated at once; default: %(default)s")
    parser.add_argument("--list", action="store_true", help="only say what the experiments are and what they need")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the command; what the user can put right becomes one line and exit code 2."""
    try:
        return _reproduce(args)
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        print(f"rppg-ros reproduce: {error.name} is not installed: pip install 'rppg_ros[training]'", file=sys.stderr)
        return EXIT_BAD_INPUT
    except (KeyboardInterrupt, SystemExit):  # lightning makes the one into the other
        print(f"\nrppg-ros reproduce: stopped; run it again with -o {args.output} to go on", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (ValueError, OSError) as error:
        print(f"rppg-ros reproduce: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT


def _reproduce(args: argparse.Namespace) -> int:
    from rppg_ros.evaluation.whole_files import write_whole
    from rppg_ros.training.paper import Paper, papers
    from rppg_ros.training.paper_figures import markdown, plot
    from rppg_ros.training.reproduce import reproduce

    paper = Paper.read(papers().get(args.paper, Path(args.paper)))
    wanted = [one for one in paper.experiments if args.only.lower() in one.name.lower()]
    if not wanted:
        raise ValueError(
            f"no experiment's name holds '{args.only}'; there are: {', '.join(x.name for x in paper.experiments)}"
        )
    roots = _roots(args.data, {name for one in paper.experiments for name in one.datasets})
    if args.list:
        for one in wanted:
            lacks = [name for name in one.datasets if name not in roots]
            print(f"{one.name}: {', '.join(one.datasets)}" + (f" (not given: {', '.join(lacks)})" if lacks else ""))
        return EXIT_OK
    if args.output is None:
        raise ValueError("-o FOLDER: say where to")
    ready = [one for one in wanted if set(one.datasets) <= set(roots)]
    if not ready:
        needs = "; ".join(f"{one.name}: {', '.join(one.datasets)}" for one in wanted)
        raise ValueError(f"no experiment has all of its data sets; give them with --data NAME=FOLDER. {needs}")
    over, done = dict(map(_setting, args.settings)), []
    for one in ready:
        done.append(reproduce(paper, one, roots, args.output / one.slug, over, args.jobs))
        text = markdown(paper, done)
        if over:
            text = text.replace("\n", f"\n\nNot the paper's own protocol: {', '.join(args.settings)}.\n", 1)
        write_whole(args.output / "table.md", text)
    plot(paper, done, args.output / "cost.png")
    print(text)
    print(f"{args.output / 'table.md'}, {args.output / 'cost.png'}")
    left_out = len(wanted) - len(ready)
    if left_out:
        print(f"{left_out} of {len(wanted)} experiments left out, whose data sets are not given (--list)")
    return EXIT_SOME_FAILED if any(r.error for one in done for r in one.results.recordings) else EXIT_OK


def _roots(texts: list[str], needed: set[str]) -> dict[str, str]:
    """Data set to folder."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, folder = text.partition("=")
        if equals and name not in needed:
            raise ValueError(f"--data {text}: the paper uses no '{name}', but {', '.join(sorted(needed))}")
        place = Path(folder if equals else text)
        if not place.is_dir():
            raise ValueError(f"--data {text}: no such folder")
        inside = {one.name.lower(): str(one) for one in place.iterdir() if one.is_dir()}
        held = {name: str(place)} if equals else {one: inside[one] for one in needed if one in inside}
        if not held:
            raise ValueError(f"--data {text}: holds no folder named {' or '.join(sorted(needed))}; or give NAME=FOLDER")
        found |= held
    return found


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set {text}: write NAME=VALUE, e.g. epochs=1")
    if name == "recordings":
        raise ValueError("--set recordings: those follow from the paper's file and --data")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ValueError(f"--set {text}: not YAML: {' '.join(str(error).split())}") from None
