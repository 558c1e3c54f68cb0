"""`rppg-ros models pull`: fetch an official checkpoint by name and turn it into a model."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from rppg_ros.commands.models_common import UsageError, guarded, models_module, write_model
from rppg_ros.inference.card import ModelCard, ModelCardError
from rppg_ros.models.official_files import OfficialFile, official_file, official_files


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `pull` to the subcommands of `rppg-ros models`."""
    pulling = commands.add_parser(
        "pull", help="fetch a face detector, or an official checkpoint and turn it into a model (.onnx)"
    )
    pulling.add_argument("name", nargs="?", metavar="NAME", help="as in --list")
    pulling.add_argument("--list", action="store_true", help="name the checkpoints, their licences and sizes")
    pulling.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        help="folder to keep them in (default: rppg_ros/models in the cache)",
    )
    pulling.add_argument("--from", dest="given", type=Path, metavar="FILE", help="take this file, download nothing")
    pulling.add_argument(
        "--accept-license", "--accept-licence", action="store_true", help="accept a research-only licence, once read"
    )
    pulling.set_defaults(run=lambda args: guarded("pull", _pull, args))


def _pull(args: argparse.Namespace, console: Console) -> None:
    if args.list:
        console.print(_files_table(official_files().values()))
        return
    if not args.name:
        raise UsageError("give a NAME; --list shows them")
    file = official_file(args.name)
    if file.research_only and not args.accept_license:
        raise UsageError(
            f"{file.name} is for research only ({file.licence}): read {file.licence_url} "
            "and add --accept-license if you accept it; nothing was downloaded"
        )
    if args.output and args.output.suffix == ".onnx":
        raise UsageError(f"{args.output}: give a folder; the model in it is called {file.name}.onnx")
    folder = args.output or models_module("download").default_folder()
    if file.as_it_is:
        _as_it_is(file, folder, args, console)
        return
    model = folder / f"{file.name}.onnx"
    if _is_made_from(model, file):
        _say(console, f"Already there: {model}")
    else:
        _make(file, _obtain(file, folder, args.given, console), model, console)
    _say(console, f"Use it: ros2 launch rppg_ros mobile_robot.launch.py {shlex.quote(f'model:={model.absolute()}')}")


def _as_it_is(file: OfficialFile, folder: Path, args: argparse.Namespace, console: Console) -> None:
    """A face detector: nodes find it where it is kept by default."""
    path = _obtain(file, folder, args.given, console, needed=())
    if args.output:
        _say(console, f"Use it: detector.model:={shlex.quote(str(path.absolute()))}")
    else:
        _say(
            console, f"{path}: face_tracker, the class and `rppg-ros evaluate` take it from now on (detector.name auto)"
        )


def _obtain(
    file: OfficialFile,
    folder: Path,
    given: Path | None,
    console: Console,
    needed: Iterable[str] = ("importer", "export"),
) -> Path:
    """The checkpoint, with a progress line while it comes; torch is asked for first, as all is in vain without it."""
    for one in needed:
        models_module(one)
    download = models_module("download")
    if download.holds(folder / file.file_name, file):
        _say(console, f"Already downloaded: {folder / file.file_name}")
    columns, errors = (TextColumn("{task.description}"), BarColumn(), DownloadColumn()), Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(file.name, total=file.size_bytes)
        checkpoint: Path = download.obtain(
            file, folder, given, lambda received: progress.update(task, completed=received)
        )
        return checkpoint


def _make(file: OfficialFile, checkpoint: Path, model: Path, console: Console) -> None:
    imported = models_module("importer").import_checkpoint(checkpoint, file.family, name=file.name)
    card = replace(imported.card, licence=f"{file.terms}, {file.licence_url}", source=file.url)
    write_model(imported.network, card, model, console)


def _is_made_from(model: Path, file: OfficialFile) -> bool:
    """Whether that model was pulled before: an import of the same weights, run otherwise, says another source."""
    try:
        card = ModelCard.read(model)
    except ModelCardError:
        return False
    return (card.name, card.source, card.sha256) == (file.name, file.url, file.sha256)


def _files_table(files: Iterable[OfficialFile]) -> Table:
    title = "Official checkpoints (*: for research only, wants --accept-license)"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("name", "licence", "kB"):
        table.add_column(heading, justify="right" if heading == "kB" else "left", no_wrap=True)
    table.add_column("measures; trained on")
    for file in files:
        mark = " *" if file.research_only else ""
        table.add_row(file.name, f"{file.licence}{mark}", f"{file.size_bytes / 1000:.0f}", file.what)
    return table


def _say(console: Console, text: str) -> None:
    """A line as it is: paths are copied from it."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)
