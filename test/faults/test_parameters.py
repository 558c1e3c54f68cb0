"""Parameters (14): out of range, of another type, unknown, misspelt, in the wrong place: refused at start, by name and file."""

import json
import math
import subprocess
import sys

import pytest

from rppg_ros.nodes.managed import EXIT_BAD_SETTING
from rppg_ros.nodes.params import ParameterError, check_params_files
from rppg_ros.settings import SettingError, settings_of
from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.settings.files import NODES, check_params_file, read_params_file
from rppg_ros.settings.schema import ANY_NUMBER

PATIENCE_S = 240.0
EVERY = [
    pytest.param(declared, id=f"{node}-{name}")
    for node, group in NODES.items()
    for name, declared in settings_of(group).items()
]
NUMBERS = [param for param in EVERY if not isinstance(param.values[0].default, bool | str)]


@pytest.mark.parametrize("declared", EVERY)
def test_every_setting_refuses_what_is_of_another_type(declared):
    wrong = [None, {}, object(), [[]], b"x", math.nan, math.inf, -math.inf, 10**5000]
    text = isinstance(declared.default, str)
    wrong += [1.5, True, ["x"], "x" * 5000, "a\0b"] if text else ["x", [1.0, "x"], 10**400, [math.nan] * 9]
    for value in wrong:
        with pytest.raises(SettingError, match=f"'{declared.name}' cannot be ") as caught:
            declared.check(value)
        assert len(str(caught.value)) < 500
    assert declared.check(declared.default) == declared.default


@pytest.mark.parametrize("declared", NUMBERS)
def test_every_number_has_a_lower_and_an_upper_limit(declared):
    one = isinstance(declared.default, list)
    least, most = (declared.minimum, declared.maximum) if declared.minimum is not None else (-ANY_NUMBER, ANY_NUMBER)
    assert one or declared.minimum is not None
    for edge, beyond in ((least, least - 1), (most, most + 1)):
        kind = int if isinstance(declared.default, int) else float
        as_value = (lambda v: [float(v)] * len(declared.default)) if one else kind
        assert declared.check(as_value(edge)) == as_value(edge)
        with pytest.raises(SettingError, match=f"'{declared.name}' cannot be "):
            declared.check(as_value(beyond))


VITALS = "vitals:\n  ros__parameters:\n    hop: 0.5\n"
FILES = {
    "a misspelt node": (VITALS.replace("vitals", "vitls"), "unknown node 'vitls'; did you mean 'vitals'?"),
    "a misspelt node of a namespace": ("/cart/face_traker:\n  ros__parameters: {max_faces: 1}\n", "'face_tracker'?"),
    "a misspelt node beside a right one": (VITALS + "face-tracker:\n  ros__parameters: {}\n", "'face_tracker'?"),
    "a misspelt setting": (VITALS.replace("hop", "hpo"), "vitals: unknown setting 'hpo'; did you mean 'hop'?"),
    "another node's setting": (VITALS.replace("hop", "max_faces"), "vitals: unknown setting 'max_faces'"),
    "flat settings": ("hop: 0.5\n", "'hop' stands outside a node's 'ros__parameters'"),
    "flat settings of a node": ("vitals:\n  hop: 0.5\n", "vitals: has no 'ros__parameters'"),
    "a section without a node": ("ros__parameters:\n  hop: 0.5\n", "'ros__parameters' stands in no node's section"),
    "a list": ("vitals:\n  ros__parameters: [hop, 0.5]\n", "vitals: has no 'ros__parameters'"),
    "out of range": (VITALS.replace("0.5", "500.0"), "vitals: 'hop' cannot be 500.0"),
    "of another type": (VITALS.replace("0.5", "often"), "vitals: 'hop' cannot be 'often'"),
    "NaN": (VITALS.replace("0.5", ".nan"), "vitals: 'hop' cannot be nan"),
    "nested deep": (VITALS + "a: " + "[" * 3000 + "]" * 3000, "nested more than 32 deep"),
    "binary": ("\0\1\2", "cannot be read"),
    "a date": (VITALS + "    model: 2026-13-45\n", "cannot be read: month must be in 1..12"),
}


@pytest.mark.parametrize(("text", "says"), FILES.values(), ids=FILES)
def test_a_bad_parameter_file_is_refused_by_all_who_read_it(text, says, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    for read in (
        lambda: read_params_file(path, EvaluationSettings),
        lambda: check_params_file(path),
        lambda: check_params_files(["node", "--ros-args", "--params-file", str(path)]),
    ):
        with pytest.raises((SettingError, ParameterError)) as caught:
            read()
        assert str(caught.value).startswith(f"{path}: ") and says in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_of_other_nodes_alone_is_an_error_only_where_settings_were_wanted(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("camera:\n  ros__parameters:\n    fps: 30\n/arm/planner:\n  ros__parameters: {}\n")
    check_params_file(path)
    with pytest.raises(
        SettingError, match="has no section of face_tracker, vitals.*; its sections are: camera, /arm/pl"
    ):
        read_params_file(path, EvaluationSettings)


def test_nodes_named_after_ours_are_somebody_elses(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(
        VITALS + "".join(f"{name}:\n  ros__parameters: {{x: 1}}\n" for name in ("face_tracker2", "my_vitals"))
    )
    check_params_file(path)
    assert read_params_file(path, EvaluationSettings) == {"hop": 0.5}


def test_two_nodes_in_a_file_get_each_their_own(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(VITALS + "face_tracker:\n  ros__parameters: {max_faces: 2, thermal: {scale: 0.1}}\n")
    assert read_params_file(path, EvaluationSettings) == {"hop": 0.5, "max_faces": 2, "thermal.scale": 0.1}
    assert read_params_file(path, NODES["vitals"]) == {"hop": 0.5}


def ended(module, *arguments):
    """Exit code and standard error of a node that must end by itself."""
    command = [sys.executable, "-m", f"rppg_ros.nodes.{module}", "--ros-args", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", ["a misspelt node", "another node's setting", "flat settings", "nested deep"])
def test_a_node_with_such_a_file_ends_in_one_line(name, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(FILES[name][0])
    code, said = ended("vitals", "--params-file", str(path))
    assert code == EXIT_BAD_SETTING and "Traceback" not in said and str(path) in said, said


@pytest.mark.parametrize(
    ("module", "given", "says"),
    [
        ("vitals", "hop:=often", "'hop' cannot be 'often'"),
        ("face_tracker", "max_faces:=99", "'max_faces' cannot be 99"),
        ("video_source", "sorce:=x.mp4", "did you mean 'source'?"),
        ("vitals_pipeline", "modle:=x", "did you mean 'model'?"),
    ],
)
def test_a_node_with_such_a_value_ends_in_one_line(module, given, says):
    code, said = ended(module, "-p", given)
    assert code == EXIT_BAD_SETTING and "Traceback" not in said and says in said, said


def test_settings_survive_json():
    """What is written of a run can be read again."""
    for group in NODES.values():
        json.dumps({name: declared.default for name, declared in settings_of(group).items()}, allow_nan=False)
