"""Each dataset in its published layout: frames, stamps, truth, conditions; and what is said of damage."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from rppg_ros.datasets.base import DatasetError, Trace
from rppg_ros.datasets.frames import numbered_stamps
from rppg_ros.datasets.registry import DATASETS, read
from rppg_ros.sources.base import RGB, THERMAL
from rppg_ros.types import NS_PER_S, Vital
from support import dataset_folders as folders
from support.dataset_folders import FRAMES, image

LOSSLESS = ("ubfc1", "ubfc2", "pure", "ibvp", "mmpd", "buaa", "scamps")


@pytest.fixture
def recording(tmp_path):
    def make(name, **options):
        if name == "scamps":
            pytest.importorskip("h5py", reason="h5py is in the extra 'evaluation'")
        root = tmp_path / name
        root.mkdir()
        made = getattr(folders, name)(root, **options)
        (found,) = read(name, root)
        return (found, made) if name == "pure" else found

    return make


def rgb_frames(recording):
    return [frame for frame in recording.open() if frame.stream == "rgb"]


def bgr(frame):
    return frame.image[..., ::-1] if frame.encoding == "rgb8" else frame.image


@pytest.mark.parametrize("name", LOSSLESS)
def test_pixels_arrive_as_they_were(name, recording):
    found = recording(name)
    found = found[0] if name == "pure" else found
    frames = rgb_frames(found)
    assert len(frames) == FRAMES
    side = frames[0].image.shape[0]
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(bgr(frame), image(index, side))
    assert np.all(np.diff([frame.stamp_ns for frame in frames]) > 0)


@pytest.mark.parametrize("name", DATASETS)
def test_a_second_run_through_the_frames_is_the_same(name, recording):
    found = recording(name)
    source = (found[0] if name == "pure" else found).open()
    assert [f.stamp_ns for f in source] == [f.stamp_ns for f in source]
    assert source.duration_s > 0.3


def test_ubfc1(recording):
    found = recording("ubfc1")
    truth = found.truth()
    assert (found.name, found.subject) == ("5-gt", "5-gt")
    assert truth.waves[Vital.BVP].stamps_ns[1] == 16_000_000
    np.testing.assert_allclose(truth.waves[Vital.BVP].values, folders.wave(25, rate=62.5), atol=1e-6)
    assert set(truth.rates[Vital.BVP].values) == {70.0}
    assert found.conditions == {"after exercise": "False"}


def test_ubfc1_of_a_sensor_with_another_clock_begins_with_the_video(recording):
    assert recording("ubfc1", start_ms=1_500_000_000_000).truth().waves[Vital.BVP].stamps_ns[0] == 0


def test_ubfc2_frames_have_the_stamps_of_the_third_line(recording):
    found = recording("ubfc2")
    stamps = [frame.stamp_ns for frame in rgb_frames(found)]
    np.testing.assert_allclose(stamps, (np.arange(FRAMES) / 29.4 + 0.01) * NS_PER_S, atol=100)
    np.testing.assert_array_equal(found.truth().waves[Vital.BVP].stamps_ns, stamps)
    assert set(found.truth().rates[Vital.BVP].values) == {81.0}


def test_ubfc2_stamps_that_do_not_fit_are_not_used(recording):
    found = recording("ubfc2", stamps=np.arange(FRAMES) / 100.0)
    stamps = [frame.stamp_ns for frame in rgb_frames(found)]
    np.testing.assert_allclose(np.diff(stamps), NS_PER_S / 30, atol=2e6)


def test_pure(recording):
    found, stamps = recording("pure")
    assert [frame.stamp_ns for frame in rgb_frames(found)] == stamps
    assert found.subject == "01" and found.conditions == {"motion": "talking"} and found.open().absolute
    truth = found.truth()
    assert truth.waves[Vital.BVP].stamps_ns[1] - truth.waves[Vital.BVP].stamps_ns[0] == 16_666_667
    assert set(truth.rates[Vital.BVP].values) == {64.0}


def test_ibvp(recording):
    found = recording("ibvp")
    frames = list(found.open())
    thermal = [frame for frame in frames if frame.stream == "thermal"]
    assert len(thermal) == FRAMES and thermal[0].encoding == "32FC1" and thermal[0].image.shape == (512, 640)
    np.testing.assert_allclose(thermal[3].image[0, 0], 7503 * 0.04 - 273.15, atol=1e-3)
    assert [f.stamp_ns for f in frames] == sorted(f.stamp_ns for f in frames)
    wave = found.truth().waves[Vital.BVP].values
    assert np.isnan(wave[5]) and np.isfinite(np.delete(wave, 5)).all()
    assert (found.subject, found.conditions) == ("p01", {"task": "slow breathing and rest"})


def test_ibvp_names_of_the_images_are_their_milliseconds(recording):
    found = recording("ibvp")
    stamps = {"rgb": [], "thermal": []}
    for frame in found.open():
        stamps[frame.stream].append(frame.stamp_ns)
    assert stamps["rgb"] == [i * 34_000_000 for i in range(FRAMES)]
    assert stamps["thermal"] == [i * 34_000_000 + 5_000_000 for i in range(FRAMES)]
    np.testing.assert_allclose(found.truth().waves[Vital.BVP].stamps_ns, stamps["rgb"], atol=1)


def test_ibvp_of_numbered_images_and_no_header(recording):
    found = recording("ibvp", header="", first_ms=1, step_ms=1)
    for stream in ("rgb", "thermal"):
        stamps = [frame.stamp_ns for frame in found.open() if frame.stream == stream]
        np.testing.assert_allclose(stamps, np.arange(FRAMES) * NS_PER_S / 30, atol=1)
    np.testing.assert_allclose(found.truth().waves[Vital.BVP].values, folders.wave(FRAMES), atol=1e-4)


@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_mmpd(scale, recording):
    found = recording("mmpd", scale=scale)
    assert found.subject == "3" and found.name == "p3_7"
    assert found.conditions["light"] == "LED-low" and found.conditions["skin tone"] == "4"
    assert found.conditions["motion"] == "Walking"
    np.testing.assert_array_equal(bgr(rgb_frames(found)[4]), image(4))
    np.testing.assert_allclose(found.truth().waves[Vital.BVP].values, folders.wave(FRAMES))


def test_mmpd_wave_is_as_long_as_the_video(recording, tmp_path):
    found = recording("mmpd", values=4 * FRAMES)
    assert found.truth().waves[Vital.BVP].stamps_ns[4] == pytest.approx(NS_PER_S / 30, abs=1)


@pytest.mark.parametrize("struct", [False, True])
def test_buaa(struct, recording):
    found = recording("buaa", struct=struct)
    assert (found.subject, found.conditions) == ("01", {"lux": "10"})
    truth = found.truth()
    assert truth.waves[Vital.BVP].stamps_ns[-1] == round(23 * NS_PER_S / 60)
    np.testing.assert_allclose(truth.waves[Vital.BVP].values, folders.wave(24, rate=60.0), atol=1e-4)
    assert truth.rates[Vital.BVP].values.tolist() == [72.0, 73.0, 74.0]
    assert truth.rates[Vital.BVP].stamps_ns.tolist() == [0, 100_000_000, 300_000_000]


def test_buaa_a_wave_that_may_be_another_videos_is_not_used(recording, tmp_path):
    found = recording("buaa", struct=True)
    folders.video(tmp_path / "buaa" / "Sub 01" / "lux 10.0" / "lux10.0_LXR.avi")
    with pytest.raises(DatasetError, match="no pulse wave .* that is of lux10.0_APH.avi alone"):
        found.truth()


def test_scamps(recording):
    found = recording("scamps")
    truth = found.truth()
    np.testing.assert_allclose(truth.waves[Vital.BVP].values, folders.wave(FRAMES))
    np.testing.assert_allclose(truth.waves[Vital.RSP].values, folders.wave(FRAMES, 0.3))


@pytest.mark.parametrize("zipped", [True, False])
def test_bp4d(zipped, recording):
    found = recording("bp4d", zipped=zipped)
    assert (found.name, found.subject, found.conditions) == ("F001_T2", "F001", {"task": "T2", "gender": "female"})
    frames = rgb_frames(found)
    assert len(frames) == FRAMES and frames[1].stamp_ns == 40_000_000
    errors = [np.abs(frames[2].image.astype(int) - image(i)).mean() for i in range(FRAMES)]
    assert np.argmin(errors) == 2, "JPEG keeps no pixel of noise, but the image is the right one"
    truth = found.truth()
    assert set(truth.waves) == set(truth.rates) == set(Vital)
    assert truth.waves[Vital.RSP].stamps_ns[1] == 1_000_000 and truth.rates[Vital.RSP].values[0] == 14.0


@pytest.mark.parametrize(
    ("unit", "encoding", "first"), [("celsius", "32FC1", 30.0), ("kelvin", "32FC1", 30.0), ("counts", "16UC1", 7000)]
)
def test_bp4d_as_matrices(unit, encoding, first, tmp_path):
    folders.bp4d_matrices(tmp_path, unit)
    (found,) = read("bp4d", tmp_path)
    assert (found.name, found.subject, found.conditions) == ("F001_T02", "F001", {"task": "T2", "gender": "female"})
    frames = list(found.open())
    rgb, warm = ([frame for frame in frames if frame.stream == stream] for stream in (RGB, THERMAL))
    assert len(rgb) == len(warm) == FRAMES and rgb[1].stamp_ns == warm[1].stamp_ns == 40_000_000
    assert rgb[3].encoding == "rgb8" and (rgb[3].image == image(3)[..., ::-1]).all()
    assert warm[0].encoding == encoding and warm[0].image[0, 0] == pytest.approx(first, abs=1e-3)
    assert warm[5].image[0, 0] > warm[4].image[0, 0] and warm[0].image.shape == (24, 32)
    truth = found.truth()
    assert set(truth.waves) == set(truth.rates) == set(Vital)
    assert truth.waves[Vital.BVP].stamps_ns[1] == 40_000_000 and truth.rates[Vital.RSP].values[0] == 14.0


def test_bp4d_matrices_from_0_to_1_and_a_frame_of_another_unit(tmp_path):
    folders.bp4d_matrices(tmp_path)
    for path in (tmp_path / "F001_T02" / "F001_T02_rgb").iterdir():
        np.save(path, np.load(path).astype(np.float32) / 255)
    odd = tmp_path / "F001_T02" / "F001_T02_t" / "0004.npy"
    np.save(odd, np.load(odd) + 273.15)
    frames = list(read("bp4d", tmp_path)[0].open())
    rgb, warm = ([frame for frame in frames if frame.stream == stream] for stream in (RGB, THERMAL))
    assert (rgb[3].image == image(3)[..., ::-1]).all() and warm[4].image[0, 0] == pytest.approx(30.04, abs=1e-3)


def test_bp4d_matrices_that_are_missing_are_gaps(tmp_path):
    """Every frame that is there keeps its time, of both cameras."""
    folders.bp4d_matrices(tmp_path)
    task = tmp_path / "F001_T02"
    for number in (0, 2, 3, 7):
        (task / "F001_T02_t" / f"{number:04}.npy").unlink()
    (task / "F001_T02_rgb" / "0005.npy").unlink()
    frames = list(read("bp4d", tmp_path)[0].open())
    rgb, warm = ([frame.stamp_ns for frame in frames if frame.stream == stream] for stream in (RGB, THERMAL))
    assert rgb == [40_000_000 * number for number in range(FRAMES) if number != 5]
    assert warm == [40_000_000 * number for number in range(FRAMES) if number not in (0, 2, 3, 7)]


@pytest.mark.parametrize(
    ("numbers", "first", "wanted"),
    [
        ([7, 8, 10], None, [0, 1, 3]),
        ([7, 8, 10], 6, [1, 2, 4]),
        ([7, 8, 10], 8, [0, 1, 3]),
        ([0, 2, 4], None, [0, 2, 4]),
        ([20240101, 20240201, 20250101], None, [0, 1, 2]),
        ([3, 3, 4], None, [0, 1, 2]),
        ([1, 2, 3], 900_000, [0, 1, 2]),
        ([], None, []),
    ],
)
def test_stamps_follow_frame_numbers_where_these_are_some(numbers, first, wanted):
    paths = [Path(f"frame{number}.png") for number in numbers]
    assert numbered_stamps(paths, 10.0, first).tolist() == [100_000_000 * one for one in wanted]


def test_bp4d_with_its_thermal_frames_as_matrices(tmp_path):
    folders.bp4d(tmp_path)
    folders.bp4d_matrices(tmp_path / "other")
    (tmp_path / "Thermal" / "F001").mkdir(parents=True)
    (tmp_path / "other" / "F001_T02" / "F001_T02_t").rename(tmp_path / "Thermal" / "F001" / "T2")
    (found,) = read("bp4d", tmp_path)
    assert found.open().has_thermal and sum(frame.stream == THERMAL for frame in found.open()) == FRAMES


@pytest.mark.parametrize(
    ("place", "content", "message"),
    [
        ("F001_T02_t/0003.npy", np.zeros((2, 3, 4)), r"is of shape \(2, 3, 4\), not \(H, W\)"),
        ("F001_T02_rgb/0003.npy", np.zeros((4, 4)), r"is of shape \(4, 4\), not \(H, W, 3\)"),
        ("F001_T02_rgb/0003.npy", np.array([None]), "not a readable .npy matrix"),
        ("F001_T02_t/0003.npy", b"cut", "not a readable .npy matrix"),
        ("F001_T02_phys.csv", b"BVP,RSP\n1,x\n", "not a table of numbers"),
        ("F001_T02_phys.csv", b"EDA\n1\n", "has none of the columns bvp, rsp, hr, rr"),
        ("F001_T02_phys.csv", b"", "is empty"),
        ("F001_T02_t/0000.npy", np.full((4, 4), np.nan), "holds no temperature"),
    ],
)
def test_a_damaged_matrix_is_named(place, content, message, tmp_path):
    folders.bp4d_matrices(tmp_path)
    path = tmp_path / "F001_T02" / place
    path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content, allow_pickle=True)
    (found,) = read("bp4d", tmp_path)
    with pytest.raises(DatasetError, match=f"{path.name}: {message}"):
        found.truth()
        list(found.open())


@pytest.mark.parametrize("name", DATASETS)
def test_a_folder_of_something_else_is_named(name, tmp_path):
    with pytest.raises(DatasetError, match=str(tmp_path)):
        read(name, tmp_path)


def test_unknown_dataset_and_folder(tmp_path):
    with pytest.raises(DatasetError, match="no dataset 'cohface'; there are: ubfc1, ubfc2, pure"):
        read("cohface", tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        read("pure", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("ubfc1", "5-gt/gtdump.xmp", "gtdump.xmp: not a table of numbers"),
        ("ubfc2", "subject10/ground_truth.txt", "ground_truth.txt: needs three lines"),
        ("pure", "01-02/01-02.json", "01-02.json: not as published"),
        ("ibvp", "p01_a/p01_a_bvp.csv", "p01_a_bvp.csv: not a table"),
        ("buaa", "Sub 01/lux 10.0/lux10.0_APH_wave.csv", "holds no numbers"),
        ("bp4d", "Physiology/F001/T2/BP_mmHg.txt", "holds no numbers"),
    ],
)
def test_a_damaged_truth_is_named(name, file, message, recording, tmp_path):
    found = recording(name)
    found = found[0] if name == "pure" else found
    (tmp_path / name / file).write_text("what\n")
    with pytest.raises(DatasetError, match=message):
        found.truth()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("ubfc2", "subject10/vid.avi"),
        ("ibvp", "p01_a/p01_a_rgb/1661000000102.bmp"),
        ("mmpd", "subject3/p3_7.mat"),
        ("scamps", "P000001.mat"),
        ("bp4d", "2D+3D/F001.zip"),
    ],
)
def test_damaged_frames_are_named(name, file, recording, tmp_path):
    found = recording(name)
    (tmp_path / name / file).write_bytes(b"not this")
    with pytest.raises(DatasetError, match=f"{re.escape(file)}: .*not a readable") as said:
        list(found.open())
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("name", ["mmpd", "scamps"])
def test_a_matlab_file_that_was_cut_off_is_named(name, share, recording, tmp_path):
    found = recording(name)
    (file,) = (tmp_path / name).rglob("*.mat")
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])
    with pytest.raises(DatasetError, match=file.name):
        list(found.open())
        found.truth()


def test_a_zip_with_a_damaged_image_is_named(recording, tmp_path):
    found = recording("bp4d")
    path = tmp_path / "bp4d" / "2D+3D" / "F001.zip"
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="F001.zip: not a readable zip file: Bad CRC-32"):
        list(found.open())


def test_mmpd_without_words_has_no_conditions(tmp_path):
    savemat(tmp_path / "p1_0.mat", {"GT_ppg": np.zeros((1, 9))})
    (found,) = read("mmpd", tmp_path)
    assert dict(found.conditions) == {}
    with pytest.raises(DatasetError, match="p1_0.mat: holds no video"):
        found.open()


def test_a_video_that_was_cut_off_is_named(recording, tmp_path):
    found = recording("buaa")
    (video,) = (tmp_path / "buaa").rglob("*.avi")
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    with pytest.raises(DatasetError, match=f"{video.name}: cannot be read on after 0.133 s: a part is missing"):
        list(found.open())


def test_a_broken_recording_is_listed_beside_the_others(tmp_path):
    folders.mmpd(tmp_path)
    (tmp_path / "subject3" / "p3_8.mat").write_bytes(b"not this")
    whole, broken = read("mmpd", tmp_path)
    assert (whole.name, broken.name) == ("p3_7", "p3_8")
    assert len(whole.conditions) == 8 and dict(broken.conditions) == {}


def test_missing_h5py_is_said(recording, monkeypatch):
    found = recording("scamps")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DatasetError, match=r"P000001.mat: needs h5py: pip install 'rppg_ros\[evaluation\]'"):
        found.truth()


def test_a_trace_has_rising_stamps():
    with pytest.raises(ValueError, match="one stamp for each value"):
        Trace([1, 2], [1.0])
    with pytest.raises(ValueError, match="rise"):
        Trace([2, 2], [1.0, 2.0])
