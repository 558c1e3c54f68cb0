"""Windows for training: shapes, the same for the same seed, shared out among workers, true."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from rppg_ros.models.registry import build, configure  # noqa: E402
from rppg_ros.training.data import SyntheticWindows, WindowSpec, synthetic_window  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402
from rppg_ros.vitals.registry import HEART_RATE  # noqa: E402
from rppg_ros.vitals.spectrum import find_peak, spectrum  # noqa: E402

SMALL = WindowSpec(cameras=("rgb",), pixels=9, frames=40, pad_frames=1)


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("mmrphys", {"size": "S"}),
        ("mmrphys", {"size": "S", "cameras": ("rgb", "thermal"), "fusion": "NF"}),
        ("mmrphys", {"size": "S", "cameras": ("thermal",)}),
        ("phasenet", {"pixels": 16, "causal": True}),
    ],
)
def test_a_window_fits_its_network(family, options):
    config = configure(family, **options)
    window, waves = synthetic_window(WindowSpec.of(config, 48), 3)
    network = build(family, **options).eval()
    with torch.no_grad():
        assert network(window[None])[Vital.BVP].shape == (1, 48)
    assert window.dtype == torch.float32 and set(waves) == set(Vital)
    assert all(wave.shape == (48,) and torch.isfinite(wave).all() for wave in waves.values())
    if "thermal" in config.cameras:
        assert 100 < window[-1].mean() < 400, "degrees times ten"


def test_the_same_seed_is_the_same_window():
    one, same, other = (synthetic_window(SMALL, seed)[0] for seed in (5, 5, 6))
    assert torch.equal(one, same) and not torch.equal(one, other)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_share_the_windows(workers):
    found = [wave["bvp"][0] for _, wave in DataLoader(SyntheticWindows(SMALL, 100, 6), None, num_workers=workers)]
    expected = [synthetic_window(SMALL, 100 + i)[1][Vital.BVP] for i in range(6)]
    assert sorted(float(value) for value in found) == sorted(float(wave[0]) for wave in expected)


def test_the_pulse_is_where_the_truth_says():
    """In easy scenes the mean green follows the wave, upside down."""
    spec = WindowSpec(cameras=("rgb",), pixels=36, frames=300, hardness=(0.0, 0.0))
    right = 0
    for seed in range(8):
        window, waves = synthetic_window(spec, seed)
        green = window[1, :, 12:26, 12:24].mean(dim=(1, 2)).numpy()
        rates = [find_peak(spectrum(curve, 30.0), HEART_RATE).hz * 60 for curve in (green, waves[Vital.BVP].numpy())]
        right += abs(np.subtract(*rates)) < 4
    assert right >= 5


def test_the_lifeless_have_flat_waves_and_the_same_faces():
    spec = WindowSpec(cameras=("rgb",), pixels=16, frames=40, hardness=(0.1, 0.1))
    dead = WindowSpec(cameras=("rgb",), pixels=16, frames=40, hardness=(0.1, 0.1), lifeless=1.0)
    (living, waves), (wax, flat) = synthetic_window(spec, 5), synthetic_window(dead, 5)
    assert all(wave.std() > 0.1 for wave in waves.values()) and not any(wave.any() for wave in flat.values())
    assert living.shape == wax.shape and (living - wax).abs().mean() < 4
    some = WindowSpec(cameras=("rgb",), pixels=8, frames=16, lifeless=0.5)
    shares = [bool(synthetic_window(some, seed)[1][Vital.BVP].any()) for seed in range(24)]
    assert 5 < sum(shares) < 19


def test_a_rhythm_of_the_world_is_in_some_windows():
    spec, shaken = (
        WindowSpec(cameras=("rgb",), pixels=8, frames=40, hardness=(0, 0), rhythm=share) for share in (0.0, 1.0)
    )
    changes = [
        [float(synthetic_window(one, seed)[0].mean(dim=(0, 2, 3)).std()) for seed in range(12)]
        for one in (spec, shaken)
    ]
    assert sum(b > a + 0.05 for a, b in zip(*changes, strict=True)) >= 4
