import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

from rppg_ros.nodes.messages import to_array
from rppg_ros.sources.images import ImageError, rgb_image, thermal_image

RNG = np.random.default_rng(0)
SMOOTH = cv2.GaussianBlur(RNG.integers(0, 256, (24, 32, 3)).astype(np.uint8), (0, 0), 6)


def image(pixels, encoding, padding=0, big=False):
    """An Image message of an array, with padded rows and swapped bytes if asked."""
    if big:
        pixels = pixels.byteswap()
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    out = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding, step=rows.shape[1])
    out.is_bigendian = int(big)
    out.data = to_array(rows, "B")
    return out


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize(
    ("encoding", "code"),
    [
        ("rgb8", None),
        ("bgr8", cv2.COLOR_RGB2BGR),
        ("rgba8", cv2.COLOR_RGB2RGBA),
        ("bgra8", cv2.COLOR_RGB2BGRA),
        ("8UC3", cv2.COLOR_RGB2BGR),
    ],
)
def test_colour_encodings(encoding, code, padding):
    pixels = SMOOTH if code is None else cv2.cvtColor(SMOOTH, code)
    np.testing.assert_array_equal(rgb_image(image(pixels, encoding, padding)), SMOOTH)


@pytest.mark.parametrize("encoding", ["mono8", "8UC1", "mono16"])
def test_grey_becomes_grey_rgb(encoding):
    grey = SMOOTH[..., 0]
    pixels = grey.astype(np.uint16) * 256 if encoding == "mono16" else grey
    out = rgb_image(image(pixels, encoding))
    assert out.shape == (24, 32, 3)
    np.testing.assert_array_equal(out, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("encoding", ["yuv422", "uyvy", "yuv422_yuy2", "yuyv", "YUYV", "yuy2"])
def test_yuv(encoding):
    flat = np.full((4, 8, 2), 128, np.uint8)
    luma = 1 if encoding in ("yuv422", "uyvy") else 0  # UYVY, YUYV
    flat[..., luma] = 150
    out = rgb_image(image(flat, encoding))
    assert out.shape == (4, 8, 3) and np.ptp(out) <= 1 and 150 <= out.mean() <= 160


def planes(rgb, encoding):
    """As cameras send nv12 and nv21: rows of brightness, then half as many of colour pairs, U V or V U."""
    i420 = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    height, width = rgb.shape[:2]
    u, v = i420[height:].reshape(2, -1)
    pairs = np.stack([u, v] if encoding == "nv12" else [v, u], axis=1).reshape(height // 2, width)
    return np.concatenate([i420[:height], pairs])


@pytest.mark.parametrize("padding", [0, 6])
@pytest.mark.parametrize("encoding", ["nv12", "nv21"])
def test_half_planes(encoding, padding):
    colour = np.zeros((24, 32, 3), np.uint8) + np.array([200, 120, 90], np.uint8)
    message = image(planes(colour, encoding), encoding, padding)
    message.height = 24
    out = rgb_image(message)
    assert out.shape == (24, 32, 3) and np.abs(out.astype(int) - colour).max() <= 4
    message.data = message.data[: -(padding + 1)]
    with pytest.raises(ImageError, match=f"32x24 {encoding} with step"):
        rgb_image(message)
    message.height = 23
    with pytest.raises(ImageError, match="even numbers"):
        rgb_image(message)


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("16UC1; compressedDepth png", "compressedDepth is for depth cameras"),
        ("16UC1; jpeg compressed ", "JPEG has 8 bits"),
        ("mono16; jpeg compressed mono8", "JPEG has 8 bits"),
    ],
)
def test_transports_that_lose_a_thermal_image(form, told):
    _, data = cv2.imencode(".jpg", SMOOTH[..., 0])
    with pytest.raises(ImageError, match=told):
        thermal_image(CompressedImage(format=form, data=data.tobytes()))


def test_sixteen_bits_survive_png():
    counts = RNG.integers(0, 60000, (5, 7)).astype(np.uint16)
    _, data = cv2.imencode(".png", counts)
    found = thermal_image(CompressedImage(format="16UC1; png compressed ", data=data.tobytes()))
    np.testing.assert_array_equal(found, counts)


@pytest.mark.parametrize(
    ("encoding", "place"), [("rggb", (0, 0)), ("bggr", (1, 1)), ("gbrg", (1, 0)), ("grbg", (0, 1))]
)
def test_bayer_patterns_put_red_where_it_is(encoding, place):
    mosaic = np.zeros((16, 16), np.uint8)
    mosaic[place[0] :: 2, place[1] :: 2] = 200  # the red pixels
    out = rgb_image(image(mosaic, f"bayer_{encoding}8"))[4:-4, 4:-4].reshape(-1, 3).mean(axis=0)
    assert out[0] > 150 and out[1] < 20 and out[2] < 20


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("encoding", ["mono16", "16UC1", "32FC1"])
def test_thermal_counts_survive_padding_and_byte_order(encoding, big):
    dtype = np.float32 if encoding == "32FC1" else np.uint16
    counts = RNG.integers(0, 60000, (5, 7)).astype(dtype)
    out = thermal_image(image(counts, encoding, padding=6, big=big))
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, counts)


def test_compressed_images():
    _, jpeg = cv2.imencode(".jpg", SMOOTH[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
    out = rgb_image(CompressedImage(format="rgb8; jpeg compressed bgr8", data=to_array(jpeg, "B")))
    assert np.abs(out.astype(int) - SMOOTH).mean() < 2
    counts = RNG.integers(0, 60000, (5, 7)).astype(np.uint16)
    _, png = cv2.imencode(".png", counts)
    np.testing.assert_array_equal(thermal_image(CompressedImage(format="16UC1; png", data=to_array(png, "B"))), counts)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"encoding": "purple"}, "purple"),
        ({"encoding": "32FC1"}, "no colour image|needs more"),
        ({"height": 0}, "empty"),
        ({"height": 99}, "needs more than"),
        ({"step": 3}, "step 3"),
    ],
)
def test_bad_images_say_what_is_wrong(change, says):
    message = image(SMOOTH, "rgb8")
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(ImageError, match=says):
        rgb_image(message)


def test_broken_compressed_and_palette_thermal_are_refused():
    with pytest.raises(ImageError, match="cannot be decoded"):
        rgb_image(CompressedImage(format="jpeg", data=to_array(np.arange(30, dtype=np.uint8), "B")))
    with pytest.raises(ImageError, match="cannot be decoded"):
        rgb_image(CompressedImage(format="jpeg"))
    with pytest.raises(ImageError, match="not thermal"):
        thermal_image(image(SMOOTH, "rgb8"))
    _, png = cv2.imencode(".png", SMOOTH)
    with pytest.raises(ImageError, match="palette"):
        thermal_image(CompressedImage(format="png", data=to_array(png, "B")))
