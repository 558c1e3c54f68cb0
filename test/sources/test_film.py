"""Pictures of video files: their times, their colours, which way is up, and what a damaged file still gives."""

import importlib.util
import sys
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from rppg_ros.sources import film
from rppg_ros.sources.base import SourceError
from rppg_ros.sources.video import VideoFile

OLD_OPENCV = tuple(int(part) for part in cv2.__version__.split(".")[:2]) < (4, 7)
SIZE = (96, 128)  # height, width
BLOCKS = np.repeat(np.array([[(40, 60, 200), (30, 180, 60), (210, 90, 20), (128, 128, 128)]], np.uint8), 32, axis=1)
PATTERN = np.repeat(BLOCKS, SIZE[0], axis=0)
# Weights of red and blue in luma.
BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)
NUMBERS = {BT601: 5, BT709: 1}


def moving(count):
    """BGR frames with detail, each another."""
    noise = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    return [np.roll(soft, 3 * i, axis=1) // 2 + np.uint8(2 * i) for i in range(count)]


def write(
    path, codec="mpeg4", frames=None, ticks=None, rate=25, pix_fmt="yuv420p", unit=None, options=None, **container
):
    """A video of BGR arrays or av frames; `ticks` of `unit` (else of 1 / rate) are their times."""
    frames = moving(30) if frames is None else frames
    with av.open(str(path), "w", options=container) as out:
        stream = out.add_stream(codec, rate=rate)
        stream.height, stream.width = SIZE
        stream.pix_fmt = pix_fmt
        stream.options = options or {}
        if unit:
            stream.codec_context.time_base = unit
        if isinstance(frames[0], av.VideoFrame):
            stream.codec_context.colorspace, stream.codec_context.color_range = (
                frames[0].colorspace,
                frames[0].color_range,
            )
        for index, picture in enumerate(frames):
            frame = picture
            if not isinstance(picture, av.VideoFrame):
                frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format=pix_fmt)
            frame.pts = index if ticks is None else ticks[index]
            if unit:
                frame.time_base = unit
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def read(path):
    """Pictures until the error, and what it says."""
    found = []
    try:
        for picture in film.pictures(path):
            found.append(picture)
    except SourceError as error:
        return found, str(error)
    return found, ""


def by_opencv(path):
    capture, times, images = cv2.VideoCapture(str(path)), [], []
    while capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC))
        images.append(capture.retrieve()[1])
    return times, images


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt", "options"),
    [
        ("mp4", "libx264", "yuv420p", {"g": "12", "bf": "2"}),
        ("mkv", "libx264", "yuv420p", {"bf": "2"}),
        ("mp4", "mpeg4", "yuv420p", {"bf": "2"}),
        ("avi", "mjpeg", "yuvj420p", {}),
        ("avi", "rawvideo", "bgr24", {}),
        ("mkv", "ffv1", "bgr0", {}),
        ("mkv", "ffv1", "gray", {}),
        ("gif", "gif", "rgb8", {}),
    ],
)
def test_frames_and_times_are_those_of_opencv(suffix, codec, pix_fmt, options, tmp_path):
    if OLD_OPENCV and "bf" in options:
        pytest.skip("OpenCV before 4.7 gives the last B-frames the time 0")
    path = write(tmp_path / f"a.{suffix}", codec, pix_fmt=pix_fmt, options=options)
    found, error = read(path)
    times, images = by_opencv(path)
    assert not error and len(found) == len(images) == 30
    assert [picture.time_ns / 1e6 for picture in found] == pytest.approx(times, abs=1e-6)
    for picture, image in zip(found, images, strict=True):
        assert np.abs(picture.bgr().astype(int) - image).max() <= 2


def test_the_number_of_threads_changes_no_pixel(tmp_path):
    path = write(tmp_path / "a.mp4", "libx264", options={"g": "10", "slices": "4"})
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        alone = [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)]
    for _ in range(2):
        assert all(np.array_equal(a, b.bgr()) for a, b in zip(alone, film.pictures(path), strict=True))


