"""Waves from steps: learnt differences added up again."""

import math

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from rppg_ros.models.saved import Provenance, load, save, untrained  # noqa: E402
from rppg_ros.models.summed import FADE_S, Summed, steps_of  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402


class Steps(torch.nn.Module):
    """Gives the steps that it is given."""

    config = None

    def forward(self, x, targets=None, attend=None):
        return {Vital.BVP: x}


def test_steps_go_to_the_next_sample_and_end_with_none():
    assert steps_of(torch.tensor([[1.0, 4.0, 2.0]])).tolist() == [[3.0, -2.0, 0.0]]
    assert torch.isnan(steps_of(torch.tensor([[1.0, torch.nan, 2.0]]))[0, :2]).all()


@given(hz=st.floats(0.15, 4.0), phase=st.floats(0, 6))
def test_the_sum_of_a_waves_steps_is_the_wave(hz, phase):
    rate_hz = 30.0
    t = torch.arange(1200) / rate_hz
    wave = torch.sin(6.2831853 * hz * t + phase)[None]
    found = Summed(Steps(), rate_hz)(steps_of(wave))[Vital.BVP]
    a, b = (x[:, 400:1000] - x[:, 400:1000].mean() for x in (found, wave))
    r = float((a * b).sum() / (a.norm() * b.norm()))
    turns = 2 * math.pi * hz * FADE_S  # a sum that fades is a low-pass: slow waves lead by atan(1 / turns)
    assert r == pytest.approx(turns / math.hypot(1, turns), abs=0.02)


def test_an_error_that_stays_does_not_run_away():
    found = Summed(Steps(), 30.0)(torch.ones(1, 3000))[Vital.BVP]
    assert 55 < float(found[0, -1]) < 61 and float(found[0, 0]) == 0, "the sum of 2 s"


def test_a_checkpoint_keeps_it(tmp_path):
    made = untrained("mmrphys", 1, {"size": "S", "attention": "none"})
    about = Provenance(frames=32, rate_hz=25.0)
    save(Summed(made.network, 25.0), "mmrphys", about, tmp_path / "a.pt")
    found = load(tmp_path / "a.pt").network
    assert isinstance(found, Summed) and found.rate_hz == 25.0
    clip = 255 * torch.rand(1, 3, 33, 9, 9, generator=torch.Generator().manual_seed(1))
    plain, summed = made.network(clip)[Vital.BVP], found(clip)[Vital.BVP]
    expected = Summed(Steps(), 25.0)(plain)[Vital.BVP]
    torch.testing.assert_close(summed, expected)
    save(made.network, "mmrphys", about, tmp_path / "b.pt")
    assert not isinstance(load(tmp_path / "b.pt").network, Summed)
