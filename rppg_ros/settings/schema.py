"""What a setting is, and how its values are checked. A group of settings is a frozen dataclass whose fields say all of it."""

from __future__ import annotations

import dataclasses
import difflib
import math
import numbers
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Group = TypeVar("Group")
KEY = "setting"
MAX_SHOWN = 200  # characters of a wrong value
MAX_TEXT = 4096  # characters; Linux has no longer paths
ANY_NUMBER = 1e9  # of numbers without limits of their own, either side of 0


class SettingError(ValueError):
    """A setting that does not exist, or a value that it cannot have; names the setting, the value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes
    ----------
    name : of the ROS parameter and YAML key, dotted: "detector.rate". As a Python argument: `detector_rate`.
    default : also fixes the type: bool, int, float, str, or a list of numbers.
    meaning : one line.
    unit : of the value; empty for texts and pure numbers.
    minimum, maximum : inclusive, for numbers; without, -ANY_NUMBER and ANY_NUMBER.
    choices : allowed texts; none: any.
    live : whether it may change while the node is active; else it is read when the node is configured.
    """

    name: str
    default: Any
    meaning: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    @property
    def python_name(self) -> str:
        """Name as a field and as an argument."""
        return self.name.replace(".", "_")

    @property
    def type_name(self) -> str:
        """Type as people write it."""
        return "list of numbers" if isinstance(self.default, list) else type(self.default).__name__

    @property
    def allowed(self) -> str:
        """What a value must be, as the end of a sentence."""
        if self.choices:
            return f"one of: {', '.join(self.choices)}"
        article = "an" if self.type_name == "int" else "a"
        kind = f"list of {len(self.default)} numbers" if isinstance(self.default, list) else self.type_name
        if isinstance(self.default, str):
            return f"{article} {kind} of at most {MAX_TEXT} characters"
        if self.minimum is None:
            return f"{article} {kind}"
        unit = f" {self.unit}" if self.unit else ""
        return f"{article} {kind} from {self.minimum:g} to {self.maximum:g}{unit}"

    def check(self, value: Any) -> Any:
        """The value as this setting's type; a whole number is a float and a text where one of those is wanted.

        Raises
        ------
        SettingError : wrong type, outside the range, not finite, or none of the choices.
        """
        try:
            converted = self._converted(value)
        except (OverflowError, ValueError):  # an integer that no float holds, or too long to be written
            converted = None
        if converted is None or not self._inside(converted):
            raise SettingError(f"'{self.name}' cannot be {_shown(value)}: it must be {self.allowed}")
        return converted

    def _converted(self, value: Any) -> Any:
        """As the default's type; None where that is not possible."""
        if isinstance(self.default, bool):
            return value if isinstance(value, bool) else None
        if isinstance(self.default, list):
            return self._numbers(value)
        if isinstance(value, bool):
            return None
        if isinstance(self.default, float):
            return float(value) if isinstance(value, numbers.Real) else None
        if isinstance(self.default, int):
            return int(value) if isinstance(value, numbers.Integral) else None
        # `source:=0` is camera "0" on a command line.
        return str(value) if isinstance(value, str | int | os.PathLike) else None

    def _numbers(self, value: Any) -> list[float] | None:
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            return None
        values = list(value)
        real = all(isinstance(v, numbers.Real) and not isinstance(v, bool) for v in values)
        if len(values) != len(self.default) or not real:
            return None
        return [float(v) for v in values]

    def _inside(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        if isinstance(value, str):
            return len(value) <= MAX_TEXT and "\0" not in value
        numbers = value if isinstance(value, list) else [value]
        if any(isinstance(v, float) and not math.isfinite(v) for v in numbers):
            return False
        least = -ANY_NUMBER if self.minimum is None else self.minimum
        most = ANY_NUMBER if self.maximum is None else self.maximum
        return all(least <= v <= most for v in numbers)


def setting(
    name: str,
    default: Any,
    meaning: str,
    minimum: float | None = None,
    maximum: float | None = None,
    *,
    unit: str = "",
    choices: Sequence[str] = (),
    live: bool = False,
) -> Any:
    """Field of a group; see Setting for the arguments."""
    declared = Setting(name, default, meaning, unit, minimum, maximum, tuple(choices), live)
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata={KEY: declared})
    return dataclasses.field(default=default, metadata={KEY: declared})


def settings_of(group: type) -> dict[str, Setting]:
    """Settings of a group by name, in order. A group may give an inherited field another default."""
    found = {}
    for entry in dataclasses.fields(group):
        declared: Setting = entry.metadata[KEY]
        found[declared.name] = declared
    return found


class Checked:
    """Base of the groups: what they are made with is checked, and converted to the settings' types."""

    def __post_init__(self) -> None:
        for declared in settings_of(type(self)).values():
            object.__setattr__(self, declared.python_name, declared.check(getattr(self, declared.python_name)))


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer too long to be written
        text = f"a {type(value).__name__}"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def make(group: type[Group], values: Mapping[str, Any]) -> Group:
    """A group with these values, the rest at their defaults.

    Parameters
    ----------
    values : by name, dotted or as Python writes it.

    Raises
    ------
    SettingError : an unknown name, with the nearest known one; or a value that cannot be.
    """
    known = settings_of(group)
    by_python_name = {declared.python_name: declared for declared in known.values()}
    checked = {}
    for name, value in values.items():
        declared = known.get(name) or by_python_name.get(name)
        if declared is None:
            raise SettingError(unknown(name, [*known] if "." in name else [*known, *by_python_name]))
        checked[declared.python_name] = declared.check(value)
    return group(**checked)


def unknown(name: str, known: Iterable[str], what: str = "setting") -> str:
    """One line about a name that is not known, with the nearest one that is."""
    near = difflib.get_close_matches(name, list(known), 1, cutoff=0.5)
    return f"unknown {what} '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")
