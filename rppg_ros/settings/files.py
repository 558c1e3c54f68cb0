"""Parameter files of the nodes (YAML), read without ROS: an evaluation or a Python program measures as the robot does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from rppg_ros.settings.nodes import RecorderSettings, TrackerNodeSettings, VideoSourceSettings, VitalsNodeSettings
from rppg_ros.settings.schema import Setting, SettingError, settings_of, unknown

NODES: Mapping[str, type] = {
    "face_tracker": TrackerNodeSettings,
    "vitals": VitalsNodeSettings,
    "video_source": VideoSourceSettings,
    "evaluation_recorder": RecorderSettings,
}
EVERY_NODE = ("**", "*")
PARAMETERS = "ros__parameters"
NOT_OURS = ("use_sim_time", "qos_overrides", "start_type_description_service")  # rclpy declares these for every node


def read_params_file(path: str | Path | None, group: type) -> dict[str, Any]:
    """Those values of a parameter file that are of a group of settings, by dotted name.

    Parameters
    ----------
    path : YAML file as `ros2 run ... --params-file` takes it; None: nothing.

    Raises
    ------
    SettingError : no such file, not such a file, or a section with an unknown name or an impossible value; names the file.
    """
    if path is None:
        return {}
    wanted, found = settings_of(group), {}
    for node, values in _sections(Path(path)):
        known = _known(node)
        for name, value in values.items():
            if name.split(".")[0] in NOT_OURS:
                continue
            if name not in known:
                raise SettingError(f"{path}: {node}: {unknown(name, known)}")
            try:
                checked = known[name].check(value)
            except SettingError as error:
                raise SettingError(f"{path}: {node}: {error}") from None
            if name in wanted:
                found[name] = checked
    return found


def _sections(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Node name and its parameters, of the nodes that are ours."""
    try:
        read = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise SettingError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(read, dict):
        raise SettingError(f"{path}: not a parameter file: it has no sections of nodes")
    for key, section in read.items():
        node = str(key).rsplit("/", 1)[-1]
        if node not in NODES and node not in EVERY_NODE:
            continue
        values = section.get(PARAMETERS) if isinstance(section, dict) else None
        if not isinstance(values, dict):
            raise SettingError(f"{path}: {key}: has no '{PARAMETERS}'")
        yield node, dict(_flat(values))


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
