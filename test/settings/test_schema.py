"""Settings: what a value may be, what is said of one that may not, and which name is meant."""

import math
from dataclasses import dataclass

import pytest

from rppg_ros.settings import MeterSettings, SettingError, make, setting, settings_of
from rppg_ros.settings.schema import unknown


@dataclass(frozen=True, kw_only=True)
class Group:
    """Settings of every type."""

    speed: float = setting("speed", 1.0, "how fast", 0.0, 10.0, unit="m/s", live=True)
    arm_length: int = setting("arm.length", 3, "a whole number", 1, 9)
    name: str = setting("name", "", "any text")
    mode: str = setting("mode", "a", "a choice", choices=("a", "b"))
    on: bool = setting("on", True, "yes or no")
    matrix: list = setting("matrix", [0.0] * 3, "numbers")


def test_a_group_has_its_defaults_and_lists_are_its_own():
    made = make(Group, {})
    assert (made.speed, made.arm_length, made.name, made.mode, made.on, made.matrix) == (
        1.0,
        3,
        "",
        "a",
        True,
        [0.0] * 3,
    )
    made.matrix[0] = 5.0
    assert make(Group, {}).matrix == [0.0] * 3 and settings_of(Group)["matrix"].default == [0.0] * 3


@pytest.mark.parametrize(
    ("name", "value", "becomes"),
    [
        ("speed", 0, 0.0),
        ("speed", 10.0, 10.0),
        ("arm.length", 9, 9),
        ("arm_length", 1, 1),
        ("name", 0, "0"),
        ("mode", "b", "b"),
        ("on", False, False),
        ("matrix", (1, 2, 3.5), [1.0, 2.0, 3.5]),
    ],
)
def test_values_become_the_settings_type(name, value, becomes):
    got = getattr(make(Group, {name: value}), settings_of(Group)[name.replace("arm_", "arm.")].python_name)
    assert got == becomes and type(got) is type(becomes)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("speed", 10.1, "'speed' cannot be 10.1: it must be a float from 0 to 10 m/s"),
        ("speed", -0.1, "'speed' cannot be -0.1"),
        ("speed", math.nan, "'speed' cannot be nan"),
        ("speed", math.inf, "'speed' cannot be inf"),
        ("speed", "fast", "'speed' cannot be 'fast'"),
        ("speed", True, "'speed' cannot be True"),
        ("arm.length", 2.0, "'arm.length' cannot be 2.0: it must be an int from 1 to 9"),
        ("arm.length", 0, "'arm.length' cannot be 0"),
        ("arm.length", True, "'arm.length' cannot be True"),
        ("name", 1.5, "'name' cannot be 1.5: it must be a str"),
        ("name", True, "'name' cannot be True"),
        ("mode", "c", "'mode' cannot be 'c': it must be one of: a, b"),
        ("on", 1, "'on' cannot be 1: it must be a bool"),
        ("matrix", [1.0, 2.0], "'matrix' cannot be"),
        ("matrix", [1.0, 2.0, math.nan], "'matrix' cannot be"),
        ("matrix", "abc", "'matrix' cannot be 'abc': it must be a list of 3 numbers"),
        ("matrix", 7, "'matrix' cannot be 7"),
    ],
)
def test_what_cannot_be_is_named_with_what_can(name, value, says):
    with pytest.raises(SettingError) as caught:
        make(Group, {name: value})
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("name", "near"),
    [("sped", "speed"), ("arm.lenght", "arm.length"), ("arm_lenght", "arm_length"), ("detctor_rate", None)],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(name, near):
    with pytest.raises(SettingError) as caught:
        make(Group, {name: 1})
    hint = f"; did you mean '{near}'?" if near else ""
    assert str(caught.value) == f"unknown setting '{name}'{hint}"


def test_nothing_near_is_no_guess():
    assert unknown("zzz", ["speed"], "parameter") == "unknown parameter 'zzz'"


def test_every_setting_of_the_meter_says_what_it_is():
    for declared in settings_of(MeterSettings).values():
        assert declared.meaning and declared.check(declared.default) == declared.default
        if isinstance(declared.default, int | float) and not isinstance(declared.default, bool):
            assert declared.minimum <= declared.default <= declared.maximum
