"""Parameter files of the nodes, read without ROS."""

from pathlib import Path

import pytest

from rppg_ros.settings import MeterSettings, SettingError, make, settings_of
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.settings.files import NODES, read_params_file

CONFIG = Path(__file__).parents[2] / "config"


def written(folder, text):
    path = folder / "p.yaml"
    path.write_text(text)
    return path


def test_both_halves_are_read_wherever_the_nodes_are(tmp_path):
    path = written(
        tmp_path,
        "/cart1/face_tracker:\n  ros__parameters:\n    detector: {rate: 5}\n    image_transport: compressed\n"
        "vitals:\n  ros__parameters:\n    heart_rate.min_quality: 0.5\n    autostart: false\n"
        "/**:\n  ros__parameters:\n    use_sim_time: true\n    max_gap: 1\n"
        "/other/node:\n  ros__parameters:\n    whatever: 3\n",
    )
    found = read_params_file(path, MeterSettings)
    assert found == {"detector.rate": 5.0, "heart_rate.min_quality": 0.5, "max_gap": 1.0}
    assert make(MeterSettings, found).detector_rate == 5.0


def test_no_file_is_no_value():
    assert read_params_file(None, MeterSettings) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/**/vitals:\n  ros__parameters:\n    modle: x\n", "vitals: unknown setting 'modle'; did you mean 'model'?"),
        ("/**/vitals:\n  ros__parameters:\n    detector.rate: 3.0\n", "unknown setting 'detector.rate'"),
        ("/**/face_tracker:\n  ros__parameters:\n    max_faces: 99\n", "'max_faces' cannot be 99"),
        ("/**/vitals:\n  model: x\n", "/**/vitals: has no 'ros__parameters'"),
        ("/**/vitals: 3\n", "/**/vitals: has no 'ros__parameters'"),
        ("- 1\n", "not a parameter file"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path, text, says):
    path = written(tmp_path, text)
    with pytest.raises(SettingError) as caught:
        read_params_file(path, MeterSettings)
    assert str(caught.value).startswith(str(path)) and says in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingError, match="no.yaml: cannot be read"):
        read_params_file(tmp_path / "no.yaml", MeterSettings)


@pytest.mark.parametrize(
    "path", sorted(set(CONFIG.glob("*.yaml")) - {CONFIG / "diagnostic_aggregator.yaml"}), ids=lambda path: path.name
)
def test_the_presets_say_only_what_differs_from_the_defaults(path):
    found = read_params_file(path, EvaluationSettings)
    assert found["model"] == "mmrphys-rgbt" and make(MeterSettings, {k: v for k, v in found.items() if k != "window"})
    for node, group in NODES.items():
        for name, value in read_params_file(path, group).items():
            assert value != settings_of(group)[name].default, f"{node}: {name} is the default"
