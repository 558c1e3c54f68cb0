"""What people and other programs wrote into a file, held by pydantic to the dataclass that it shall become.

Works alike with pydantic 1.10, which Ubuntu 24.04 has, and with 2, whose dataclasses, conversions and messages differ: each
dataclass gets a pydantic model of strict types, and what that refuses is said in our words. NaN and infinity are never allowed.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import functools
import sys
import typing
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, StrictBool, StrictStr, ValidationError, confloat, conint, constr, create_model

from rppg_ros.limits import Limits

ANY_NUMBER = Limits(-1e9, 1e9)  # of numbers without limits of their own
MAX_SHOWN = 80  # characters of a wrong value


class FieldError(ValueError):
    """A field is unknown, missing, or not what it must be; one line that names it."""


class _Model(BaseModel, extra="forbid"):
    """What all models share."""

    made_from: ClassVar[type]


class _Type(typing.NamedTuple):
    """A field's type: without parameters, its parameters, and its limits, else those of the dataclass that it is in."""

    kind: Any
    args: tuple[Any, ...]
    limits: Limits | None


def checked(cls: type, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for a dataclass: all of its fields, converted (lists to tuples, texts to enums, mappings to dataclasses).

    Parameters
    ----------
    cls : dataclass whose fields have types of JSON, enums, dataclasses, and sequences and mappings of these.
    raw : field to value, as a file or a caller gives them.

    Raises
    ------
    FieldError : names the first field that is wrong.
    """
    given = _given(cls, raw)
    try:
        model = _model(cls)(**given)
    except ValidationError as error:
        raise FieldError(_said(cls, given, error)) from None
    except OverflowError:  # pydantic 1 lets it through
        raise FieldError(_too_large(given)) from None
    return {name: _made(name, value) for name, value in model}


def _too_large(given: Mapping[str, Any]) -> str:
    """Which number no float holds."""
    for name, value in given.items():
        if _is_too_large(value):
            return f"'{name}' must be a number that a float holds"
    return "a number is too large"


def _is_too_large(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_too_large, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_is_too_large, value))
    return isinstance(value, int) and abs(value) > sys.float_info.max


def hold(instance: Any) -> None:
    """Check and convert the fields of a dataclass's instance, frozen or not, in its `__post_init__`; raises as `checked`."""
    raw = {f.name: getattr(instance, f.name) for f in dataclasses.fields(instance)}
    for name, value in checked(type(instance), raw).items():
        object.__setattr__(instance, name, value)


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _has_fields(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind)


def _type(hint: Any, outer: Limits | None = None) -> _Type:
    if typing.get_origin(hint) is Annotated:
        hint, outer = typing.get_args(hint)
    return _Type(typing.get_origin(hint) or hint, typing.get_args(hint), outer)


@functools.cache
def _model(cls: type, outer: Limits | None = None) -> type[_Model]:
    """Pydantic's model of a dataclass."""
    declared: dict[str, Any] = {}
    for f in dataclasses.fields(cls):
        default = ... if f.default is dataclasses.MISSING else f.default
        if f.default_factory is not dataclasses.MISSING:
            default = Field(default_factory=f.default_factory)
        declared[f.name] = (_strict(_hints(cls)[f.name], outer), default)
    model = create_model(cls.__name__, __base__=_Model, **declared)
    model.made_from = cls
    return model


def _strict(hint: Any, outer: Limits | None = None) -> Any:
    """Pydantic's type for that of a field."""
    kind, args, limits = _type(hint, outer)
    least, most = dataclasses.astuple(limits or ANY_NUMBER)
    if _has_fields(kind):
        return _model(kind, limits)
    if kind is int:
        return conint(strict=True, ge=int(least), le=int(most))
    if kind is float:
        return confloat(ge=least, le=most, allow_inf_nan=False)
    if kind is str and limits:
        return constr(strict=True, min_length=int(least), max_length=int(most))
    if kind is Literal or not args:
        return {bool: StrictBool, str: StrictStr}.get(kind, hint)
    return kind[tuple(arg if arg is ... else _strict(arg) for arg in args)]


def _given(hint: Any, value: Any) -> Any:
    """As the models take it: dataclasses as mappings; and true, which pydantic takes for 1, as text where a number is wanted."""
    kind, args, _ = _type(hint)
    if kind is float and isinstance(value, bool):
        return str(value)
    if _has_fields(kind):
        if type(value) is kind:
            value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        if isinstance(value, Mapping):
            return {str(name): _given(_hints(kind).get(name, Any), item) for name, item in value.items()}
    if args and isinstance(value, Mapping):
        return {key: _given(args[-1], item) for key, item in value.items()}
    if args and isinstance(value, (list, tuple)):
        return [_given(args[0], item) for item in value]
    return value


def _made(path: str, value: Any) -> Any:
    """A value with the dataclasses in the place of their models."""
    if isinstance(value, _Model):
        try:
            return value.made_from(**{name: _made(f"{path}.{name}", item) for name, item in value})
        except FieldError:
            raise
        except ValueError as error:  # what the dataclass itself has against it
            raise FieldError(f"{path}: {error}") from None
    if isinstance(value, (tuple, list)):
        return type(value)(_made(f"{path}[{index}]", item) for index, item in enumerate(value))
    if isinstance(value, Mapping):
        return {key: _made(f"{path}.{key}", item) for key, item in value.items()}
    return value


def _said(cls: type, given: Mapping[str, Any], error: ValidationError) -> str:
    """The worst of pydantic's findings: what is unknown, else what is missing, else the first that is wrong."""
    found = [(one["type"].rpartition("value_error.")[2], one["loc"]) for one in error.errors()]
    for _, loc in (one for one in found if one[0] in ("extra", "extra_forbidden")):  # in pydantic 1, and in 2
        path, holder, _ = _place(cls, given, loc[:-1])
        known = list(_hints(holder.kind))
        near = difflib.get_close_matches(str(loc[-1]), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
        return f"unknown field '{_join(path, loc[-1])}'; {hint}"
    absent = [loc for kind, loc in found if kind == "missing" and not isinstance(loc[-1], int)]
    if missing := [_join(_place(cls, given, loc[:-1])[0], loc[-1]) for loc in absent]:
        return f"lacks {', '.join(repr(path) for path in sorted(missing))}"
    kind, loc = found[0]
    path, wanted, value = _place(cls, given, loc[:-1] if kind == "missing" else loc)  # of a list that is too short
    return f"'{path}' must be {_wanted(wanted)}, not {_short(value)}"


def _place(cls: type, given: Any, loc: tuple[int | str, ...]) -> tuple[str, _Type, Any]:
    """Path for people, type and value at the place that pydantic names; of a wrong key, those of its mapping."""
    path, here, value = "", _type(cls), given
    steps = loc[:-1] if loc[-1:] == ("__key__",) else loc[:-2] if loc[-1:] == ("[key]",) else loc
    for step in steps:
        if _has_fields(here.kind) and isinstance(value, Mapping):
            hint, path = _hints(here.kind)[str(step)], _join(path, step)
        elif here.args and isinstance(value, Mapping):
            hint, path = here.args[-1], _join(path, step)
        elif here.args and isinstance(value, list):
            hint, path = here.args[0], f"{path}[{step}]"
        else:
            break
        inner = here.limits if _has_fields(here.kind) else None
        here, value = _type(hint, inner), value[int(step)] if isinstance(value, list) else value.get(step)
    return path, here, value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _join(path: str, step: int | str) -> str:
    return f"{path}.{step}" if path else str(step)


def _wanted(wanted: _Type) -> str:
    """What a field must be, in words."""
    kind, args, limits = wanted
    least, most = dataclasses.astuple(limits or ANY_NUMBER)
    if kind in (int, float):
        return f"{'an integer' if kind is int else 'a number'} from {least} to {most}"
    if kind is str:
        return f"text of {least} to {most} characters" if limits else "text"
    if kind is Literal:
        return f"one of {', '.join(map(str, args))}"
    if isinstance(kind, enum.EnumMeta):
        members: dict[str, enum.Enum] = dict(kind.__members__)
        return f"one of {', '.join(str(member.value) for member in members.values())}"
    if kind in (tuple, list):
        return "a list" if kind is list or args[-1] is ... else f"a list of {len(args)}"
    if kind is bool:
        return "true or false"
    keys = _type(args[0]) if args else None
    return "a mapping" if keys is None or keys.kind is str else f"a mapping whose keys are {_wanted(keys)}"
