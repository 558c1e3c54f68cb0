"""A detector: the face is where the head rest is, in the middle of the image. For a rig that nobody walks past."""

from rppg_ros.types import Box
from rppg_ros.vision.detect import Detection, DetectorOptions

SIDE = 0.5  # of the image's height


class HeadRest:
    """Finds one face, always."""

    certain = True

    def __init__(self, options: DetectorOptions) -> None:
        """A fixed place needs neither model nor confidence."""

    def detect(self, rgb, min_face_px):
        height, width = rgb.shape[:2]
        side = SIDE * height
        box = Box((width - side) / 2, (height - side) / 2, side, side)
        return [Detection(box, 1.0)] if side >= min_face_px else []

    def confirm(self, rgb, box):
        return Detection(box, 1.0)
