"""What is read off a crop: where skin and nostrils are looked for, and what is left out."""

import numpy as np
import pytest

from rppg_ros.types import Box, FaceCrop
from rppg_ros.vision.skin import breath_temperature, skin_mean

SKIN = (150, 110, 90)
SQUARE = Box(0, 0, 100, 100)


def crop_of(rgb, thermal=None, box=SQUARE, scale=1.5):
    return FaceCrop(1, "abc", np.asarray(rgb, np.uint8), thermal, box, scale, 1.0, 0.0)


def canvas(size=72, colour=SKIN):
    return np.tile(np.array(colour, np.uint8), (size, size, 1))


def grid(size=72, scale=1.5, width=1.0, height=1.0):
    """x and y of each pixel's centre in widths and heights of the face box, from its centre, y down."""
    line = ((np.arange(size) + 0.5) / size - 0.5) * scale
    return np.meshgrid(line / width, line / height)


def marks(region, size=72, box=SQUARE, scale=1.5):
    """Whether painting a region changes the mean of the skin."""
    rgb = canvas(size)
    rgb[region] += 10
    return not np.array_equal(skin_mean(crop_of(rgb, None, box, scale)), np.array(SKIN, np.float32))


def test_even_skin_has_its_colour():
    found = skin_mean(crop_of(canvas()))
    assert found.dtype == np.float32 and found.tolist() == list(SKIN)


@pytest.mark.parametrize("size", [36, 72])
@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize(
    ("box", "width", "height"), [(SQUARE, 1, 1), (Box(5, 6, 80, 100), 0.8, 1), (Box(0, 0, 100, 60), 1, 0.6)]
)
def test_skin_is_an_ellipse_of_the_box_without_its_eyes(size, scale, box, width, height):
    """Half axes of 0.44 widths and 0.46 heights, without 0.02 to 0.20 heights above the centre; seen by its mean where red
    rises from left to right and green from top to bottom."""
    x, y = grid(size, scale, width, height)
    inside = ((x / 0.44) ** 2 + (y / 0.46) ** 2 <= 1) & ~((y > -0.20) & (y < -0.02))
    rng = np.random.default_rng(0)
    rgb = np.stack([rng.integers(148, 153, x.shape), rng.integers(108, 113, x.shape), np.full(x.shape, 90)], axis=-1)
    rgb[~inside] = (10, 200, 30)
    found = skin_mean(crop_of(rgb, None, box, scale))
    assert found == pytest.approx(rgb[inside].mean(axis=0), abs=0.5)
    rgb[inside] = (10, 200, 30)
    rgb[~inside] = SKIN
    assert skin_mean(crop_of(rgb, None, box, scale)).tolist() == [10, 200, 30], "nothing outside counts"


def test_every_pixel_of_the_ellipse_counts_alike():
    """Each painted a little alone, the mean moves by its share."""
    x, y = grid()
    inside = ((x / 0.44) ** 2 + (y / 0.46) ** 2 <= 1) & ~((y > -0.20) & (y < -0.02))
    rows, columns = np.nonzero(inside)
    for i in range(0, len(rows), 97):
        rgb = canvas()
        rgb[rows[i], columns[i]] = np.array(SKIN) * 1.2  # brighter, of the same colour
        assert skin_mean(crop_of(rgb))[0] == pytest.approx(150 + 30 / inside.sum(), abs=1e-3)


def with_patch(colour, share=0.3):
    """Skin whose right part has another colour; returns the crop and the mean over both."""
    x, y = grid()
    rgb = canvas()
    rng = np.random.default_rng(3)
    rgb[..., :2] += rng.integers(0, 4, (72, 72, 2)).astype(np.uint8)
    inside = ((x / 0.44) ** 2 + (y / 0.46) ** 2 <= 1) & ~((y > -0.20) & (y < -0.02))
    patch = inside & (x > np.quantile(x[inside], 1 - share))
    rgb[patch] = colour
    return crop_of(rgb), rgb[inside].mean(axis=0), rgb[inside & ~patch].mean(axis=0)


@pytest.mark.parametrize(
    "colour",
    [(250, 183, 150), (255, 255, 255), (12, 12, 12), (12, 9, 7), (70, 52, 42), (60, 110, 90), (150, 110, 250), (150, 60, 90)],
    ids=["clipped red", "white", "black", "dark skin colour", "under half as bright", "green", "blue", "red"],
)  # fmt: skip
def test_what_is_no_lit_skin_is_left_out(colour):
    crop, _, skin = with_patch(colour)
    np.testing.assert_allclose(skin_mean(crop), skin, atol=0.8)


@pytest.mark.parametrize("colour", [(249, 183, 150), (90, 66, 54)], ids=["nearly clipped", "over half as bright"])
def test_light_and_shade_are_kept(colour):
    crop, both, skin = with_patch(colour)
    found = skin_mean(crop)
    np.testing.assert_allclose(found, both, atol=0.8)
    assert abs(found[0] - skin[0]) > 5


def test_a_dark_face_is_not_black():
    """Means of 12 per channel and less are noise; but all of it is better than nothing."""
    assert skin_mean(crop_of(canvas(colour=(14, 12, 11)))).tolist() == [14, 12, 11]
    assert skin_mean(crop_of(canvas(colour=(3, 2, 1)))).tolist() == [3, 2, 1]
    assert skin_mean(crop_of(canvas(colour=(255, 255, 255)))).tolist() == [255, 255, 255]
    assert not skin_mean(crop_of(canvas(colour=(0, 0, 0)))).any()


