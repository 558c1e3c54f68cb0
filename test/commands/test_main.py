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


@pytest.mark.parametrize(
    ("words", "usage", "says"),
    [
        (["evaluate", "--modl", "x"], "rppg-ros evaluate", "--modl; did you mean --model?"),
        (["models", "export", "x", "--windoed"], "rppg-ros models export", "did you mean --windowed?"),
        (["train", "x", "-o", "y", "--qqqqq=1"], "rppg-ros train", "unrecognized arguments: --qqqqq=1\n"),
        (["models", "list", "extra"], "rppg-ros models list", "unrecognized arguments: extra\n"),
    ],
)
def test_an_option_that_is_not_known_names_the_nearest(words, usage, says, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)
    told = capsys.readouterr().err
    assert told.startswith(f"usage: {usage}") and says in told
