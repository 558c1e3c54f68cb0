"""Recordings to train on: filmed once, cut as at run time, mixed by share, held out by subject; those without use named."""

import logging
import pickle
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning", reason="lightning is in the extra 'training'")

from torch.utils.data import DataLoader  # noqa: E402

from rppg_ros.datasets.base import Recording, Trace, Truth  # noqa: E402
from rppg_ros.evaluation.config import meter_for  # noqa: E402
from rppg_ros.inference.engine import WindowPlan  # noqa: E402
from rppg_ros.inference.onnx_engine import THERMAL_COUNTS_PER_DEGREE  # noqa: E402
from rppg_ros.settings.evaluation import EvaluationSettings  # noqa: E402
from rppg_ros.sources.demo import DemoScene, DemoSource  # noqa: E402
from rppg_ros.training import crops as crops_module  # noqa: E402
from rppg_ros.training.config import TrainConfig  # noqa: E402
from rppg_ros.training.crops import CropSpec, load_crops, make_crops  # noqa: E402
from rppg_ros.training.data import WindowSpec  # noqa: E402
from rppg_ros.training.recording_set import RecordingSet, TrainingError  # noqa: E402
from rppg_ros.training.recordings import open_recorded  # noqa: E402
from rppg_ros.training.windows import MixedWindows, RecordedWindows  # noqa: E402
from rppg_ros.types import NS_PER_S, Vital  # noqa: E402
from support import dataset_folders as folders  # noqa: E402
from support.recordings import Reduced, bag_of_a_person, person_film  # noqa: E402

TINY = {
    "family": "mmrphys",
    "options": {"size": "S", "attention": "none"},
    "frames": 32,
    "batch": 2,
    "accelerator": "cpu",
}
SECONDS = 4.0


@pytest.fixture(scope="module")
def pure(tmp_path_factory):
    """PURE's layout: three people, of whom two are seen, and one whose sensor said nothing."""
    root = tmp_path_factory.mktemp("pure")
    film = person_film(2.5)
    for folder in ("01-01", "02-01"):
        folders.pure(root, folder=folder, film=film)
    folders.pure(root, folder="03-01", film=[np.full_like(frame, 90) for frame in film[::3]])
    folders.pure(root, folder="04-01", film=film[:2])
    (root / "04-01.json").write_text("{}")
    return root


def config(root, share=0.5, **changes):
    chosen = {"dataset": "pure", "folder": str(root), "share": share}
    sets = changes.pop("sets", [{}])
    return TrainConfig(**TINY, recordings=tuple(RecordingSet(**(chosen | one)) for one in sets), **changes)