@pytest.mark.parametrize(("colour", "kept"), [((16, 12, 12), True), ((12, 9, 9), False)])
def test_noise_is_left_out_of_a_dark_face(colour, kept):
    """12 per channel in the mean is too dark, though it is over half as bright as this face."""
    x, y = grid()
    rgb = canvas(colour=(20, 15, 15))
    rgb[x > 0.3] = colour
    assert bool(skin_mean(crop_of(rgb))[0] < 19.9) is kept


@pytest.mark.parametrize(("redder", "kept"), [(5, True), (7, False)])
def test_skin_is_three_times_as_mixed_as_its_median(redder, kept):
    """Two fifths of the pixels are redder by 2, two fifths greener by 2; a few are redder by 5 or 7."""
    x, y = grid()
    inside = ((x / 0.44) ** 2 + (y / 0.46) ** 2 <= 1) & ~((y > -0.20) & (y < -0.02))
    more = np.array([0, 2, -2, 2, -2])[np.arange(inside.sum()) % 5]
    more[:20] = redder
    rgb = canvas()
    rgb[inside] = np.stack([150 + more, 110 - more, np.full(len(more), 90)], axis=1)
    expected = (more if kept else more[20:]).mean()
    assert skin_mean(crop_of(rgb))[0] - 150 == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("clipped", "left_out"), [(0.7, True), (0.8, False)])
def test_a_quarter_of_the_pixels_is_enough(clipped, left_out):
    """The clipped part has the colour of the rest, 1.7 times as bright."""
    x, y = grid()
    rgb = canvas()
    inside = ((x / 0.44) ** 2 + (y / 0.46) ** 2 <= 1) & ~((y > -0.20) & (y < -0.02))
    rgb[inside & (x > np.quantile(x[inside], 1 - clipped))] = (255, 187, 153)
    assert (skin_mean(crop_of(rgb)).tolist() == list(SKIN)) is left_out


@pytest.mark.parametrize("size", [1, 2, 3])
def test_tiny_crops_have_a_middle(size):
    rgb = canvas(size)
    thermal = np.full((size, size), 30.0, np.float32)
    assert skin_mean(crop_of(rgb, thermal, scale=8.0)).tolist() == list(SKIN)
    assert breath_temperature(crop_of(rgb, thermal, scale=8.0)).tolist() == [0.0]


def test_a_region_between_the_pixels_is_the_middle_one():
    rgb = canvas(4, (9, 9, 9))
    rgb[2, 2] = SKIN
    thermal = np.zeros((4, 4), np.float32)
    thermal[2, 2] = 7.0
    assert skin_mean(crop_of(rgb, scale=8.0)).tolist() == list(SKIN)
    assert breath_temperature(crop_of(rgb, thermal, scale=8.0)).tolist() == [0.0], "that of both regions"


def test_a_box_without_a_side_is_no_error():
    assert skin_mean(crop_of(canvas(), box=Box(0, 0, 0, 0))).tolist() == list(SKIN)


class TestBreath:
    """The temperature under the nose minus that of forehead and cheeks."""

    @staticmethod
    def heat(box=SQUARE, width=1.0, height=1.0, size=60):
        x, y = grid(size, 1.5, width, height)
        nose = (x / 0.13) ** 2 + ((y - 0.16) / 0.08) ** 2 <= 1
        face = ((x / 0.44) ** 2 + (y / 0.46) ** 2 <= 1) & (y > -0.48) & (y < -0.05)
        return nose, face

    def read(self, thermal, box=SQUARE):
        return breath_temperature(crop_of(canvas(8), thermal.astype(np.float32), box))

    def test_no_thermal_camera_is_none(self):
        assert breath_temperature(crop_of(canvas())) is None

    @pytest.mark.parametrize(("box", "width", "height"), [(SQUARE, 1, 1), (Box(0, 0, 75, 100), 0.75, 1)])
    def test_it_is_the_difference_of_the_two_means(self, box, width, height):
        nose, face = self.heat(box, width, height)
        thermal = np.random.default_rng(0).normal(30, 2, nose.shape)
        found = self.read(thermal, box)
        assert found.shape == (1,) and found.dtype == np.float32
        assert found[0] == pytest.approx(thermal[nose].mean() - thermal[face].mean(), abs=1e-4)

    def test_what_moves_the_whole_image_cancels(self):
        nose, _ = self.heat()
        thermal = np.random.default_rng(0).normal(30, 2, nose.shape)
        assert self.read(thermal + 5)[0] == pytest.approx(self.read(thermal)[0], abs=1e-4)


@pytest.mark.parametrize(("box", "same"), [(Box(0, 0, 79, 100), True), (Box(0, 0, 86, 100), False)])
def test_a_trembling_box_keeps_its_masks(box, same):
    """Aspects are rounded to a twentieth: 0.79 is 0.80, 0.86 is 0.85."""
    rgb = canvas() + np.random.default_rng(0).integers(0, 3, (72, 72, 3)).astype(np.uint8)
    there = skin_mean(crop_of(rgb, None, Box(0, 0, 80, 100)))
    assert np.array_equal(skin_mean(crop_of(rgb, None, box)), there) is same
