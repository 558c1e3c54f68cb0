"""Parameter files of the nodes (YAML), read without ROS: an evaluation or a Python program measures as the robot does."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rppg_ros.settings.nodes import (
    MonitorSettings,
    RecorderSettings,
    TrackerNodeSettings,
    VideoSourceSettings,
    VitalsNodeSettings,
)
from rppg_ros.settings.schema import Setting, SettingError, settings_of, unknown
from rppg_ros.yaml_files import YamlError, read_yaml

NODES: Mapping[str, type] = {
    "face_tracker": TrackerNodeSettings,
    "vitals": VitalsNodeSettings,
    "video_source": VideoSourceSettings,
    "evaluation_recorder": RecorderSettings,
    "monitor": MonitorSettings,
}
EVERY_NODE = ("**", "*")
PARAMETERS = "ros__parameters"
MAX_SHOWN = 80  # characters of a name
SLIP = 0.8  # likeness of names, see difflib
NOT_OURS = ("use_sim_time", "qos_overrides", "start_type_description_service")  # rclpy declares these for every node


def read_params_file(path: str | Path | None, group: type) -> dict[str, Any]:
    """Those values of a parameter file that are of a group of settings, by dotted name.

    Parameters
    ----------
    path : YAML file as `ros2 run ... --params-file` takes it; None: nothing.

    Raises
    ------
    SettingError : no such file, not such a file, no section in it that is of a node of ours, a section whose name is nearly that
        of one, settings outside sections, or a section with an unknown name or an impossible value; names the file.
    """
    if path is None:
        return {}
    wanted = settings_of(group)
    sections, others = _sections(Path(path))
    if not sections:
        listed = ", ".join(map(_shown, others)) or "none"
        raise SettingError(f"{path}: has no section of {', '.join(NODES)}; its sections are: {listed}")
    return {name: value for values in _checked(path, sections) for name, value in values.items() if name in wanted}


def check_params_file(path: str | Path) -> None:
    """What ROS passes over in silence in a parameter file; a file that is of other nodes alone is none of our business.

    Raises
    ------
    SettingError : as `read_params_file`, but for a file without sections of ours.
    """
    for _ in _checked(path, _sections(Path(path))[0]):
        pass


def _checked(path: str | Path, sections: list[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Values of each section as their settings' types. A node's own section comes after, and wins over, one for all nodes,
    wherever it stands."""
    for node, values in sorted(sections, key=lambda section: section[0] not in EVERY_NODE):
        known = _known(node)
        held = {name: value for name, value in values.items() if name.split(".")[0] not in NOT_OURS}
        for name in held:
            if name not in known:
                raise SettingError(f"{path}: {node}: {unknown(name, known)}")
        try:
            yield {name: known[name].check(value) for name, value in held.items()}
        except SettingError as error:
            raise SettingError(f"{path}: {node}: {error}") from None


def _sections(path: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """Node name and its parameters, of the nodes that are ours; and the names of the other nodes."""
    try:
        read = read_yaml(path)
    except YamlError as error:
        raise SettingError(f"{path}: cannot be read: {error}") from None
    if not isinstance(read, dict):
        raise SettingError(f"{path}: not a parameter file: it has no sections of nodes")
    others: list[str] = []
    return list(_walk(path, read, others)), others


def _walk(path: Path, sections: Mapping[Any, Any], others: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Sections of our nodes; those of a namespace may be nested in one of its own. The names of the rest go to `others`."""
    for key, section in sections.items():
        node = str(key).rsplit("/", 1)[-1]
        if node in NODES or node in EVERY_NODE:
            values = section.get(PARAMETERS) if isinstance(section, dict) else None
            if not isinstance(values, dict):
                raise SettingError(f"{path}: {key}: has no '{PARAMETERS}'")
            yield node, dict(_flat(values))
            continue
        if key == PARAMETERS:
            raise SettingError(f"{path}: '{PARAMETERS}' stands in no node's section; write '/**:' above it")
        if not isinstance(section, dict):
            raise SettingError(f"{path}: '{_shown(key)}' stands outside a node's '{PARAMETERS}'")
        if PARAMETERS in section:
            _check_no_slip(path, node)
            others.append(str(key))
        else:
            yield from _walk(path, section, others)


def _check_no_slip(path: Path, node: str) -> None:
    """A node of somebody's may have any name; but one that is nearly ours, and not ours with something before or after it, is
    a slip: ROS would pass its parameters over in silence."""
    near = difflib.get_close_matches(node, NODES, 1, cutoff=SLIP)
    if near and near[0] not in node:
        raise SettingError(f"{path}: unknown node '{node}'; did you mean '{near[0]}'?")


def _flat(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """`detector: {rate: 5.0}` and `detector.rate: 5.0` are the same."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _known(node: str) -> dict[str, Setting]:
    groups = [NODES[node]] if node in NODES else list(NODES.values())
    return {name: declared for group in groups for name, declared in settings_of(group).items()}


def _shown(name: Any) -> str:
    return str(name)[:MAX_SHOWN]