@pytest.fixture(scope="module")
def cache(pure, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "crops"
    open_recorded(config(pure), folder, film=True)
    return folder


def filmed(tmp_path, spec=None, thermal_fps=9.0, vitals=tuple(Vital), gap=None):
    """A recording of the demo's person and its crops."""
    scene = DemoScene(seconds=SECONDS, thermal_fps=thermal_fps)

    def truth():
        times = np.arange(round(SECONDS * 50)) / 50
        values = {vital: DemoSource(scene).vitals.at(vital.value, times) for vital in vitals}
        for wave in values.values():
            wave[slice(*(gap or (0, 0)))] = np.nan
        return Truth({vital: Trace(np.round(times * NS_PER_S), wave) for vital, wave in values.items()})

    recording = Recording("made-up", "one", "1", {}, lambda: Reduced(DemoSource(scene), 320), truth)
    folder = tmp_path / "crops" / "one"
    make_crops(recording, truth(), spec or CropSpec(pixels=36, thermal=True), folder)
    return recording, load_crops(folder)


class Spy:
    """An engine that keeps every window it is shown."""

    name, vitals, crop_size, crop_scale, least_crop = "spy", (Vital.BVP,), 36, 1.5, 36

    def __init__(self, points):
        self.plan = WindowPlan(30.0, points, points, 1, {Vital.BVP: 0})
        self.seen = []

    def rgb(self, crop):
        return crop.rgb

    def thermal(self, crop):
        return crop.thermal

    def infer(self, rgb, thermal, memory):
        self.seen.append((rgb, thermal))
        return []


def test_windows_are_what_a_network_sees_at_run_time(tmp_path):
    recording, crops = filmed(tmp_path)
    spy = Spy(61)
    list(meter_for(EvaluationSettings(), spy).run(recording.open()))
    spec = WindowSpec(cameras=("rgb", "thermal"), pixels=36, frames=60, pad_frames=1)
    windows = RecordedWindows([crops], spec, tuple(Vital), flip=False)
    assert 40 < len(windows) <= len(spy.seen)
    for seed in range(5):
        window, waves = windows.draw(seed)
        assert window.shape == (4, 61, 36, 36) and window.dtype == torch.float32
        error = min(np.abs(window[:3].numpy() - rgb.transpose(3, 0, 1, 2)).max() for rgb, _ in spy.seen)
        heat = min(np.abs(window[3].numpy() - t * THERMAL_COUNTS_PER_DEGREE).max() for _, t in spy.seen)
        assert error < 1e-3 and heat < 1e-2
        assert all(wave.shape == (60,) and abs(wave.mean()) < 1e-4 for wave in waves.values())


def test_the_truth_is_that_of_the_window(tmp_path):
    recording, crops = filmed(tmp_path, CropSpec(pixels=16))
    spec = WindowSpec(cameras=("rgb",), pixels=16, frames=90, rate_hz=25.0)
    vitals = recording.open().vitals
    times = np.arange(0, SECONDS, 0.01)
    _, waves = RecordedWindows([crops], spec, (Vital.BVP,), flip=False).draw(1)
    best = max(np.corrcoef(vitals.at("bvp", t + np.arange(90) / 25), waves[Vital.BVP])[0, 1] for t in times)
    assert best > 0.999


def test_flips_and_places_follow_from_the_seed(tmp_path):
    _, crops = filmed(tmp_path, CropSpec(pixels=16))
    spec = WindowSpec(cameras=("rgb",), pixels=16, frames=60)
    plain, turned = (RecordedWindows([crops], spec, (Vital.BVP,), flip=flip) for flip in (False, True))
    flips = 0
    for seed in range(20):
        (a, wave), (b, _), (again, _) = plain.draw(seed), turned.draw(seed), turned.draw(seed)
        assert torch.equal(b, again) and torch.isfinite(wave[Vital.BVP]).all()
        assert torch.equal(a, b) or torch.equal(a, b.flip(-1))
        flips += not torch.equal(a, b)
    assert 3 < flips < 17
    assert not torch.equal(plain.draw(0)[0], plain.draw(1)[0])


def test_what_is_not_known_is_nan(tmp_path):
    _, crops = filmed(tmp_path, thermal_fps=0.0, vitals=(Vital.BVP,), gap=(0, 60))
    spec = WindowSpec(cameras=("rgb", "thermal"), pixels=36, frames=60)
    windows = RecordedWindows([crops], spec, tuple(Vital), flip=False)
    assert 0 < len(windows) < 30, "none of them begins in the gap"
    window, waves = windows.draw(3)
    assert not window[3].any(), "a network without its thermal camera gets a blank"
    assert torch.isfinite(waves[Vital.BVP]).all() and torch.isnan(waves[Vital.RSP]).all()
    _, crops = filmed(tmp_path / "both", thermal_fps=0.0)
    _, waves = RecordedWindows([crops], spec, tuple(Vital), flip=False).draw(3)
    assert torch.isnan(waves[Vital.RSP]).all(), "and says nothing of breath without it"


def test_recordings_are_filmed_once_and_those_without_use_are_named(pure, tmp_path, monkeypatch, caplog):
    made = []
    make = crops_module.make_crops
    spy = lambda *args: made.append(args[0].name) or make(*args)  # noqa: E731
    monkeypatch.setattr("rppg_ros.training.recordings.make_crops", spy)
    with caplog.at_level(logging.WARNING):
        found = open_recorded(config(pure), tmp_path / "crops", film=True)
    assert made == ["01-01", "02-01", "03-01"] and len(found.train) == 1 and found.train_shares == (0.5, 0.5)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "2 of 4 recordings left out: pure/03-01 (no face in it), pure/04-01 (" in line and "\n" not in line
    assert "04-01.json: not as published" in line
    open_recorded(config(pure), tmp_path / "crops", film=True)
    open_recorded(config(pure, rate_hz=25.0), tmp_path / "crops", film=False)
    assert len(made) == 3, "another clock takes the same crops"
    assert (tmp_path / "crops").stat().st_mode & 0o077 == 0, "faces are their owner's alone"


def test_an_interrupt_leaves_nothing_half_done(pure, tmp_path, monkeypatch):
    cache = tmp_path / "crops"
    save = np.savez

    def interrupted(path, **about):
        if any(cache.glob("pure_01-01*")):
            raise KeyboardInterrupt
        save(path, **about)

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_recorded(config(pure), cache, film=True)
    assert [folder.name.split(".")[0] for folder in cache.iterdir()] == ["pure_01-01"]
    monkeypatch.setattr(np, "savez", save)
    (whole,) = cache.iterdir()
    (whole / "rgb.npy").write_bytes(b"cut off")
    open_recorded(config(pure), cache, film=True)
    assert len(load_crops(whole).rgb()) > 60, "what is damaged is made again"
    assert not list(cache.glob(".*")) and len(list(cache.iterdir())) == 3


def test_windows_are_mixed_and_shared_out_among_ranks(pure, cache, monkeypatch):
    found = open_recorded(config(pure), cache, film=False)
    spec = WindowSpec(cameras=("rgb",), pixels=36, frames=32)
    monkeypatch.setattr("rppg_ros.training.data.synthetic_window", lambda spec, seed: (torch.full((1,), -seed), {}))
    monkeypatch.setattr(RecordedWindows, "draw", lambda self, seed: (torch.full((1,), seed), {}))
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    seen = []
    for rank in (0, 1):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        windows = MixedWindows(spec, 100, 12, 3, found.train, (0.75, 0.25))
        seen.append([int(window) for window, _ in windows])
    assert [abs(seed) for seed in seen[0]] == [100, 101, 102, 106, 107, 108]
    assert sorted(abs(seed) for seed in seen[0] + seen[1]) == list(range(100, 112))
    assert sum(seed > 0 for seed in seen[0] + seen[1]) == 3


def test_loader_workers_change_nothing(pure, cache):
    found = open_recorded(config(pure), cache, film=False)
    spec = WindowSpec(cameras=("rgb",), pixels=9, frames=32, pad_frames=1)
    windows = MixedWindows(spec, 7, 12, 2, found.train, (0.5, 0.5))
    alone, together = (list(DataLoader(windows, batch_size=2, num_workers=workers)) for workers in (0, 2))
    assert len(alone) == len(together) == 6
    for (a, truth), (b, same) in zip(alone, together, strict=True):
        assert torch.equal(a, b) and all(torch.equal(truth[k].nan_to_num(), same[k].nan_to_num()) for k in truth)
    assert sum(int(truth["rsp"].isnan().all(dim=1).sum()) for _, truth in alone) == 6
    assert len(pickle.dumps(windows)) < 100_000, "to a worker go the files' names, not their pixels"


def test_held_out_subjects_are_not_trained_on(pure, cache):
    found = open_recorded(config(pure, sets=[{"val": True}]), cache, film=False)
    (train,), (held_out,) = found.train, found.held_out
    folders_of = [{clip.crops.folder for clip in windows._clips} for windows in (train, held_out)]
    assert len(folders_of[0]) == len(folders_of[1]) == 1 and not folders_of[0] & folders_of[1]
    assert found.held_out_shares == (1.0, 1.0)
    apart = [{"only": "01-*", "share": 1.0}, {"only": "02-*", "share": 0.0, "val": True}]
    found = open_recorded(config(pure, sets=apart), cache, film=False)
    assert found.train_shares == (0.0, 1.0) and found.held_out_shares == (0.0, 1.0)


def test_ones_own_bag_is_a_set_too(tmp_path):
    bag = bag_of_a_person(tmp_path, seconds=3, fps=15.0, width=320)
    asked = TrainConfig(**TINY, recordings=(RecordingSet(folder=bag, share=1.0),))
    (windows,) = open_recorded(asked, tmp_path / "crops", film=True).train
    assert all(torch.isfinite(wave).all() for wave in windows.draw(0)[1].values())


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([{"folder": "/nowhere"}], r"recordings\[0\]: /nowhere: no such file or folder"),
        ([{}, {"only": "9"}], r"recordings\[1\]: only: no recording's name in .* holds or fits '9'"),
        ([{"only": "03-01"}], r"recordings\[0\]: folder: .*: none of its recordings can be used: pure/03-01 \(no face"),
        ([{"only": "01-*", "val": True}], r"recordings\[0\]: val: needs two subjects"),
        (
            [{}, {"only": "02-*", "val": True, "share": 0.0}],
            r"recordings\[1\]: val: pure/02-01 is trained on by record",
        ),
    ],
)
def test_sets_that_cannot_be_used_are_named(sets, message, pure, cache):
    with pytest.raises(TrainingError, match=message):
        open_recorded(config(pure, 0.4, sets=sets), cache, film=True)


