import numpy as np
import pytest

from rppg_ros.vision.thermal import NormalisationWatch, Radiometry, can_be_skin, face_level, guessed_scale


def test_counts_become_degrees():
    raw = np.array([[30715, 30815]], np.uint16)
    celsius, radiometric = Radiometry(0.01, -273.15).apply(raw)
    assert radiometric and celsius.dtype == np.float32
    np.testing.assert_allclose(celsius, [[34.0, 35.0]], atol=1e-3)
    kelvin, _ = Radiometry(0.01, 0.0, "kelvin").apply(raw)
    np.testing.assert_allclose(kelvin, celsius, atol=2e-3)
    floats, radiometric = Radiometry(unit="kelvin").apply(np.array([[307.15]], np.float32))
    assert radiometric and floats[0, 0] == pytest.approx(34.0, abs=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_counts_without_a_scale_are_no_temperatures(dtype):
    values, radiometric = Radiometry().apply(np.array([[5, 200]], dtype))
    assert not radiometric and values.tolist() == [[5.0, 200.0]]


def test_dead_pixels_take_the_median():
    image = np.full((4, 4), 30.0, np.float32)
    image[0, 0], image[1, 1] = np.nan, np.inf
    assert np.all(Radiometry().apply(image)[0] == 30.0)


def test_unknown_unit_is_named():
    with pytest.raises(ValueError, match="fahrenheit"):
        Radiometry(unit="fahrenheit")


def test_frames_stretched_to_full_range_are_noticed():
    stretched, honest = NormalisationWatch(), NormalisationWatch()
    rng = np.random.default_rng(0)
    for _ in range(100):
        image = rng.integers(20, 200, (12, 16)).astype(np.uint8)
        honest.push(image)
        image.flat[0], image.flat[1] = 0, 255
        stretched.push(image)
    assert stretched.normalised and not honest.normalised


def test_a_face_is_as_warm_as_the_middle_of_its_crop():
    crop = np.full((36, 36), 22.0, np.float32)
    crop[12:24, 12:24] = 34.0
    crop[12:16, 12:24] = 27.0  # hair
    assert face_level(crop) == pytest.approx(34.0)
    assert face_level(np.full((1, 1), 30.0, np.float32)) == 30.0


@pytest.mark.parametrize(
    ("celsius", "can"),
    [(34, True), (15, True), (45, True), (14.9, False), (45.1, False), (-243, False), (np.nan, False)],
)
def test_what_can_be_skin(celsius, can):
    assert can_be_skin(celsius) is can


@pytest.mark.parametrize(
    ("counts", "meant", "guess"),
    [
        (30715, Radiometry(0.1, -273.15), "thermal.scale 0.01, thermal.offset 0 and thermal.unit kelvin"),
        (3071, Radiometry(0.01, -273.15), "thermal.scale 0.1, thermal.offset 0 and thermal.unit kelvin"),
        (3400, Radiometry(0.01, 0.0, "kelvin"), "thermal.scale 0.01, thermal.offset 0 and thermal.unit celsius"),
        (7679, Radiometry(0.01, -273.15), "thermal.scale 0.04, thermal.offset 0 and thermal.unit kelvin"),
        (60000, Radiometry(0.01, -273.15), ""),
    ],
)
def test_usual_scales_are_tried(counts, meant, guess):
    celsius = float(meant.apply(np.array([[counts]], np.uint16))[0][0, 0])
    assert not can_be_skin(celsius) and guessed_scale(celsius, meant, is_float=False) == guess


def test_of_floats_only_the_unit_can_be_wrong():
    assert guessed_scale(307.15, Radiometry(), is_float=True) == "thermal.unit kelvin"
    assert guessed_scale(34 - 273.15, Radiometry(unit="kelvin"), is_float=True) == "thermal.unit celsius"
    assert guessed_scale(900.0, Radiometry(), is_float=True) == ""