def yuv(matrix, full):
    """PATTERN in 4:2:0, by ITU-R BT.601 or BT.709."""
    (red, blue), (b, g, r) = matrix, np.moveaxis(PATTERN.astype(float), -1, 0)
    luma = red * r + (1 - red - blue) * g + blue * b
    planes = [luma, (b - luma) / (2 * (1 - blue)) + 128, (r - luma) / (2 * (1 - red)) + 128]
    if not full:
        planes = [16 + planes[0] * 219 / 255, *(128 + (plane - 128) * 224 / 255 for plane in planes[1:])]
    frame = av.VideoFrame(SIZE[1], SIZE[0], "yuv420p")
    for plane, values in zip(frame.planes, [planes[0], planes[1][::2, ::2], planes[2][::2, ::2]], strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = np.rint(values)
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = NUMBERS[matrix], 2 if full else 1
    return frame


@pytest.mark.skipif(not hasattr(av.VideoFrame, "colorspace"), reason="PyAV before 12 cannot write what colours mean")
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [BT601, BT709])
@pytest.mark.parametrize(("suffix", "codec", "options"), [("mp4", "libx264", {"qp": "0"}), ("mkv", "ffv1", {})])
def test_colours_are_those_that_were_filmed(suffix, codec, options, matrix, full, tmp_path):
    path = write(tmp_path / f"a.{suffix}", codec, [yuv(matrix, full) for _ in range(3)], options=options)
    for picture in film.pictures(path):
        assert np.abs(picture.bgr().astype(int) - PATTERN).max() <= 2


