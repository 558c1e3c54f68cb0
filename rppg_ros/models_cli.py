"""`rppg-ros models`: list the families, import official checkpoints, export our own, read a model's card."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rppg_ros import weights
from rppg_ros.inference.card import ModelCard

EXIT_OK = 0
EXIT_BAD_INPUT = 2
TORCH_PACKAGES = ("torch", "onnx")


class UsageError(Exception):
    """Something the user can put right; its text is the one line they see."""


def add_parser(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add `models` to a command line; the parsed arguments' `run` takes them and returns the exit code."""
    parser = subparsers.add_parser("models", help="list, import, export and inspect networks")
    commands = parser.add_subparsers(dest="models_command", required=True, metavar="list | import | export | info")

    listing = commands.add_parser("list", help="families of networks that can be built and imported")
    listing.set_defaults(run=lambda args: _guarded("list", _list, args))

    importing = commands.add_parser("import", help="turn an official checkpoint (.pth) into a model (.onnx)")
    importing.add_argument("checkpoint", type=Path, help="the authors' file; its name tells the variant")
    importing.add_argument("--family", required=True, help="as in `rppg-ros models list`, e.g. mmrphys")
    importing.add_argument("--size", type=int, help="side of the crop in pixels, if the file name does not tell")
    _add_output(importing)
    importing.set_defaults(run=lambda args: _guarded("import", _import, args))

    exporting = commands.add_parser(
        "export", help="turn one of our checkpoints (.pt), or untrained layers, into a model"
    )
    exporting.add_argument("source", help="a checkpoint of ours, or a family's name for a network with random weights")
    exporting.add_argument("--seed", type=int, default=0, help="of random weights (default: %(default)s)")
    exporting.add_argument(
        "--windowed", action="store_true", help="export a causal network for whole windows, not for streaming"
    )
    _add_output(exporting)
    exporting.set_defaults(run=lambda args: _guarded("export", _export, args))

    info = commands.add_parser(
        "info", help="show the card inside a model (.onnx), or the figures of a family's network"
    )
    info.add_argument("model", help="an .onnx file, a shipped model's or a family's name")
    _add_set(info)
    info.set_defaults(run=lambda args: _guarded("info", _info, args))
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


def card_table(card: ModelCard, title: str) -> Table:
    """A model card for the terminal."""
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, text in _card_rows(card):
        if text:
            table.add_row(label, text)
    return table


def _card_rows(card: ModelCard) -> list[tuple[str, str]]:
    window = f"{card.frames} frames, {card.window_s:.1f} s"
    if card.dynamic_frames:
        window += f" (or any multiple of {card.frames_multiple} from {card.min_frames})"
    if card.state:
        window = f"streams, in chunks of {card.frames} frames (or any other)"
    shape = f"float32 (batch, {card.channel_count}, {card.frames + card.pad_frames}, {card.size}, {card.size})"
    return [
        ("name", card.name),
        ("family", f"{card.family}, {card.variant}"),
        ("measures", ", ".join(f"{task} (output '{card.outputs[task]}')" for task in card.tasks)),
        ("cameras", " + ".join(card.channels)),
        ("input", f"'{card.input_name}' {shape}, pixels {card.value_range}"),
        ("window", window),
        ("last frame repeated", str(card.pad_frames)),
        ("clock", f"{card.rate_hz:g} Hz"),
        ("crop", f"{card.size} x {card.size}, {card.crop_scale:g} times the face box"),
        ("state tensors", str(len(card.state) or "none")),
        ("trained on", card.training_data),
        ("scores", ", ".join(f"{merit} {value:g}" for merit, value in card.scores.items())),
        ("licence", card.licence),
        ("source", card.source),
        ("checkpoint sha256", card.sha256),
    ]


def _list(args: argparse.Namespace, console: Console) -> None:
    registry = _models_module("registry")
    table = Table(title="Families", title_justify="left")
    for heading in ("family", "what it is", "variants", "official checkpoints"):
        table.add_column(heading)
    for family in registry.FAMILIES.values():
        table.add_row(family.name, family.summary, family.variants, "yes" if family.official else "none")
    console.print(table)


def _import(args: argparse.Namespace, console: Console) -> None:
    importer = _models_module("importer")
    imported = importer.import_checkpoint(
        args.checkpoint,
        args.family,
        name=args.name,
        size=args.size,
        frames=args.frames,
        rate_hz=args.rate,
        options=_options(args),
    )
    _write(imported.network, imported.card, args, console)


def _export(args: argparse.Namespace, console: Console) -> None:
    saved = _models_module("saved")
    if args.source in _models_module("registry").FAMILIES:
        chosen = saved.untrained(args.source, args.seed, _options(args))
    elif args.set:
        raise UsageError("--set goes with a family's name; a checkpoint says itself what it is")
    else:
        chosen = saved.load(args.source)
    card = saved.card_of(chosen, name=args.name, frames=args.frames, rate_hz=args.rate, windowed=args.windowed)
    _write(chosen.network, card, args, console)


def _write(network, card: ModelCard, args: argparse.Namespace, console: Console) -> None:
    export = _models_module("export")
    output = args.output or Path(f"{card.name}.onnx")
    if output.suffix != ".onnx" or output.is_dir():
        raise UsageError(f"{output}: the output must be a file ending in .onnx")
    try:
        checks = export.export(network, card, output)
    except export.ExportError as error:
        raise UsageError(f"{output}: not written: {error}") from None
    worst = max(check.error for check in checks)
    console.print(card_table(card, str(output)))
    console.print(
        f"ONNX Runtime agrees with torch to {worst:.0e} of the waveform's peak on {len(checks)} clips.",
        highlight=False,
    )


def _info(args: argparse.Namespace, console: Console) -> None:
    if Path(args.model).suffix == ".onnx" or args.model in weights.names():
        console.print(card_table(ModelCard.read(args.model), args.model))
        return
    registry, describe = _models_module("registry"), _models_module("describe")
    family = registry.family(args.model)
    network = registry.build(family.name, **_options(args))
    figures = describe.describe(network, family.frames)
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
    for setting in args.set:
        if "=" not in setting:
            raise UsageError(f"--set {setting}: write OPTION=VALUE")
    return dict(setting.split("=", 1) for setting in args.set)


def _models_module(name: str):
    """A module of rppg_ros.models, which needs torch and onnx."""
    import importlib

    try:
        return importlib.import_module(f"rppg_ros.models.{name}")
    except ModuleNotFoundError as error:
        if error.name not in TORCH_PACKAGES:
            raise
        raise UsageError(f"{error.name} is not installed: pip install 'rppg_ros[models]'") from None


def _guarded(command: str, action, args: argparse.Namespace) -> int:
    """Run a command; what the user can put right becomes one line and exit code 2."""
    try:
        action(args, Console())
    except (UsageError, ValueError, OSError) as error:
        print(f"rppg-ros models {command}: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return EXIT_OK
