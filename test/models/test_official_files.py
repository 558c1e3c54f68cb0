"""The table of official checkpoints: pinned, licensed, told apart, and true of the files that are here."""

import hashlib
import re

import pytest

from rppg_ros.models.importer import import_checkpoint
from rppg_ros.models.official_files import _TABLE, official_file, official_files
from rppg_ros.models.registry import FAMILIES
from rppg_ros.types import Vital
from rppg_ros.vision.yunet import PULLED, PULLED_SHA256

ALL = tuple(official_files().values())
FILES = tuple(file for file in ALL if not file.as_it_is)
PINNED = re.compile(r"https://raw\.githubusercontent\.com/[\w-]+/[\w-]+/[0-9a-f]{40}/[\w./-]+\.pth")
PINNED_LICENCE = re.compile(r"https://github\.com/[\w-]+/[\w-]+/blob/[0-9a-f]{40}/LICENSE(\.md)?")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_line_is_whole(file):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", file.name)
    assert PINNED.fullmatch(file.url) and PINNED_LICENCE.fullmatch(file.licence_url)
    assert file.licence_url.split("/")[3:5] == file.url.split("/")[3:5]
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert 10_000 < file.size_bytes < 10_000_000
    assert file.licence and file.what and "\n" not in file.what
    assert FAMILIES[file.family].official


def test_no_two_lines_are_of_the_same():
    assert _TABLE.read_text().count("name: ") == len(ALL)  # a name given twice would hide the first
    for told_apart_by in ("url", "sha256", "file_name"):
        assert len({getattr(file, told_apart_by) for file in ALL}) == len(ALL)


def test_the_face_detector_is_the_one_that_nodes_look_for():
    (detector,) = (file for file in ALL if file.as_it_is)
    assert (detector.name, detector.file_name, detector.sha256) == ("yunet", PULLED, PULLED_SHA256)
    assert re.fullmatch(
        r"https://media\.githubusercontent\.com/media/opencv/opencv_zoo/[0-9a-f]{40}/[\w./-]+\.onnx", detector.url
    )
    assert not detector.research_only and detector.licence == "MIT" and detector.licence_url.endswith("/LICENSE")


def test_research_licences_are_marked():
    assert {file.research_only for file in FILES if "/FactorizePhys/" in file.url} == {True}
    assert {file.research_only for file in FILES if file.licence == "MIT"} == {False}


def test_names_near_an_unknown_one():
    with pytest.raises(ValueError, match="no official checkpoint 'mmrphys-ubfc': did you mean mmrphys-ubfc-72 or "):
        official_file("mmrphys-ubfc")
    with pytest.raises(ValueError, match="no official checkpoint '42': `rppg-ros models pull --list`"):
        official_file("42")


def test_the_table_is_true_of_the_official_files(reference_dir):
    here = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in reference_dir.glob("checkpoints/*.pth")}
    checked = [file for file in FILES if file.sha256 in here]
    if not checked:
        pytest.skip("none of the table's checkpoints is in the reference folder")
    for file in checked:
        path = here[file.sha256]
        assert (path.name, path.stat().st_size) == (file.file_name, file.size_bytes)
        assert import_checkpoint(path, file.family).card.sha256 == file.sha256


def test_the_table_says_what_the_files_measure(checkpoints):
    """The files are told by name, so that imitations will do."""
    checked = [file for file in FILES if (checkpoints / file.file_name).is_file()]
    assert len(checked) >= 4
    for file in checked:
        card = import_checkpoint(checkpoints / file.file_name, file.family).card
        assert f"{card.size} x {card.size}" in file.what
        assert ("breath" in file.what, "pulse" in file.what) == (Vital.RSP in card.tasks, Vital.BVP in card.tasks)
        assert ("RGB" in file.what, "thermal" in file.what) == ("rgb" in card.channels, "thermal" in card.channels)
        assert card.training_data.split()[0] in file.what
