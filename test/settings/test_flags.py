"""Settings as flags."""

import argparse

import pytest

from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.settings.flags import add_flags, given_flags
from rppg_ros.settings.schema import make, settings_of


def parse(*given):
    parser = argparse.ArgumentParser(prog="p", exit_on_error=False)
    add_flags(parser, EvaluationSettings, without=("threads",))
    return given_flags(parser.parse_args(given), EvaluationSettings)


def test_only_what_was_given_is_there():
    assert parse() == {}


def test_flags_of_every_type():
    found = parse(
        "--detector-rate", "5", "--max-faces", "2", "--no-thermal-enabled", "--thermal-unit", "kelvin", "--model", "none",
        "--thermal-homography", *"123456789",
    )  # fmt: skip
    assert found == {
        "detector.rate": 5.0,
        "max_faces": 2,
        "thermal.enabled": False,
        "thermal.unit": "kelvin",
        "model": "none",
        "thermal.homography": [float(n) for n in "123456789"],
    }
    assert make(EvaluationSettings, found).detector_rate == 5.0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--detector-rate", "99"), "it must be a float from 0.2 to 30 Hz"),
        (("--detector-rate", "fast"), "'fast' is not a float from 0.2 to 30 Hz"),
        (("--thermal-unit", "fahrenheit"), "it must be one of: celsius, kelvin"),
        (("--threads", "2"), "--threads"),
    ],
)
def test_what_cannot_be_is_said(given, says, capsys):
    with pytest.raises((SystemExit, argparse.ArgumentError)) as caught:
        parse(*given)
    assert says in str(caught.value) + capsys.readouterr().err


def test_help_of_every_flag_can_be_shown(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    shown = capsys.readouterr().out
    assert all(
        f"--{name.replace('.', '-').replace('_', '-')}" in shown
        for name in settings_of(EvaluationSettings)
        if name != "threads"
    )
