"""The command line as a whole: every subcommand loads and says how it is used."""

import re

import pytest

from rppg_ros.commands.main import main


def test_every_subcommand_has_help(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    names = re.findall(r"^    (\w+) ", capsys.readouterr().out, re.MULTILINE)
    assert {"demo", "models", "evaluate", "convert", "train"} <= set(names)
    for name in names:
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        assert f"usage: rppg-ros {name}" in capsys.readouterr().out
