"""The size that a compressed image tells, without decoding it."""

import cv2
import numpy as np
import pytest

from rppg_ros.sources.image_size import MAX_PIXELS, told_size, too_large

IMAGE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


@pytest.mark.parametrize(
    "image", [IMAGE, IMAGE[..., 0], IMAGE[:, :31].astype(np.uint16)], ids=["colour", "grey", "deep"]
)
def test_png(image):
    assert told_size(cv2.imencode(".png", image)[1].tobytes()) == image.shape[1::-1]


@pytest.mark.parametrize(
    "options",
    [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 4], [cv2.IMWRITE_JPEG_OPTIMIZE, 1]],
)
@pytest.mark.parametrize("image", [IMAGE, IMAGE[:17, :, 0]], ids=["colour", "grey"])
def test_jpeg(image, options):
    assert told_size(cv2.imencode(".jpg", image, options)[1].tobytes()) == image.shape[1::-1]


def test_jpeg_with_padding_and_a_comment():
    data = cv2.imencode(".jpg", IMAGE)[1].tobytes()
    assert told_size(data[:2] + b"\xff\xff\xfe\x00\x05abc" + data[2:]) == (64, 48)


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x10", b"\xff\xd8abcdefghij", b"BM" + bytes(60)]
)
def test_what_says_none_says_none(data):
    assert told_size(data) is None and too_large(data) == ""


def test_no_cut_of_a_file_raises_or_loops():
    for suffix in (".png", ".jpg"):
        data = cv2.imencode(suffix, IMAGE)[1].tobytes()
        for end in range(len(data)):
            assert told_size(data[:end]) in (None, (64, 48))


def test_a_length_of_nothing_goes_on():
    assert told_size(b"\xff\xd8" + b"\xff\xe0\x00\x00" * 40) is None


@pytest.mark.parametrize(("side", "refused"), [(8192, False), (8193, True), (24_000, True)])
def test_what_no_camera_has_is_refused(side, refused):
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + side.to_bytes(4, "big") * 2
    assert bool(too_large(header)) is refused and MAX_PIXELS == 8192**2
    assert too_large(header) in ("", f"an image of {side}x{side} pixels is no camera's")
