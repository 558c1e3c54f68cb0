"""`rppg-ros evaluate`: recordings against ground truth, and one run against another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from rppg_ros.commands.evaluate_inside import checkpoints, inside
from rppg_ros.evaluation.config import engine_for, models_of, plain
from rppg_ros.evaluation.output import write_run
from rppg_ros.evaluation.results import RecordingResult, Results, ResultsError
from rppg_ros.evaluation.spread import Done, run_here, run_on_cluster
from rppg_ros.evaluation.work import RecordingRef, RunFolder, find_recordings
from rppg_ros.inference.engine import EngineError
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.settings.files import read_params_file
from rppg_ros.settings.flags import add_flags, given_flags
from rppg_ros.settings.schema import make

EXIT_OK, EXIT_SOME_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 0, 1, 2, 130
FOLDER = "evaluation"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add `evaluate` to a command line; the parsed arguments' `run` takes them and returns the exit code."""
    parser = subparsers.add_parser(
        "evaluate",
        allow_abbrev=False,
        help="measure recordings with ground truth: errors, report",
        description="Bags, videos or a dataset through the nodes' own pipeline, against ground truth. Run again in the "
        "same output folder, it goes on where it was stopped. Exit code 1: some recordings could not be evaluated.",
    )
    parser.add_argument("paths", nargs="*", help="bags, videos, folders of them; with --dataset, its root folder")
    parser.add_argument("--dataset", default="", help="read the folder as this dataset: ubfc2, pure, ... (see convert)")
    parser.add_argument("--only", default="", metavar="PATTERN", help="only recordings whose name holds this")
    parser.add_argument("-o", "--output", type=Path, default=Path(FOLDER), help="folder to write; default: %(default)s")
    parser.add_argument("--truth", default="", help="CSV of one recording; default: the one beside it")
    parser.add_argument(
        "--truth-topic", action="append", default=[], metavar="NAME=TOPIC",
        help="of bags, where type and name do not tell: bvp, rsp, heart_rate or respiration_rate; several times",
    )  # fmt: skip
    parser.add_argument("--rgb-topic", default="", help="of bags; default: found by type and name")
    parser.add_argument("--thermal-topic", default="", help="of bags; default: found by type and name")
    parser.add_argument("--jobs", type=jobs, default=1, help="recordings at once on this machine; default: %(default)s")
    parser.add_argument("--scheduler", default="", metavar="ADDRESS", help="of a Dask cluster, e.g. tcp://host:8786")
    parser.add_argument(
        "--inside", type=jobs, default=0, metavar="N",
        help="pictures of what the network saw in the first N recordings, in the folder and the report; they show faces",
    )  # fmt: skip
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A.json", "B.json"), help="compare two runs' results")
    _add_settings(parser)
    parser.set_defaults(run=run)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings of the run (docs/settings.md)")
    group.add_argument(
        "--params-file",
        type=Path,
        metavar="YAML",
        help="parameter file of the nodes, e.g. config/mobile_robot.yaml; flags win over it",
    )
    add_flags(group, EvaluationSettings)
    group.add_argument(
        "--no-thermal",
        dest="thermal_enabled",
        action="store_false",
        default=argparse.SUPPRESS,
        help="leave thermal frames out",
    )


def run(args: argparse.Namespace) -> int:
    """Run the command; what the user can put right becomes one line and exit code 2."""
    try:
        return _compare(args) if args.compare else _evaluate(args)
    except KeyboardInterrupt:
        print(f"\nrppg-ros evaluate: stopped; run it again with -o {args.output} to go on", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (ValueError, EngineError, ResultsError, OSError) as error:
        print(f"rppg-ros evaluate: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT


def _compare(args: argparse.Namespace) -> int:
    from rppg_ros.evaluation.compare import compare, comparison_table

    before, after = (Results.load(path) for path in args.compare)
    Console().print(comparison_table(compare(before, after)))
    return EXIT_OK


def _evaluate(args: argparse.Namespace) -> int:
    if not args.paths:
        raise ValueError("nothing to evaluate: give bags, videos, a folder of them, or --dataset NAME FOLDER")
    from_file = read_params_file(args.params_file, EvaluationSettings)
    settings = make(EvaluationSettings, {**from_file, **given_flags(args, EvaluationSettings)})
    # Before any recording is opened: a bad model fails at once.
    has_thermal = (True, False) if len(models_of(settings)) > 1 else (True,)
    engines = [engine_for(settings, thermal).name for thermal in has_thermal]
    networks = checkpoints(settings) if args.inside else []
    options = {
        "truth": args.truth,
        "rgb_topic": args.rgb_topic,
        "thermal_topic": args.thermal_topic,
        "truth_topics": _truth_topics(args.truth_topic),
    }
    refs = [ref for ref in find_recordings(args.paths, args.dataset, options) if args.only in ref.key]
    if not refs:
        raise ValueError(f"no recording's name holds '{args.only}'")
    if args.truth and len(refs) > 1:
        raise ValueError(f"--truth is of one recording, here are {len(refs)}")
    args.output.mkdir(parents=True, exist_ok=True)
    identity = plain(settings)
    run_folder = RunFolder(args.output, identity)
    console = Console()
    found = _all(refs, run_folder, settings, args, console)
    results = Results(" / ".join(engines), identity, tuple(found[ref.key] for ref in refs))
    pictures = inside(refs[: args.inside], networks, args.output, console) if networks else ()
    write_run(results, args.output, console, pictures)
    return EXIT_SOME_FAILED if any(recording.error for recording in results.recordings) else EXIT_OK


def _truth_topics(texts: Sequence[str]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise ValueError(f"--truth-topic {text}: write NAME=TOPIC, e.g. heart_rate=/polar/hr")
    return dict(text.split("=", 1) for text in texts)


def _all(
    refs: Sequence[RecordingRef],
    run_folder: RunFolder,
    settings: EvaluationSettings,
    args: argparse.Namespace,
    console: Console,
) -> dict[str, RecordingResult]:
    """Results of all recordings by key: those on the run_folder, and the rest."""
    kept = {ref.key: result for ref in refs if (result := run_folder.get(ref)) is not None}
    left = [ref for ref in refs if ref.key not in kept]
    if kept:
        console.print(f"{len(kept)} of {len(refs)} recordings are there from before.")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("recordings", total=len(refs), completed=len(kept))
        for ref, found in _spread(left, settings, args):
            result = kept[ref.key] = run_folder.put(ref, found)
            progress.advance(bar)
            if result.error:
                progress.console.print(f"{ref.key}: {result.error}", style="red", highlight=False, markup=False)
            elif result.caution:
                progress.console.print(result.caution, style="yellow", highlight=False, markup=False)
    return kept


def jobs(text: str) -> int:
    """A number of processes, 1 or more."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return int(text)


def _spread(refs: Sequence[RecordingRef], settings: EvaluationSettings, args: argparse.Namespace) -> Iterator[Done]:
    if args.scheduler:
        return run_on_cluster(refs, settings, args.scheduler)
    return run_here(refs, settings, args.jobs)
