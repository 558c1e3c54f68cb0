"""Labelled recordings of the made-up person, small and quick to measure."""

from dataclasses import replace

import cv2
import numpy as np

from rppg_ros.datasets.base import Recording, Trace, Truth
from rppg_ros.datasets.convert import write_bag
from rppg_ros.sources.base import RGB
from rppg_ros.sources.demo import DemoScene, DemoSource
from rppg_ros.types import NS_PER_S, Vital


class Reduced:
    """A source whose RGB images are reduced to a width, to be quick; thermal ones are small already."""

    def __init__(self, source, width):
        self._source, self._width = source, width

    def __getattr__(self, name):
        return getattr(self._source, name)

    def __iter__(self):
        for frame in self._source:
            if frame.stream != RGB:
                yield frame
                continue
            height = frame.image.shape[0] * self._width // frame.image.shape[1]
            image = cv2.resize(frame.image, (self._width, height), interpolation=cv2.INTER_AREA)
            yield replace(frame, image=image)


def person(name="one", seconds=20, heart_rate=72.0, seed=1, conditions=None, width=640, **scene) -> Recording:
    """The demo's person as a recording with truth on a 30 Hz clock."""
    chosen = DemoScene(seconds=seconds, heart_rate=heart_rate, seed=seed, thermal_fps=0.0, **scene)

    def truth():
        times = np.arange(round(seconds * 30)) / 30
        stamps = np.round(times * NS_PER_S).astype(np.int64)
        vitals = DemoSource(chosen).vitals
        return Truth({vital: Trace(stamps, vitals.at(vital.value, times)) for vital in Vital})

    return Recording(
        "made-up", name, f"seed{seed}", conditions or {}, lambda: Reduced(DemoSource(chosen), width), truth
    )


def person_film(seconds=4.0, width=320, **scene):
    """BGR frames of the demo's person, 30 a second, reduced in size to be quick."""
    source = DemoSource(DemoScene(seconds=seconds, thermal_fps=0.0, drop=0.0, **scene))
    size = (width, width * 3 // 4)
    return [cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)[..., ::-1].copy() for frame in source]


def bag_of_a_person(folder, **scene):
    """The same as a bag; returns its path."""
    return str(write_bag(person(**scene), folder, "raw"))


def film_without_people(frames_each=20, width=320):
    """BGR frames: the camera pans over photographs that come with scikit-image; a person stands on its head or has none."""
    from skimage import data

    person, size = data.astronaut(), (width, width * 3 // 4)
    pictures = [data.coffee(), data.chelsea(), data.rocket(), data.brick(), data.page(), data.coins()]
    return [
        frame
        for picture in (*pictures, np.ascontiguousarray(person[::-1]), person[320:])
        for frame in _pan(picture if picture.ndim == 3 else cv2.merge([picture] * 3), frames_each, size)
    ]


def _pan(picture, frames, size):
    zoom = 1.3 * max(size[0] / picture.shape[1], size[1] / picture.shape[0])
    wide = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    for share in np.linspace(0, 1, frames):
        x, y = round(share * (wide.shape[1] - size[0])), round(share * (wide.shape[0] - size[1]))
        yield np.ascontiguousarray(wide[y : y + size[1], x : x + size[0], ::-1])


def write_film(path, film, codec, fps=30.0):
    """A video file of BGR frames, by the encoder of that four-letter code."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, film[0].shape[1::-1])
    assert writer.isOpened(), f"this OpenCV cannot write {codec}"
    for frame in film:
        writer.write(frame)
    writer.release()
    return str(path)


def flat_video(path, seconds=3.0, fps=10.0):
    """A video without a face, and its truth beside it."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, (64, 48))
    for _ in range(round(seconds * fps)):
        writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.release()
    path.with_suffix(".csv").write_text("time_s,heart_rate\n0,60\n1,61\n2,62\n")
    return str(path)
