"""Flow of cells finds known movements, and the breathing branch that sees it learns and leaves the pulse alone."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import cv2  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from rppg_ros.models.flow import LIMIT, CellFlow, SlowView  # noqa: E402
from rppg_ros.models.registry import build  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402


def picture(seed, side=36):
    noise = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return 128 + 40 * smooth / smooth.std()


def moving(shifts, seed=0, side=36):
    """(1, 3, len(shifts), side, side): a picture at places (x, y), pixels."""
    frames = [
        cv2.warpAffine(
            picture(seed, side), np.array([[1.0, 0.0, x], [0.0, 1.0, y]]), (side, side), borderMode=cv2.BORDER_REFLECT
        )
        for x, y in shifts
    ]
    return torch.from_numpy(np.stack(frames)).repeat(3, 1, 1, 1)[None]


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.integers(0, 9))
def test_a_shift_is_found(x, y, seed):
    flow = CellFlow(4)(moving([(0, 0), (x, y)], seed))
    assert flow.shape == (1, 2, 1, 9, 9)
    found = flow[0, :, 0, 1:-1, 1:-1].median(dim=-1).values.median(dim=-1).values
    np.testing.assert_allclose(found.numpy(), [x, y], atol=0.08 * max(abs(x), abs(y)) + 0.02)


def test_what_has_no_edges_does_not_move():
    clip = torch.full((1, 3, 3, 36, 36), 90.0) + torch.arange(3.0)[None, None, :, None, None]
    assert CellFlow(4)(clip).abs().max() == 0


def test_parts_move_each_in_their_own_way():
    up, still = moving([(0, 0), (0, -0.3)]), moving([(0, 0), (0, 0)])
    clip = torch.cat([still[..., :18, :], up[..., 18:, :]], dim=3)
    flow = CellFlow(4)(clip)[0, 1, 0]
    assert flow[:3].abs().max() < 0.02 and flow[6:8].median() == pytest.approx(-0.3, abs=0.05)


def test_the_slow_view_is_bounded_and_of_the_right_shape():
    clip = 255 * torch.rand(2, 3, 33, 36, 36)
    clip[:, :, 20:] += 400
    view = SlowView(4, 2)
    seen = view(clip)
    assert seen.shape == (2, 5, 16, 9, 9) and seen.abs().max() <= LIMIT


def test_waves_come_back_where_they_were():
    view, t = SlowView(4, 4), torch.arange(96.0)
    wave = torch.sin(2 * torch.pi * t / 48)[None]
    back = view.at_frames(view.targets(wave))
    assert back.shape == wave.shape and (back - wave)[:, 4:-4].abs().max() < 0.05


@pytest.mark.parametrize(("size", "side"), [("S", 9), ("M", 36), ("L", 72)])
@pytest.mark.parametrize("attention", ["none", "tsfm"])
def test_a_network_with_it_trains_at_each_size(size, side, attention):
    torch.manual_seed(0)
    network = build("mmrphys", size=size, rsp_step=2, attention=attention, dropout=0.0)
    waves = {vital: torch.sin(torch.arange(32.0) * 0.5).repeat(2, 1) for vital in Vital}
    found = network(255 * torch.rand(2, 3, 33, side, side), waves)
    assert all(found[vital].shape == (2, 32) for vital in Vital)
    sum(wave.square().mean() for wave in found.values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_the_pulse_is_that_of_the_released_network():
    torch.manual_seed(0)
    plain, slow = (build("mmrphys", size="M", attention="none", rsp_step=step).eval() for step in (0, 2))
    slow.branches["bvp"].load_state_dict(plain.branches["bvp"].state_dict())
    clip = 255 * torch.rand(1, 3, 17, 36, 36)
    with torch.no_grad():
        one, other = plain(clip), slow(clip)
    assert torch.equal(one[Vital.BVP], other[Vital.BVP]) and not torch.allclose(one[Vital.RSP], other[Vital.RSP])


@pytest.mark.slow
def test_it_learns_shoulders_that_rise():
    """A picture whose lower part goes up and down with a wave; brightness does not tell the direction."""
    torch.manual_seed(0)
    network = build("mmrphys", size="M", rsp_step=2, attention="none", dropout=0.0, tasks=("rsp",))
    optimiser = torch.optim.Adam(network.branches["rsp"].parameters(), 3e-3)
    t = np.arange(65)
    clips, waves = [], []
    for seed in range(4):
        wave = np.sin(2 * np.pi * t / (24 + 4 * seed) + seed)
        clip = moving([(0, -0.5 * w) for w in wave], seed)
        clip[..., :20, :] = clip[:, :, :1, :20]
        clips.append(clip)
        waves.append(torch.from_numpy(wave[:64]).float())
    x, y = torch.cat(clips), torch.stack(waves)
    for _ in range(60):
        found = network(x)[Vital.RSP]
        r = torch.nn.functional.cosine_similarity(found - found.mean(1, keepdim=True), y - y.mean(1, keepdim=True))
        if r.min() > 0.9:
            break
        optimiser.zero_grad()
        (-r.mean()).backward()
        optimiser.step()
    assert r.min() > 0.9
