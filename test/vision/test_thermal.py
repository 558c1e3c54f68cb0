import numpy as np
import pytest

from rppg_ros.vision.thermal import NormalisationWatch, Radiometry, Registration


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


def test_registration_by_field_of_view_and_by_intrinsics_agree_for_alike_cameras():
    k_rgb = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
    k_thermal = np.array([[150.0, 0, 80], [0, 150, 60], [0, 0, 1]])
    by_view = Registration().matrix((480, 640, 3), (120, 160))
    by_lens = Registration.from_intrinsics(k_rgb, k_thermal).matrix((480, 640, 3), (120, 160))
    np.testing.assert_allclose(by_lens / by_lens[2, 2], by_view, atol=1e-9)
