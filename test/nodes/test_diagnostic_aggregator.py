"""config/diagnostic_aggregator.yaml: each line that the nodes write on /diagnostics falls into one group, and one only."""

import re
from pathlib import Path

import pytest
import yaml

from rppg_ros.nodes.video_source import VideoSource
from rppg_ros.nodes.vitals_pipeline import make_nodes
from support.graph import context, overrides

CONFIG = Path(__file__).parents[2] / "config" / "diagnostic_aggregator.yaml"
PARAMETERS = yaml.safe_load(CONFIG.read_text())["analyzers"]["ros__parameters"]
GROUPS = {name: group for name, group in PARAMETERS.items() if isinstance(group, dict)}
WANTED = {
    "face_tracker: rgb": "cameras",
    "face_tracker: thermal": "cameras",
    "face_tracker: faces": "faces",
    "vitals: crops": "vitals",
    "vitals: engine": "vitals",
    "video_source: playback": "playback",
}


def groups_of(status: str) -> list[str]:
    """Groups that take a line; GenericAnalyzer wants the whole name to match."""
    return [name for name, group in GROUPS.items() if any(re.fullmatch(one, status) for one in group["regex"])]


@pytest.fixture(scope="module")
def statuses():
    """Names on /diagnostics of all nodes."""
    context()
    nodes = [*make_nodes(), VideoSource(parameter_overrides=overrides(source="demo:seconds=1"))]
    names, arrays = [], []
    for node in nodes:
        node._diagnostics._publisher.publish = arrays.append
        node._diagnostics.publish()
        names += [status.name for status in arrays.pop().status]
    for node in nodes:
        node.destroy_node()
    return names


def test_nodes_write_these_lines(statuses):
    assert sorted(statuses) == sorted(WANTED)


@pytest.mark.parametrize("namespace", ["", "cart1/", "ward/bed_2/"])
def test_each_line_falls_into_one_group(statuses, namespace):
    assert {status: groups_of(namespace + status) for status in statuses} == {
        status: [group] for status, group in WANTED.items()
    }


@pytest.mark.parametrize("status", ["my_vitals: engine", "vitals: battery", "arm/vitals: engine: left", "rgb"])
def test_lines_of_others_fall_into_none(status):
    assert groups_of(status) == []


def test_its_form_is_the_aggregators():
    assert PARAMETERS["path"] == "rppg_ros"
    for group in GROUPS.values():
        assert group["type"] == "diagnostic_aggregator/GenericAnalyzer"
        assert isinstance(group["path"], str) and isinstance(group["timeout"], float)
        assert set(group) <= {"type", "path", "regex", "timeout", "discard_stale"}
    paths = [group["path"] for group in GROUPS.values()]
    assert len(set(paths)) == len(paths)
