"""Recordings to bags and back: nothing lost, whole or not there at all."""

import numpy as np
import pytest
from rosbags.rosbag2 import Reader

from rppg_ros.datasets.bags import open_recording
from rppg_ros.datasets.base import DatasetError, Recording, Truth
from rppg_ros.datasets.convert import EPOCH_NS, write_bag
from rppg_ros.datasets.registry import DATASETS, read
from rppg_ros.sources.base import StreamFrame
from rppg_ros.sources.frames import image_of
from support import dataset_folders as folders


def pixels(source):
    return [(f.stream, f.stamp_ns, image_of(f)) for f in source]


@pytest.mark.parametrize("image_format", ["png", "raw"])
@pytest.mark.parametrize("name", DATASETS)
def test_nothing_is_lost_on_the_way(name, image_format, tmp_path):
    if name == "scamps":
        pytest.importorskip("h5py", reason="h5py is in the extra 'evaluation'")
    getattr(folders, name)(tmp_path)
    (before,) = read(name, tmp_path)
    bag = write_bag(before, tmp_path / "bags", image_format)
    after = open_recording(str(bag))
    assert (after.dataset, after.name, after.subject) == (before.dataset, before.name, before.subject)
    assert after.conditions == before.conditions
    shift_ns = 0 if before.open().absolute else EPOCH_NS
    for (a, at, one), (b, bt, other) in zip(pixels(before.open()), pixels(after.open()), strict=True):
        assert a == b and at + shift_ns == bt
        np.testing.assert_array_equal(one, other)
    wanted, found = before.truth(), after.truth()
    assert wanted.waves.keys() == found.waves.keys() and wanted.rates.keys() == found.rates.keys()
    for kind, wave in wanted.waves.items():
        compare(wave, found.waves[kind], shift_ns)
    for kind, rate in wanted.rates.items():
        np.testing.assert_array_equal(found.rates[kind].values, rate.values)
        np.testing.assert_array_equal(found.rates[kind].stamps_ns - shift_ns, rate.stamps_ns)
    assert sorted(p.suffix for p in bag.iterdir()) == [".mcap", ".yaml"]


def compare(wanted, found, shift_ns):
    """Even waves come back as float32; the one of which a sample is missing is interpolated there."""
    known = np.isfinite(wanted.values)
    if known.all():
        np.testing.assert_allclose(found.values, wanted.values.astype(np.float32))
        np.testing.assert_allclose(found.stamps_ns - shift_ns, wanted.stamps_ns, atol=1000)
        return
    at = np.interp(wanted.stamps_ns[known], found.stamps_ns - shift_ns, found.values)
    np.testing.assert_allclose(at, wanted.values[known], atol=1e-6)


def test_jpeg_is_near(tmp_path):
    folders.video(tmp_path / "subject1" / "vid.avi")
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    source = [StreamFrame("rgb", 1, np.dstack([smooth] * 3), "rgb8")]
    recording = Recording("x", "y", "z", {}, lambda: Listed(source), Truth)
    (frame,) = open_recording(str(write_bag(recording, tmp_path, "jpeg"))).open()
    assert np.abs(frame.image.astype(int) - source[0].image).max() <= 3


class Listed(list):
    """Frames as a source."""

    absolute = True

    def close(self):
        pass


def test_a_recording_without_frames_or_with_an_unknown_format(tmp_path):
    empty = Recording("x", "y", "z", {}, Listed, Truth)
    with pytest.raises(DatasetError, match="y: no RGB frames"):
        write_bag(empty, tmp_path)
    with pytest.raises(DatasetError, match="image format 'gif' is not known; there are: png, raw, jpeg"):
        write_bag(empty, tmp_path, "gif")
    assert list(tmp_path.iterdir()) == []


def test_messages_are_in_order_of_stamps(tmp_path):
    folders.ibvp(tmp_path)
    (recording,) = read("ibvp", tmp_path)
    with Reader(write_bag(recording, tmp_path / "bags")) as reader:
        stamps = [stamp_ns for _, stamp_ns, _ in reader.messages()]
        topics = {connection.topic for connection in reader.connections}
    assert stamps == sorted(stamps) and min(stamps) == EPOCH_NS
    assert topics == {"/camera/rgb/image_raw/compressed", "/camera/thermal/image_raw", "/ground_truth/bvp"}


def test_a_bag_stays_when_writing_it_again_fails(tmp_path):
    folders.pure(tmp_path)
    (recording,) = read("pure", tmp_path)
    bag = write_bag(recording, tmp_path / "bags")
    before = {path.name: path.read_bytes() for path in bag.iterdir()}
    (tmp_path / "01-02" / "01-02" / "Image1392643993842849000.png").write_bytes(b"broken")
    with pytest.raises(DatasetError, match="not a readable image"):
        write_bag(recording, tmp_path / "bags", overwrite=True)
    assert {path.name: path.read_bytes() for path in bag.iterdir()} == before
    assert list((tmp_path / "bags").iterdir()) == [bag]


def test_a_bag_that_is_there_is_left_alone(tmp_path):
    folders.pure(tmp_path)
    (recording,) = read("pure", tmp_path)
    bag = write_bag(recording, tmp_path / "bags")
    assert write_bag(recording, tmp_path / "bags") is None
    assert write_bag(recording, tmp_path / "bags", overwrite=True) == bag


def test_a_recording_that_breaks_leaves_nothing(tmp_path):
    folders.ibvp(tmp_path)
    (tmp_path / "p01_a/p01_a_rgb/1661000000306.bmp").write_bytes(b"broken")
    (recording,) = read("ibvp", tmp_path)
    with pytest.raises(DatasetError, match="1661000000306.bmp: not a readable image"):
        write_bag(recording, tmp_path / "bags")
    assert list((tmp_path / "bags").iterdir()) == []
