"""Settings as flags of a command line: `detector.rate` is --detector-rate."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from rppg_ros.settings.schema import Setting, SettingError, settings_of

LIST_METAVAR = "N"


def add_flags(parser: argparse._ActionsContainer, group: type, without: Iterable[str] = ()) -> None:
    """Add a flag for each setting of a group but those in `without`; one that is not given is not in the parsed arguments."""
    left_out = set(without)
    for name, declared in settings_of(group).items():
        if name not in left_out:
            _add(parser, declared)


def given_flags(arguments: argparse.Namespace, group: type) -> dict[str, Any]:
    """Values of the flags that were given, by dotted name."""
    return {
        name: getattr(arguments, declared.python_name)
        for name, declared in settings_of(group).items()
        if hasattr(arguments, declared.python_name)
    }


def flag(name: str) -> str:
    """Flag of a setting."""
    return "--" + name.replace(".", "-").replace("_", "-")


def _add(parser: argparse._ActionsContainer, declared: Setting) -> None:
    options: dict[str, Any] = {
        "dest": declared.python_name,
        "default": argparse.SUPPRESS,
        "help": _help(declared),
    }
    if isinstance(declared.default, bool):
        parser.add_argument(flag(declared.name), action=argparse.BooleanOptionalAction, **options)
        return
    if isinstance(declared.default, list):
        parser.add_argument(
            flag(declared.name), type=float, nargs=len(declared.default), metavar=LIST_METAVAR, **options
        )
        return
    if declared.choices:
        options["metavar"] = "{" + ",".join(declared.choices) + "}"
    parser.add_argument(flag(declared.name), type=_reader(declared), **options)


def _reader(declared: Setting) -> Any:
    convert = type(declared.default)

    def read(text: str) -> Any:
        try:
            return declared.check(convert(text))
        except SettingError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{text}' is not {declared.allowed}") from None

    return read


def _help(declared: Setting) -> str:
    unit = f", {declared.unit}" if declared.unit else ""
    default = "empty" if declared.default == "" else declared.default
    return f"{declared.meaning}{unit}; default: {default}".replace("%", "%%")
