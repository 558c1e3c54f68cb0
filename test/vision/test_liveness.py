"""What is no sample: what repeats, and what shows nothing."""

import numpy as np
import pytest

from rppg_ros.vision.liveness import REPEATED, Liveness
from support.views import a_view

RNG = np.random.default_rng(0)
Y, X = np.mgrid[0:120, 0:160]
HEAT = (30000 + 300 * np.exp(-((X - 80) ** 2 + (Y - 60) ** 2) / 800)).astype(np.uint16)
ROOM = a_view(RNG, 48, 64)


def noisy(image, seed):
    return (image + np.random.default_rng(seed).integers(0, 4, image.shape)).astype(image.dtype)


def judged(*images):
    liveness = Liveness()
    return [liveness.complaint(image) for image in images]


@pytest.mark.parametrize(
    "image", [ROOM, HEAT, HEAT.astype(np.float32) / 100 - 273.15], ids=["rgb", "counts", "degrees"]
)
def test_a_living_camera_is_alive(image):
    assert judged(*(noisy(image, seed) for seed in range(5))) == [""] * 5


@pytest.mark.parametrize("image", [ROOM, HEAT, HEAT.astype(np.float32)], ids=["rgb", "counts", "degrees"])
def test_the_same_image_again_is_none(image):
    other = image.copy()
    other[-1, -1] += 1  # not where the coarse look falls
    assert judged(image, image.copy(), other, other.copy(), image) == ["", REPEATED, "", REPEATED, ""]


@pytest.mark.parametrize("buffers", [2, 3, 30, 127])
def test_a_ring_of_buffers_is_no_camera(buffers):
    ring = [noisy(ROOM, seed) for seed in range(buffers)]
    found = judged(*(ring[i % buffers] for i in range(3 * buffers)))
    assert found[: buffers + 1] == [""] * (buffers + 1), "the first that comes again may be chance"
    assert set(found[buffers + 1 :]) == {f"the images repeat those of {buffers} images ago"}


def test_a_ring_that_ends_is_over():
    ring = [noisy(ROOM, seed) for seed in range(8)]
    assert judged(*ring * 3, *(noisy(ROOM, 100 + seed) for seed in range(3)))[-3:] == ["", "", ""]


def test_a_film_that_is_played_to_and_fro_is_none():
    film = [noisy(ROOM, seed) for seed in range(20)]
    assert judged(*film, *film[-2::-1], *film[1:]) == [""] * 58


def test_what_is_longer_than_all_that_is_remembered_is_none():
    film = [noisy(HEAT, seed) for seed in range(140)]
    assert judged(*film, *film) == [""] * 280


def test_images_upside_down_or_turned_colours_are_judged_alike():
    bgr = noisy(ROOM, 1)
    assert judged(bgr[..., ::-1], bgr[..., ::-1], bgr[::-1], bgr[::-1], bgr.copy()) == ["", REPEATED, "", REPEATED, ""]


def test_memory_that_is_used_again_is_no_repetition():
    liveness, buffer = Liveness(), np.empty_like(ROOM)
    for seed in range(5):
        buffer[:] = noisy(ROOM, seed)
        assert liveness.complaint(buffer) == ""
    assert liveness.complaint(buffer) == REPEATED


def test_another_size_or_depth_is_another_image():
    assert judged(HEAT, HEAT[:, :80].copy(), HEAT.astype(np.float32)) == ["", "", ""]


@pytest.mark.parametrize("value", [0, 7, 255])
def test_one_colour_all_over_shows_nothing(value):
    assert judged(np.full((48, 64, 3), value, np.uint8)) == [f"all pixels are {value}"]
    assert judged(np.full((120, 160), value, np.uint16)) == [f"all pixels are {value}"]


def test_one_pixel_is_enough_to_be_no_single_colour():
    image = np.zeros((48, 64, 3), np.uint8)
    image[1, 1] = 9
    assert judged(image) == [""]


@pytest.mark.parametrize(("share", "dead"), [(0.6, True), (0.4, False)])
def test_more_than_half_dead_is_dead(share, dead):
    rows = round(120 * share)
    lost = HEAT.astype(np.float32) / 100
    lost[:rows] = np.nan
    full = HEAT.copy()
    full[:rows] = 65535
    assert bool(judged(lost)[0]) == dead and bool(judged(full)[0]) == dead
    if dead:
        assert "no numbers" in judged(lost)[0] and "saturated" in judged(full)[0]


def test_nan_that_repeats_is_known_by_its_bytes():
    lost = HEAT.astype(np.float32) / 100
    lost[3, 3] = np.nan
    assert judged(lost, lost.copy()) == ["", REPEATED]


def test_an_image_of_noise_alone_is_none():
    assert "noise" in judged(RNG.integers(0, 65535, (120, 160), dtype=np.uint16))[0]
    assert "noise" in judged(RNG.normal(30, 1, (120, 160)).astype(np.float32))[0]
    assert "noise" in judged(RNG.integers(0, 255, (120, 160, 3), dtype=np.uint8))[0]
    in_the_dark = np.clip(ROOM / 20 + RNG.normal(0, 3, ROOM.shape), 0, 255).astype(np.uint8)
    assert judged(in_the_dark) == [""], "a dark room has its shapes still"


def test_a_cool_even_scene_with_sensor_noise_is_a_scene():
    """A gradient of 1 degree over the image, noise of 0.05 degrees as of a Lepton."""
    scene = 22 + X / 160 + RNG.normal(0, 0.05, HEAT.shape)
    assert judged(scene.astype(np.float32)) == [""]