def test_what_a_network_needs_and_a_recording_lacks_is_said(pure, cache):
    breath = TINY["options"] | {"tasks": ("rsp",)}
    for changes, message in (
        ({"options": breath}, "no true rsp wave"),
        ({"frames": 320}, "nowhere 10.7 s of one face with its true wave"),
        ({"options": TINY["options"] | {"cameras": ("thermal",)}}, "no thermal images"),
    ):
        asked = TrainConfig(**(TINY | changes), recordings=config(pure).recordings)
        with pytest.raises(TrainingError, match=message):
            open_recorded(asked, cache, film=True)


def test_a_sensor_that_slipped_is_no_truth(tmp_path):
    """Flat all the time: the recording cannot be used; flat for a while: no window lies there."""
    root, film = tmp_path / "pure", person_film(2.5)
    folders.pure(root, folder="01-01", film=film)
    table = root / "01-01.json"
    table.write_text(re.sub(r'"waveform": \d+', '"waveform": 50', table.read_text()))
    with pytest.raises(TrainingError, match="nowhere .* with its true wave"):
        open_recorded(config(root), tmp_path / "crops", film=True)


def test_windows_from_a_stamp_on(pure, tmp_path):
    found = open_recorded(config(pure, sets=[{"only": "01-01"}]), tmp_path / "crops", film=True).train[0]
    begin_ns = found._clips[0].start_ns
    assert found.first_from(begin_ns) == found.first_from(0) == (0, 0)
    assert found.first_from(begin_ns + NS_PER_S // 2)[1] == 15
    assert found.first_from(begin_ns + 60 * NS_PER_S) is None
