"""What other distributions add to this package by entry points: found by name, imported only when asked for.

Each room has a `Group`: a table of its own things and the name of the entry points that are looked up beside them. A name that
two distributions give, this package among them, is an error when it is asked for: nothing that is installed later changes in
silence what a name means.
"""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from typing import Generic, TypeVar, cast

from rppg_ros import __version__

OWN = f"rppg_ros {__version__}"
UNNAMED = "a distribution without a name"
SCANS_KEPT = 16  # a look through 300 distributions takes 70 ms

T = TypeVar("T")
Options = TypeVar("Options")


@dataclass(frozen=True)
class Group(Generic[T]):
    """Things of one kind by name: our own, and those of other distributions.

    Attributes
    ----------
    name : of the entry points, e.g. "rppg_ros.engines".
    what : one of the things, for messages, e.g. "engine".
    own : those of this package.
    error : raised with one line that says what is wrong.
    problem : what is wrong with an object that an entry point of this name gave; "": nothing.
    """

    name: str
    what: str
    own: Mapping[str, T]
    error: type[Exception]
    problem: Callable[[str, object], str]

    def names(self) -> tuple[str, ...]:
        """All names, our own first. Imports no plug-in."""
        return tuple(dict.fromkeys([*self.own, *self.others()]))

    def others(self) -> dict[str, str]:
        """Names that other distributions give, sorted, with the distributions and their versions. Imports no plug-in."""
        names = sorted({point.name for point in self._points()})
        return {name: " and ".join(self._owners(name)) for name in names}

    def find(self, name: str) -> T:
        """The thing of that name; of another distribution, it is imported now.

        Raises
        ------
        error : nobody gives that name, or several do; or a plug-in does not load, or gives something else.
        """
        owners = self._owners(name)
        if not owners:
            raise self.error(self._unknown(name))
        if len(owners) > 1:
            given = " and by ".join(owners)
            raise self.error(f"{self.what} '{name}' is given by {given} (group {self.name}): uninstall one of them")
        return self.own[name] if name in self.own else self._loaded(name)

    def label(self, name: str) -> str:
        """What a message calls it: name, distribution and group."""
        return f"{self.what} '{name}' of {' and '.join(self._owners(name))} (group {self.name})"

    def _points(self) -> tuple[metadata.EntryPoint, ...]:
        return _entry_points(self.name, tuple(sys.path))

    def _owners(self, name: str) -> list[str]:
        ours = [OWN] if name in self.own else []
        return ours + [_distribution(point) for point in self._points() if point.name == name]

    def _unknown(self, name: str) -> str:
        names = self.names()
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"no {self.what} '{name}'; there are: {', '.join(names)}{hint}"

    def _loaded(self, name: str) -> T:
        point = next(point for point in self._points() if point.name == name)
        try:
            found = point.load()
        except (Exception, SystemExit) as error:  # whatever a foreign module does when it is imported
            raise self.error(f"{self.label(name)} does not load from {point.value}: {_line(error)}") from error
        problem = self.problem(name, found)
        if problem:
            raise self.error(f"{self.label(name)}: {point.value} {problem}")
        return cast(T, found)


def make(
    group: Group[Callable[[Options], T]], name: str, options: Options, problem: Callable[[T], str] = lambda made: ""
) -> T:
    """What the callable of that name makes of some options.

    Parameters
    ----------
    problem : what is wrong with what a plug-in made; "": nothing.

    Raises
    ------
    group.error : see Group.find; or a plug-in raises, or makes something else. Our own callables' errors are their own.
    """
    factory = group.find(name)
    if name in group.own:
        return factory(options)
    try:
        made = factory(options)
    except Exception as error:
        raise group.error(f"{group.label(name)} cannot be made: {_line(error)}") from error
    wrong = problem(made)
    if wrong:
        raise group.error(f"{group.label(name)}: what it makes, of type {type(made).__name__}, {wrong}")
    return made


def not_callable(name: str, found: object) -> str:
    """A group's `problem`, where anything that can be called will do."""
    return "" if callable(found) else f"is of type {type(found).__name__}, not a callable"


def lacking(made: object, protocol: type) -> str:
    """Which of a protocol's attributes and methods an object lacks; "": none."""
    members = [*inspect.get_annotations(protocol), *vars(protocol)]
    missing = [member for member in members if not member.startswith("_") and not hasattr(made, member)]
    return f"lacks {', '.join(missing)}" if missing else ""


@lru_cache(maxsize=SCANS_KEPT)
def _entry_points(group: str, path: tuple[str, ...]) -> tuple[metadata.EntryPoint, ...]:
    """Entry points of a group; read once for each state of the import path."""
    return tuple(metadata.entry_points(group=group))


def _distribution(point: metadata.EntryPoint) -> str:
    """Name and version, as far as its metadata tell."""
    if point.dist is None:
        return UNNAMED
    try:
        name, version = point.dist.name, point.dist.version
    # No metadata; which of them depends on Python's version, and on whether somebody imported the importlib_metadata of PyPI.
    except (AttributeError, KeyError, TypeError, FileNotFoundError):
        return UNNAMED
    return f"{name} {version}" if name else UNNAMED


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
