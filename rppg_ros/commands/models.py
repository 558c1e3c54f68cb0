"""`rppg-ros models`: list the families, fetch and import official checkpoints, export our own, read a model's card."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rppg_ros import weights
from rppg_ros.commands import models_inside, models_pull
from rppg_ros.commands.models_common import UsageError, card_table, guarded, models_module, write_model
from rppg_ros.inference.card import ModelCard


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add `models` to a command line; the parsed arguments' `run` takes them and returns the exit code."""
    parser = subparsers.add_parser("models", help="list, fetch, import, export and inspect networks")
    commands = parser.add_subparsers(
        dest="models_command", required=True, metavar="list | pull | import | export | info | inside"
    )

    listing = commands.add_parser("list", help="models that come with the package, and families of networks")
    listing.set_defaults(run=lambda args: guarded("list", _list, args))

    models_pull.add_parser(commands)
    models_inside.add_parser(commands)

    importing = commands.add_parser("import", help="turn an official checkpoint (.pth) into a model (.onnx)")
    importing.add_argument("checkpoint", type=Path, help="the authors' file; its name tells the variant")
    importing.add_argument("--family", required=True, help="as in `rppg-ros models list`, e.g. mmrphys")
    importing.add_argument("--size", type=int, help="side of the crop in pixels, if the file name does not tell")
    _add_output(importing)
    importing.set_defaults(run=lambda args: guarded("import", _import, args))

    exporting = commands.add_parser(
        "export", help="turn one of our checkpoints (.pt), or untrained layers, into a model"
    )
    exporting.add_argument(
        "source", help="a checkpoint of ours, a shipped model's name, or a family's name for random weights"
    )
    exporting.add_argument("--seed", type=int, default=0, help="of random weights (default: %(default)s)")
    exporting.add_argument(
        "--windowed", action="store_true", help="export a causal network for whole windows, not for streaming"
    )
    exporting.add_argument(
        "--score", action="append", default=[], metavar="NAME=VALUE", help="figure of merit for the card; several times"
    )
    exporting.add_argument("--limits", default="", help="for the card: what it is not good for, or was not tried on")
    _add_output(exporting)
    exporting.set_defaults(run=lambda args: guarded("export", _export, args))

    info = commands.add_parser(
        "info", help="show the card inside a model (.onnx), or the figures of a family's network"
    )
    info.add_argument("model", help="an .onnx file, a shipped model's or a family's name")
    _add_set(info)
    info.set_defaults(run=lambda args: guarded("info", _info, args))
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, help="file to write (default: NAME.onnx here)")
    parser.add_argument("--name", help="name for the model's card (default: from family and variant)")
    parser.add_argument("--rate", type=float, help="frames per second it was trained at")
    parser.add_argument("--frames", type=int, help="window, in frames")
    _add_set(parser)


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="OPTION=VALUE",
        help="option of the network, e.g. causal=true or axis=time; several times",
    )


def _list(args: argparse.Namespace, console: Console) -> None:
    console.print(_shipped())
    try:
        registry = models_module("registry")
    except UsageError as error:
        console.print(f"Families of networks: {error}", highlight=False, markup=False)
        return
    table = Table(title="Families", title_justify="left")
    for heading in ("family", "what it is", "variants", "official checkpoints"):
        table.add_column(heading)
    for family in registry.FAMILIES.values():
        table.add_row(family.name, family.summary, family.variants, "yes" if family.official else "none")
    for name, origin in registry.GROUP.others().items():
        table.add_row(name, f"from {origin}; `rppg-ros models info {name}` says more", "", "")
    console.print(table)


def _shipped() -> Table:
    table = Table(title="Models in the box (model:=NAME)", title_justify="left")
    for heading in ("name", "measures", "cameras", "crop", "kB"):
        table.add_column(heading)
    for name in weights.names():
        path = weights.resolve(name)
        card = ModelCard.read(path)
        cells = (", ".join(card.tasks), " + ".join(card.channels), f"{card.size} x {card.size}")
        table.add_row(name, *cells, f"{path.stat().st_size / 1000:.0f}")
    return table


def _import(args: argparse.Namespace, console: Console) -> None:
    importer = models_module("importer")
    imported = importer.import_checkpoint(
        args.checkpoint,
        args.family,
        name=args.name,
        size=args.size,
        frames=args.frames,
        rate_hz=args.rate,
        options=_options(args),
    )
    write_model(imported.network, imported.card, args.output, console)


def _export(args: argparse.Namespace, console: Console) -> None:
    saved = models_module("saved")
    if args.source in models_module("registry").family_names():
        chosen = saved.untrained(args.source, args.seed, _options(args))
    elif args.set:
        raise UsageError("--set goes with a family's name; a checkpoint says itself what it is")
    else:
        chosen = saved.load(weights.checkpoint(args.source))
    card = saved.card_of(chosen, name=args.name, frames=args.frames, rate_hz=args.rate, windowed=args.windowed)
    scores = dict(card.scores) | {name: _number(name, value) for name, value in _pairs("--score", args.score).items()}
    filled = replace(card, scores=scores, limits=args.limits)
    write_model(chosen.network, filled, args.output, console)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--score {name}: '{text}' is not a number") from None


def _info(args: argparse.Namespace, console: Console) -> None:
    if Path(args.model).suffix == ".onnx" or args.model in weights.names():
        console.print(card_table(ModelCard.read(args.model), args.model))
        return
    registry, describe = models_module("registry"), models_module("describe")
    family = registry.family(args.model)
    network = registry.build(family.name, **_options(args))
    figures = describe.describe(network, family.window(network.config))
    table = Table(title=f"{family.name} {network.config.variant}", show_header=False, title_justify="left")
    for label, text in (
        ("what it is", family.summary),
        ("parameters", f"{figures.parameters:,}"),
        ("multiply-adds", f"{figures.macs / 1e9:.2f} G for {figures.frames} frames"),
        ("looks back, frames", ", ".join(f"{task} {n}" for task, n in figures.look_back.items())),
        ("looks ahead, frames", ", ".join(f"{task} {n}" for task, n in figures.look_ahead.items())),
        ("options", ", ".join(f"{name}={value}" for name, value in registry.options_of(network.config).items())),
    ):
        table.add_row(label, text)
    console.print(table)


def _options(args: argparse.Namespace) -> dict[str, str]:
    return _pairs("--set", args.set)


def _pairs(flag: str, settings: list[str]) -> dict[str, str]:
    for setting in settings:
        if "=" not in setting:
            raise UsageError(f"{flag} {setting}: write NAME=VALUE")
    return dict(setting.split("=", 1) for setting in settings)
