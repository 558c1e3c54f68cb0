"""Datasets of other distributions: named without import, read like ours, refused where they are none."""

import sys

import pytest

from rppg_ros.commands.main import main
from rppg_ros.datasets.base import DatasetError
from rppg_ros.datasets.registry import DATASETS, read
from support.distributions import install

SOURCE = """
from rppg_ros.datasets.registry import Dataset

def find(root):
    return [root / "one"]

FILMS = Dataset("films", find)
"""


@pytest.fixture(autouse=True)
def films(plugin_folder):
    points = {"films-of-acme": "film_sets:FILMS", "finder": "film_sets:find"}
    install(plugin_folder, "acme", {"rppg_ros.datasets": points}, {"film_sets": SOURCE})


def test_they_are_listed_and_not_imported(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["convert", "--list"])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*DATASETS, "films-of-acme", "finder"]
    assert DATASETS["pure"].summary in lines[list(DATASETS).index("pure")]
    assert lines[-2] == "films-of-acme from acme 1.0"
    assert "film_sets" not in sys.modules


def test_they_are_read(tmp_path):
    assert read("films-of-acme", tmp_path) == [tmp_path / "one"]
    with pytest.raises(DatasetError, match="no such folder"):
        read("films-of-acme", tmp_path / "absent")
    with pytest.raises(DatasetError, match="'finder' of acme 1.0 .* film_sets:find is of type function, not a Dataset"):
        read("finder", tmp_path)


def test_convert_names_the_fault_in_a_line(tmp_path, capsys):
    assert main(["convert", "film-of-acme", str(tmp_path), "--to", str(tmp_path)]) == 2
    assert "no dataset 'film-of-acme'" in (said := capsys.readouterr().err) and "'films-of-acme'?" in said
