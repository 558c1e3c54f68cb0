import numpy as np
import pytest

from rppg_ros.vitals.filters import bandpass, standardise

T = np.arange(0, 30, 1 / 30)


def test_band_passes_without_shift_and_stops_the_rest():
    wanted = np.sin(2 * np.pi * 1.3 * T)
    out = bandpass(wanted + 5 + 0.3 * T + np.sin(2 * np.pi * 9 * T), 30.0, 0.7, 3.0)
    assert np.corrcoef(out[60:-60], wanted[60:-60])[0, 1] > 0.99


def test_an_upper_edge_above_nyquist_is_left_open():
    assert np.isfinite(bandpass(np.sin(T), 5.0, 0.7, 4.0)).all()


@pytest.mark.parametrize("band", [(0, 1), (2, 1), (20, 30)])
def test_impossible_bands_are_refused(band):
    with pytest.raises(ValueError, match="band"):
        bandpass(T, 30.0, *band)


def test_tiny_inputs_give_zeros():
    assert bandpass(np.ones(1), 30.0, 0.7, 3.0).tolist() == [0.0]
    assert not standardise(np.full(9, 1e6)).any()
    assert standardise(T).std() == pytest.approx(1)