def test_times_of_a_variable_rate_are_exact(tmp_path):
    ticks = [0, 33, 67, 140, 1140, 1141]
    path = write(tmp_path / "a.mkv", "ffv1", moving(6), ticks, unit=Fraction(1, 1000))
    assert [picture.time_ns // 1_000_000 for picture in film.pictures(path)] == ticks


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_times_are_since_the_first_frame(suffix, tmp_path):
    path = write(tmp_path / f"a.{suffix}", "libx264", ticks=range(500, 530), options={"bf": "2"})
    found, error = read(path)
    assert not error and [picture.time_ns for picture in found] == [i * 40_000_000 for i in range(30)]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_video_filmed_on_its_side_is_put_upright(turns, tmp_path):
    path = write(tmp_path / "a.mp4", frames=moving(3))
    plain = [picture.bgr() for picture in film.pictures(path)]
    content = bytearray(path.read_bytes())
    one = 1 << 16
    cosine, sine = [(0, one), (-one, 0), (0, -one)][turns - 1]
    matrix = np.array([cosine, sine, 0, -sine, cosine, 0, 0, 0, 1 << 30], ">i4").tobytes()
    start = content.index(b"tkhd") + 44  # ISO/IEC 14496-12, 8.3.2
    content[start : start + 36] = matrix
    path.write_bytes(content)
    for before, picture, image in zip(plain, film.pictures(path), by_opencv(path)[1], strict=True):
        assert np.array_equal(picture.bgr(), np.rot90(before, -turns))
        if not OLD_OPENCV:  # which turns it the other way
            assert np.abs(picture.bgr().astype(int) - image).max() <= 1
        assert picture.bgr().flags.c_contiguous


@pytest.mark.parametrize(
    ("suffix", "codec", "pix_fmt", "container"),
    [
        ("mp4", "libx264", "yuv420p", {"movflags": "faststart"}),
        ("mp4", "mpeg4", "yuv420p", {"movflags": "faststart"}),
        ("mkv", "libx264", "yuv420p", {}),
        ("avi", "mjpeg", "yuvj420p", {}),
        ("avi", "rawvideo", "bgr24", {}),
        ("gif", "gif", "rgb8", {}),
    ],
)
def test_a_file_that_was_cut_off_gives_what_it_has_and_says_so(suffix, codec, pix_fmt, container, tmp_path):
    path = write(tmp_path / f"a.{suffix}", codec, moving(60), pix_fmt=pix_fmt, **container)
    whole, error = read(path)
    assert len(whole) == 60 and not error
    expected = [picture.bgr() for picture in whole]
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    found, error = read(path)
    assert 10 < len(found) < 50
    assert error.startswith(f"{path}: cannot be read on after {found[-1].time_ns / 1e9:.3f} s: ")
    sure = len(found) - (suffix == "gif")  # of a GIF, the last one may be half a frame
    assert all(np.array_equal(a, b.bgr()) for a, b in zip(expected, found[:sure], strict=False))
    with pytest.raises(SourceError, match="cannot be read on after"):
        list(VideoFile(path))


def avi_frames(content):
    """Where the frames of an AVI begin."""
    return [at for at in range(content.index(b"movi"), content.index(b"idx1")) if content.startswith(b"00dc", at)]


def test_a_file_cut_between_two_frames_says_so(tmp_path):
    path = write(tmp_path / "a.avi", "mjpeg", moving(60), pix_fmt="yuvj420p")
    content = path.read_bytes()
    starts = avi_frames(content)
    path.write_bytes(content[: starts[30]])
    found, error = read(path)
    assert len(found) == 30 and "after 1.160 s: the file was cut off, 1.200 s are missing" in error


def test_damage_in_the_middle_ends_it_there(tmp_path):
    path = write(tmp_path / "a.avi", "mjpeg", moving(60), pix_fmt="yuvj420p")
    content = bytearray(path.read_bytes())
    starts = avi_frames(content)
    content[starts[30] + 8 : starts[31]] = bytes(starts[31] - starts[30] - 8)
    path.write_bytes(content)
    found, error = read(path)
    assert len(found) == 30 and f"{path}: cannot be read on after 1.160 s: Invalid data" in error


def test_a_recording_that_begins_in_the_middle_is_read_from_its_first_whole_frame(tmp_path):
    path = write(tmp_path / "a.ts", "libx264", moving(60), options={"g": "20", "bf": "0"})
    packets = path.read_bytes()
    path.write_bytes(packets[188 * (len(packets) // 188 // 2) :])
    found, error = read(path)
    assert not error and 15 <= len(found) <= 40 and found[0].time_ns == 0


def test_times_that_go_back_end_it(tmp_path, monkeypatch):
    path = write(tmp_path / "a.mp4")

    def jumping(container):
        for ticks in (0, 30, 30, 29, 4):
            frame = av.VideoFrame(16, 16, "gray")
            frame.pts, frame.time_base = ticks, Fraction(1, 25)
            yield frame

    monkeypatch.setattr(film, "_frames", jumping)
    found, error = read(path)
    assert [picture.time_ns // 40_000_000 for picture in found] == [0, 30, 30, 29]
    assert error == (
        f"{path}: cannot be read on after 1.200 s: its times go back to 0.160 s;"
        " 4 frames were read, the file promises 30 frames, 1.200 s"
    )
    monkeypatch.setattr(film, "_frames", lambda container: list(jumping(container))[:4])
    assert [frame.stamp_ns // 40_000_000 for frame in VideoFile(path)] == [0, 30]


def test_what_is_no_video_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"nowhere\.mp4: no such file"):
        film.facts(tmp_path / "nowhere.mp4")
    (tmp_path / "text.mp4").write_text("hello")
    with pytest.raises(SourceError, match=r"text\.mp4: not a readable video: Invalid data"):
        list(film.pictures(tmp_path / "text.mp4"))
    with av.open(str(tmp_path / "sound.wav"), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        out.mux(stream.encode(sound))
    with pytest.raises(SourceError, match=r"sound\.wav: there is no video in it"):
        VideoFile(tmp_path / "sound.wav")


def test_without_pyav_a_video_says_what_it_needs(tmp_path, monkeypatch):
    path = write(tmp_path / "a.mp4")
    monkeypatch.setitem(sys.modules, "av", None)
    spec = importlib.util.spec_from_file_location("film_without_pyav", film.__file__)
    without = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, without)
    spec.loader.exec_module(without)
    for read_it in (
        without.facts,
        lambda path: list(without.pictures(path)),
        lambda path: list(without.keyframes(path)),
    ):
        with pytest.raises(
            SourceError, match=r"a\.mp4: videos need PyAV: sudo apt install python3-av, or pip install av"
        ):
            read_it(path)


def test_a_title_in_another_encoding_is_no_reason_to_refuse(tmp_path):
    path = tmp_path / "titled.mkv"
    with av.open(str(path), "w") as out:
        out.metadata["title"] = "QQQQ"
        stream = out.add_stream("mpeg4", rate=25)
        stream.height, stream.width = SIZE
        for picture in moving(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p")))
        out.mux(stream.encode())
    written = path.read_bytes()
    assert b"QQQQ" in written
    path.write_bytes(written.replace(b"QQQQ", b"caf\xe9"))
    assert len(read(path)[0]) == 3


def test_any_name_will_do(tmp_path):
    path = write(tmp_path / "http: face%02d.mp4")
    assert len(read(path)[0]) == 30


def test_facts(tmp_path):
    said = film.facts(write(tmp_path / "a.mp4"))
    assert said == film.Facts(frames=30, rate_hz=25.0, duration_s=pytest.approx(1.2), lossless=False, deep=False)
    assert film.facts(write(tmp_path / "a.mkv", "ffv1", pix_fmt="gray16le")).deep
    assert film.facts(write(tmp_path / "b.mkv", "ffv1")).lossless
