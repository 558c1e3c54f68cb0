"""A dataset: videos named SUBJECT_TASK.avi, beside each a table SUBJECT_TASK.csv with the columns time_s and bvp."""

from pathlib import Path

from rppg_ros.datasets.base import DatasetError, Recording
from rppg_ros.datasets.frames import Frames, video_frames, video_length
from rppg_ros.datasets.registry import Dataset
from rppg_ros.datasets.traces import read_csv
from rppg_ros.sources.base import RGB


def read(root: Path) -> list[Recording]:
    videos = [path for path in sorted(root.glob("*_*.avi")) if path.with_suffix(".csv").is_file()]
    if not videos:
        raise DatasetError(f"{root}: no SUBJECT_TASK.avi with a SUBJECT_TASK.csv beside it")
    return [recording(video) for video in videos]


def recording(video: Path) -> Recording:
    def open_frames() -> Frames:
        count, rate_hz = video_length(video)
        return Frames(video.stem, {RGB: lambda: video_frames(video, None)}, duration_s=count / rate_hz)

    subject, _, task = video.stem.partition("_")
    table = video.with_suffix(".csv")
    return Recording("clips", video.stem, subject, {"task": task}, open_frames, lambda: read_csv(table, start_ns=0))


CLIPS = Dataset("SUBJECT_TASK.avi with SUBJECT_TASK.csv", read)
