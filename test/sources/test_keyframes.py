"""Keyframes whose rhythm could be taken for a pulse."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.sources.base import SourceError
from rppg_ros.sources.factory import open_source
from rppg_ros.sources.keyframes import keyframe_times, rhythm_per_minute


def video(path, frames, fps, code="mp4v"):
    image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), fps, (64, 48))
    for _ in range(frames):
        writer.write(image)
    writer.release()
    return path


def test_keyframes_of_a_video(tmp_path):
    """OpenCV's encoder makes every twelfth frame a keyframe."""
    times = keyframe_times(video(tmp_path / "a.mp4", 100, 24.0))
    assert times == pytest.approx(np.arange(9) * 0.5, abs=0.002)


def test_a_video_whose_keyframes_could_be_a_pulse_says_so(tmp_path):
    source = open_source(str(video(tmp_path / "a.mp4", 100, 24.0)))
    assert source.caution.startswith("a.mp4: its keyframes come 120.0 times a minute")


@pytest.mark.parametrize(("code", "suffix"), [("MJPG", "avi"), ("FFV1", "mkv")])
def test_a_video_of_keyframes_alone_has_no_rhythm(tmp_path, code, suffix):
    assert not open_source(str(video(tmp_path / f"a.{suffix}", 100, 24.0, code))).caution


def test_a_file_that_is_no_video_is_named(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(SourceError, match="a.mp4: not a readable video"):
        keyframe_times(tmp_path / "a.mp4")


@given(rate=st.floats(21, 199), start=st.floats(0, 100), n=st.integers(5, 200), seed=st.integers(0, 2**31))
def test_even_keyframes_have_a_rhythm(rate, start, n, seed):
    times = start + np.arange(n) * 60 / rate
    assert rhythm_per_minute(times) == pytest.approx(rate)
    uneven = start + np.cumsum(np.random.default_rng(seed).exponential(60 / rate, 200))
    assert rhythm_per_minute(uneven) is None


@pytest.mark.parametrize("every_s", [0.0, 0.04, 8.3])
def test_too_fast_or_too_slow_for_a_pulse(every_s):
    assert rhythm_per_minute(np.arange(20) * every_s) is None
