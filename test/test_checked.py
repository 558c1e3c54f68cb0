"""What a file says is converted to what a dataclass declares, or refused in one line; alike with pydantic 1.10 and 2."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.checked import MAX_SHOWN, FieldError, checked, hold
from rppg_ros.limits import Limits
from rppg_ros.types import Vital


@dataclass(frozen=True, slots=True)
class Part:
    """A dataclass in another, without limits of its own; one with a limit that only it knows."""

    weight: float = 0.0
    count: int = 0

    def __post_init__(self) -> None:
        if self.weight == self.count != 0:
            raise ValueError("weight must not be count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """One field of each kind."""

    size: Annotated[int, Limits(2, 5)]
    gain: Annotated[float, Limits(-1.0, 1.5)] = 0.0
    free: float = 0.0
    sure: bool = False
    name: Annotated[str, Limits(1, 3)] = "a"
    note: str = ""
    mode: Literal["wide", "narrow"] = "wide"
    vitals: tuple[Vital, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    words: list[str] = field(default_factory=list)
    named: Mapping[Vital, Annotated[int, Limits(0, 9)]] = field(default_factory=dict)
    parts: tuple[Annotated[Part, Limits(-3, 3)], ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        hold(self)


def said(**raw) -> str:
    with pytest.raises(FieldError) as caught:
        checked(Whole, {"size": 3} | raw)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_becomes_a_dataclass():
    raw = {
        "size": 3, "gain": 1, "vitals": ["rsp"], "pair": [0, 2], "named": {"bvp": 4}, "words": ["x"],
        "parts": [{"weight": 2}, {}], "options": {"deep": True, "n": [1]}, "mode": "narrow",
    }  # fmt: skip
    assert Whole(**checked(Whole, raw)) == Whole(
        size=3, gain=1.0, vitals=(Vital.RSP,), pair=(0.0, 2.0), named={Vital.BVP: 4}, words=["x"],
        parts=(Part(2.0), Part()), options={"deep": True, "n": [1]}, mode="narrow",
    )  # fmt: skip


def test_a_callers_values_are_converted_too():
    whole = Whole(size=3, gain=1, vitals=["bvp"], parts=[Part(1, 2)])
    assert isinstance(whole.gain, float) and whole.vitals == (Vital.BVP,) and whole.parts == (Part(1.0, 2),)


def test_defaults_are_not_shared():
    assert Whole(size=2).words is not Whole(size=2).words


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"size": "3"}, "'size' must be an integer from 2 to 5, not '3'"),
        ({"size": 3.0}, "'size' must be an integer from 2 to 5, not 3.0"),
        ({"size": True}, "'size' must be an integer from 2 to 5, not True"),
        ({"size": None}, "'size' must be an integer from 2 to 5, not None"),
        ({"gain": True}, "'gain' must be a number from -1.0 to 1.5, not 'True'"),
        ({"gain": "much"}, "'gain' must be a number from -1.0 to 1.5, not 'much'"),
        ({"free": 1e10}, "'free' must be a number from -1000000000.0 to 1000000000.0, not 10000000000.0"),
        ({"sure": 1}, "'sure' must be true or false, not 1"),
        ({"name": ""}, "'name' must be text of 1 to 3 characters, not ''"),
        ({"name": "abcd"}, "'name' must be text of 1 to 3 characters, not 'abcd'"),
        ({"note": 5}, "'note' must be text, not 5"),
        ({"mode": "tall"}, "'mode' must be one of wide, narrow, not 'tall'"),
        ({"vitals": ["bvp", "spo2"]}, "'vitals[1]' must be one of bvp, rsp, not 'spo2'"),
        ({"vitals": "bvp"}, "'vitals' must be a list, not 'bvp'"),
        ({"pair": [1]}, "'pair' must be a list of 2, not [1]"),
        ({"pair": [1, 2, 3]}, "'pair' must be a list of 2, not [1, 2, 3]"),
        ({"pair": 1}, "'pair' must be a list of 2, not 1"),
        ({"pair": [0, float("nan")]}, "'pair[1]' must be a number"),
        ({"words": "xy"}, "'words' must be a list, not 'xy'"),
        ({"words": [1]}, "'words[0]' must be text, not 1"),
        ({"named": {"hr": 1}}, "'named' must be a mapping whose keys are one of bvp, rsp, not {'hr': 1}"),
        ({"named": {"bvp": 10}}, "'named.bvp' must be an integer from 0 to 9, not 10"),
        ({"named": [1]}, "'named' must be a mapping whose keys are one of bvp, rsp, not [1]"),
        ({"parts": [{}, {"weight": 3.5}]}, "'parts[1].weight' must be a number from -3 to 3, not 3.5"),
        ({"parts": [{"count": 4}]}, "'parts[0].count' must be an integer from -3 to 3, not 4"),
        ({"parts": [{"wieght": 1}]}, "unknown field 'parts[0].wieght'; did you mean 'weight'?"),
        ({"parts": ["x"]}, "'parts[0]' must be a mapping, not 'x'"),
        ({"parts": [{}, {"weight": 1, "count": 1}]}, "parts[1]: weight must not be count"),
        ({"options": [1]}, "'options' must be a mapping, not [1]"),
        ({"zzz": 1}, "unknown field 'zzz'; there are: size, gain, free"),
        ({"parts": [{7: 1}]}, "unknown field 'parts[0].7'; there are: weight, count"),
        ({"siez": 1, "size": 99}, "unknown field 'siez'; did you mean 'size'?"),
    ],
)
def test_what_is_wrong_is_named(raw, message):
    assert said(**raw).startswith(message)


def test_what_is_missing_is_named():
    with pytest.raises(FieldError, match="^lacks 'size'$"):
        checked(Whole, {"gain": 99})


def test_a_long_value_is_cut():
    assert said(size="x" * 1000) == f"'size' must be an integer from 2 to 5, not '{'x' * (MAX_SHOWN - 1)}..."


@given(st.floats() | st.integers())
def test_only_what_is_within_limits_passes(value):
    try:
        found = checked(Whole, {"size": 3, "gain": value})["gain"]
    except FieldError:
        assert not -1.0 <= value <= 1.5
    else:
        assert -1.0 <= value <= 1.5 and found == value
