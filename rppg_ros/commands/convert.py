"""`rppg-ros convert`: a dataset's recordings as rosbag2. A run that was stopped goes on where it was."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from rppg_ros.datasets.bag_writer import FORMATS
from rppg_ros.datasets.base import Recording
from rppg_ros.datasets.convert import write_bag
from rppg_ros.datasets.registry import listing, read

EXIT_OK, EXIT_SOME_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 0, 1, 2, 130
WRITTEN, THERE = "written", "there already"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add `convert` to a command line; the parsed arguments' `run` takes them and returns the exit code."""
    parser = subparsers.add_parser(
        "convert",
        help="write a dataset's recordings as rosbag2",
        description="A dataset's recordings as rosbag2 (mcap), with ground truth on topics. `--list` names the datasets.",
    )
    parser.add_argument("--list", action=_List, help="name the datasets, those of plug-ins too, and stop")
    parser.add_argument("dataset", help="name, as in --list")
    parser.add_argument("folder", type=Path, help="the dataset's root")
    parser.add_argument("--to", type=Path, required=True, metavar="BAG_DIR", help="where a folder for each bag is made")
    parser.add_argument(
        "--format", choices=FORMATS, default="png",
        help="of images: png and raw lose nothing, jpeg weakens the pulse; default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="only recordings whose name holds or fits this, as '01-*'"
    )
    parser.add_argument("--overwrite", action="store_true", help="write bags again that are there")
    parser.add_argument("--jobs", type=int, default=1, help="recordings at once; default: %(default)s")
    parser.set_defaults(run=run)
    return parser


class _List(argparse.Action):
    """Prints the datasets and ends, as --help does: what else is required need not be given."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(listing())
        parser.exit()


def run(args: argparse.Namespace) -> int:
    """Run the command; what the user can put right becomes one line and exit code 2."""
    console = Console()
    try:
        if args.jobs < 1:
            raise ValueError(f"--jobs {args.jobs}: one at least")
        _listed.cache_clear()
        names = [name for name in _listed(args.dataset, args.folder) if _asked_for(name, args.only)]
        if not names:
            raise ValueError(f"no recording's name holds or fits '{args.only}'")
        args.to.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as error:
        print(f"rppg-ros convert: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    try:
        return _convert(names, args, console)
    except KeyboardInterrupt:
        print("rppg-ros convert: stopped; the same command goes on from here", file=sys.stderr)
        return EXIT_INTERRUPTED


def _convert(names: Sequence[str], args: argparse.Namespace, console: Console) -> int:
    counts = {WRITTEN: 0, THERE: 0}
    failed = 0
    with Progress(console=console) as progress:
        bar = progress.add_task("recordings", total=len(names))
        for name, outcome in _spread(names, args):
            progress.advance(bar)
            if outcome in counts:
                counts[outcome] += 1
            else:
                failed += 1
                progress.console.print(f"{name}: {outcome}", style="red", highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"{counts[WRITTEN]} written, {counts[THERE]} there already, {failed} failed; in {args.to}",
        highlight=False,
        soft_wrap=True,
    )
    return EXIT_SOME_FAILED if failed else EXIT_OK


def _asked_for(name: str, pattern: str) -> bool:
    return pattern in name or fnmatchcase(name, pattern)


@lru_cache(maxsize=1)
def _listed(dataset: str, root: Path) -> dict[str, Recording]:
    """Recordings by name, listed once in each process."""
    return {recording.name: recording for recording in read(dataset, root)}


def _spread(names: Sequence[str], args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    task = (args.dataset, args.folder, args.to, args.format, args.overwrite)
    if args.jobs == 1:
        for name in names:
            yield name, convert_one(name, *task)
        return
    with ProcessPoolExecutor(args.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(convert_one, name, *task): name for name in names}
        for future in as_completed(futures):
            yield futures[future], _outcome(future)


def _outcome(future: Future[str]) -> str:
    try:
        return future.result()
    except BrokenProcessPool:
        return "its process was killed (memory?)"


def convert_one(name: str, dataset: str, root: Path, to: Path, image_format: str, overwrite: bool) -> str:
    """Convert one recording; what became of it, in a line."""
    try:
        recording = _listed(dataset, root)[name]
        return WRITTEN if write_bag(recording, to, image_format, overwrite) else THERE
    except Exception as error:  # whatever becomes of one recording, the others go on
        said = " ".join(str(error).split())
        return said if isinstance(error, (ValueError, OSError)) and said else f"{type(error).__name__}: {said}"
