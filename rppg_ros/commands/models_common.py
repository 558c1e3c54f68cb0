"""What the subcommands of `rppg-ros models` share: errors as one line, torch where it is needed, a model written."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from rppg_ros.inference.card import ModelCard

if TYPE_CHECKING:
    from rppg_ros.models.network import Network

EXIT_OK = 0
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
MODELS_PACKAGES = ("torch", "onnx", "pooch")


class UsageError(Exception):
    """Something the user can put right; its text is the one line they see."""


def guarded(command: str, action: Callable[[argparse.Namespace, Console], None], args: argparse.Namespace) -> int:
    """Run a command; what the user can put right becomes one line and exit code 2."""
    try:
        action(args, Console())
    except (UsageError, ValueError, OSError) as error:
        print(f"rppg-ros models {command}: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print(f"rppg-ros models {command}: stopped", file=sys.stderr)
        return EXIT_INTERRUPTED
    return EXIT_OK


def models_module(name: str, package: str = "models") -> ModuleType:
    """A module of rppg_ros.models, or another package, which needs the packages of the extra `models`."""
    try:
        return importlib.import_module(f"rppg_ros.{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name not in MODELS_PACKAGES:
            raise
        raise UsageError(f"{error.name} is not installed: pip install 'rppg_ros[models]'") from None


def write_model(network: Network, card: ModelCard, output: Path | None, console: Console) -> None:
    """Export a torch network with its card to `output`, or to the card's name here, and show the card.

    Raises
    ------
    UsageError : when `output` is no .onnx file, cannot be written, or the graph does not compute what the network computes.
    """
    export = models_module("export")
    output = output or Path(f"{card.name}.onnx")
    if output.suffix != ".onnx" or output.is_dir():
        raise UsageError(f"{output}: the output must be a file ending in .onnx")
    try:
        checks = export.export(network, card, output)
    except (export.ExportError, OSError) as error:
        raise UsageError(f"{output}: not written: {error}") from None
    worst = max(check.error for check in checks)
    console.print(card_table(card, str(output)))
    console.print(
        f"ONNX Runtime agrees with torch to {worst:.0e} of the waveform's peak on {len(checks)} clips.",
        highlight=False,
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
        ("limits", card.limits),
        ("licence", card.licence),
        ("source", card.source),
        ("checkpoint sha256", card.sha256),
    ]
