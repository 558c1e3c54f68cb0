"""YAML files of others, read within limits: what is huge, deeply nested or multiplies itself is refused before it is built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 2_000_000
MAX_DEPTH = (
    32  # mappings and lists within each other; PyYAML's time grows with the square, and ends in a RecursionError
)
MAX_NODES = 100_000  # what aliases repeat counts each time: nine lines of them can stand for a billion
MAX_SHOWN = 200  # characters of what YAML says


class YamlError(ValueError):
    """Why a YAML file cannot be read, in one line without the file's name."""


def read_yaml(path: str | Path) -> Any:
    """What a YAML file holds, of plain types.

    Raises
    ------
    YamlError : no such file, not YAML, or beyond the limits; in one line.
    """
    text = _text(Path(path))
    try:
        _check_events(text)
        return yaml.load(text, _LOADER)
    except (ValueError, yaml.YAMLError) as error:  # ValueError: 2026-13-45, or an integer of 5000 digits
        raise YamlError(" ".join(str(error).split())[:MAX_SHOWN]) from None


def check_yaml(path: str | Path) -> None:
    """Refuse a YAML file that somebody else will read; raises as `read_yaml`, but for values that are none of their type."""
    try:
        _check_events(_text(Path(path)))
    except yaml.YAMLError as error:
        raise YamlError(" ".join(str(error).split())[:MAX_SHOWN]) from None


_LOADER: Any = yaml.SafeLoader


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise YamlError("no such file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode()
    except OSError as error:
        raise YamlError(error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise YamlError(f"not a text: {error.reason} at byte {error.start}") from None
    if len(content) > MAX_BYTES:
        raise YamlError(f"more than {MAX_BYTES:,} bytes")
    return text


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end was not seen yet: its anchor, the values in it so far, and how deep they nest."""

    anchor: str | None
    nodes: int = 1
    height: int = 1


def _check_events(text: str) -> None:
    within, known = [_Open(None)], dict[str, _Open]()
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            within.append(_Open(event.anchor))
            _add(within, _Open(None, 0, 0), event)
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = within.pop()
            _add(within, ended, event)
            if ended.anchor:
                known[ended.anchor] = ended
        elif isinstance(event, yaml.ScalarEvent):
            one = _Open(event.anchor, 1, 0)
            _add(within, one, event)
            if event.anchor:
                known[event.anchor] = one
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in known:
                raise YamlError(f"line {event.start_mark.line + 1}: alias of nothing that is complete before it")
            _add(within, known[event.anchor], event)


def _add(within: list[_Open], part: _Open, event: yaml.Event) -> None:
    holder = within[-1]
    holder.nodes += part.nodes
    holder.height = max(holder.height, part.height + 1)
    if len(within) - 1 + part.height > MAX_DEPTH:
        raise YamlError(f"line {event.start_mark.line + 1}: nested more than {MAX_DEPTH} deep")
    if holder.nodes > MAX_NODES:
        raise YamlError(f"line {event.start_mark.line + 1}: more than {MAX_NODES:,} values")
