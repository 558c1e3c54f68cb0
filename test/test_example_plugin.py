"""examples/plugin, installed by pip and used by name: an engine, a detector, a dataset, a family of networks."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/plugin"
FPS, FRAMES = 25, 50
OFFLINE = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]

MEASURE = """
import json, sys
from pathlib import Path
import numpy as np
from rppg_ros.inference.factory import engine_names, make_engine
from rppg_ros.datasets.registry import read
from rppg_ros.meter import VitalsHalf
from rppg_ros.settings import CameraSettings
from rppg_ros.types import CropRequest, Frame, Rate, Status, Vital
from rppg_ros.vision.detect import detector_names
from rppg_ros.vision.tracker import FaceTracker
from support.people import crops

out = {"engines": engine_names(), "detectors": detector_names()}
out["imported"] = [name for name in sys.modules if name.startswith("rppg_ros_example")]

half = VitalsHalf(make_engine("mean-green", hop_s=0.5))
found = [o for crop in crops(bpm=84, seconds=20) for o in half.push(crop.stamp_ns, [crop])]
rates = [o for o in found if isinstance(o, Rate) and o.vital is Vital.BVP and o.status is Status.OK]
out["rates"], out["model"] = [rate.per_minute for rate in rates], rates[-1].model

tracker = FaceTracker(CameraSettings(detector_name="head-rest"))
tracker.request = CropRequest(24, 1.5)
image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
faces = [tracker.process(Frame(i * 40_000_000, image)) for i in range(1, 30)]
out["faces"] = [[(crop.face_id, list(crop.box), crop.rgb.shape) for crop in seen] for seen in faces]

(recording,) = read("clips", Path(sys.argv[1]))
frames, truth = list(recording.open()), recording.truth()
out["recording"] = [recording.name, recording.subject, dict(recording.conditions), len(frames)]
out["bvp"] = truth.waves[Vital.BVP].values.tolist()
out["torch"] = "torch" in sys.modules
print(json.dumps(out))
"""

COMMANDS = """
import contextlib, io, json, sys
from rppg_ros.commands.main import main

said = []
for words in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        try:
            code = main(words)
        except SystemExit as ended:
            code = ended.code
    said.append((out.getvalue(), code))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """Variables under which Python sees the installed example, this source tree and the tests' helpers."""
    folder = tmp_path_factory.mktemp("example")
    source, site = folder / "source", folder / "site"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    run([sys.executable, "-m", "pip", "install", *OFFLINE, "--target", str(site), str(source)], dict(os.environ))
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [site, ROOT, ROOT / "test"])), "COLUMNS": "200"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """A folder as the example's dataset wants it."""
    folder = tmp_path_factory.mktemp("clips")
    writer = cv2.VideoWriter(str(folder / "anna_rest.avi"), cv2.VideoWriter_fourcc(*"MJPG"), FPS, (64, 48))
    for i in range(FRAMES):
        writer.write(np.full((48, 64, 3), 100 + i, np.uint8))
    writer.release()
    rows = [f"{i / FPS:.3f},{i % 7}" for i in range(FRAMES)]
    (folder / "anna_rest.csv").write_text("\n".join(["time_s,bvp", *rows]))
    return folder


@pytest.fixture(scope="module")
def measured(environment, clips) -> dict:
    """What a process found that used engine, detector and dataset."""
    return json.loads(run([sys.executable, "-c", MEASURE, str(clips)], environment).splitlines()[-1])


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr[-4000:]}"
    return done.stdout


def commands(environment: dict[str, str], *asked: list[str]) -> list[tuple[str, int]]:
    """What some command lines of rppg-ros say and their exit codes, all in one new process."""
    return [tuple(said) for said in json.loads(run([sys.executable, "-c", COMMANDS, json.dumps(asked)], environment))]


def test_they_are_named_before_anything_is_imported(measured):
    assert measured["engines"][-1] == "mean-green" and measured["detectors"][-1] == "head-rest"
    assert not measured["imported"] and not measured["torch"], "a family is not imported for the sake of an engine"


def test_its_engine_measures_a_pulse(measured):
    assert len(measured["rates"]) >= 8 and measured["model"] == "mean-green"
    assert np.abs(np.array(measured["rates"]) - 84).max() < 2


def test_its_detector_gives_the_tracker_a_face(measured):
    for seen in measured["faces"]:
        ((face_id, box, shape),) = seen
        assert face_id == measured["faces"][0][0][0] and shape == [24, 24, 3]
        assert box == pytest.approx([50, 30, 60, 60], abs=1)


def test_its_dataset_is_read(measured):
    assert measured["recording"] == ["anna_rest", "anna", {"task": "rest"}, FRAMES]
    assert measured["bvp"] == [i % 7 for i in range(FRAMES)]


def test_its_dataset_is_listed_and_converted(environment, clips, tmp_path):
    words = ["convert", "clips", str(clips), "--to", str(tmp_path), "--format", "raw"]
    (listed, done), converted = commands(environment, ["convert", "--list"], words)
    assert listed.splitlines()[-1].split() == ["clips", "from", "rppg-ros-example", "1.0"] and done == 0
    assert converted[1] == 0 and (tmp_path / "clips_anna_rest/metadata.yaml").is_file()


def test_its_family_is_listed_described_exported_and_trained(environment, tmp_path):
    if not find_spec("torch"):
        pytest.skip("torch is not installed")
    model, settings, info = tmp_path / "tiny.onnx", tmp_path / "run.yaml", ["models", "info", "tiny", "--set"]
    settings.write_text("family: tiny\noptions: {reach: 4}\n")
    asked = [
        ["models", "list"],
        [*info, "reach=9"],
        [*info, "reach=4"],
        ["models", "export", "tiny", "--set", "pixels=24", "-o", str(model)],
        ["train", str(settings), "-o", str(tmp_path)],
    ]
    listed, described, refused, exported, begun = commands(environment, *asked)
    assert "tiny" in listed[0] and "rppg-ros-example 1.0" in listed[0] and listed[1] == 0
    assert "tiny RGB_36_9" in described[0] and "bvp 4" in described[0] and described[1] == 0
    assert "rppg-ros models info: reach must be odd" in refused[0] and refused[1] == 2
    assert "ONNX Runtime agrees with torch" in exported[0] and model.is_file()
    if find_spec("lightning"):
        assert "run.yaml: reach must be odd" in begun[0] and begun[1] == 2, "a run's YAML file finds the family"
