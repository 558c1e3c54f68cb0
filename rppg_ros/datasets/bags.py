"""A bag or a video with ground truth, as a recording: truth on topics of the bag, or in a CSV beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from rppg_ros.datasets.bag_truth import bag_truth, check_names
from rppg_ros.datasets.base import DatasetError, NoTruthError, Recording, Truth
from rppg_ros.datasets.convert import CONDITION
from rppg_ros.datasets.traces import read_csv
from rppg_ros.sources.bag import is_bag
from rppg_ros.sources.base import RGB, FrameSource, SourceError
from rppg_ros.sources.factory import open_source
from rppg_ros.yaml_files import YamlError, read_yaml

META = "metadata.yaml"


def open_recording(
    path: str,
    truth: str = "",
    rgb_topic: str = "",
    thermal_topic: str = "",
    truth_topics: Mapping[str, str] | None = None,
) -> Recording:
    """A bag, or a video or folder of images, with its truth.

    Parameters
    ----------
    truth : CSV (see `read_csv`); empty: the one of the same name beside it, else topics of the bag: ours (Bvp, Rsp,
        HeartRate, RespirationRate), or Float32 and Float64 named heart_rate, respiration_rate, bvp or rsp. Where there are
        several for one thing, the one with "truth" or "reference" in its name.
    rgb_topic, thermal_topic : of a bag; empty: found by type and name.
    truth_topics : topic of any of bvp, rsp, heart_rate, respiration_rate, where type and name do not tell; with them, no CSV
        is looked for.

    Raises
    ------
    DatasetError : truth_topics names something else.
    """
    place = Path(path)
    topics = check_names(truth_topics or {})
    custom = _custom(place)
    return Recording(
        dataset=custom.get("dataset", ""),
        name=custom.get("name", "") or place.as_posix(),
        subject=custom.get("subject", ""),
        conditions={key.removeprefix(CONDITION): v for key, v in custom.items() if key.startswith(CONDITION)},
        open=lambda: open_source(path, rgb_topic=rgb_topic, thermal_topic=thermal_topic),
        truth=lambda: _truth(place, truth, rgb_topic, thermal_topic, topics),
    )


def truth_table(path: Path, csv: str = "") -> Path:
    """Where a recording's CSV is, or would be: the one that is named, else the one of its own name beside it."""
    if csv:
        return Path(csv)
    # A folder may have dots in its name that begin no suffix, as lux_10.0_APH.
    return path.with_suffix(".csv") if path.is_file() else path.parent / f"{path.name}.csv"


def _truth(path: Path, csv: str, rgb_topic: str, thermal_topic: str, topics: Mapping[str, str]) -> Truth:
    table = truth_table(path, csv)
    if csv or (table.is_file() and not topics):
        source = open_source(str(path), rgb_topic=rgb_topic, thermal_topic=thermal_topic)
        return read_csv(table, _first_ns(source))
    if not path.exists():
        raise DatasetError(f"{path}: no ground truth: no such file or folder")
    if not is_bag(path):
        raise NoTruthError(f"{path}: no ground truth: there is no {table.name} beside it")
    return bag_truth(path, topics)


def _first_ns(source: FrameSource) -> int:
    with contextlib.closing(source):
        for frame in source:
            if frame.stream == RGB:
                return frame.stamp_ns
    raise SourceError(f"{source.name}: no RGB frames")


def _custom(path: Path) -> dict[str, str]:
    """What `write_bag` noted of a recording; nothing for other bags."""
    try:
        raw = read_yaml(path / META)["rosbag2_bagfile_information"]["custom_data"]
        return {str(key): str(value) for key, value in raw.items()}
    except (YamlError, KeyError, TypeError, AttributeError):
        return {}
