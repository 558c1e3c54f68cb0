"""PHASE-Net: its size, that a stream gives what a clip gives, and what it refuses."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from rppg_ros.models.gtcn import reach  # noqa: E402
from rppg_ros.models.phasenet import CONTRAST_GAIN, CONTRAST_LIMIT, DARK, Contrast, PhaseNet, PhaseNetConfig  # noqa: E402
from rppg_ros.models.registry import build  # noqa: E402
from rppg_ros.models.stream_state import StreamState  # noqa: E402
from rppg_ros.synthesis.oscillator import DampedOscillator  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402

PAPER_PARAMETERS = 290_000


@pytest.fixture(
    scope="module", params=[(), ("contrast",), ("contrast", "chroma", "level")], ids=["frames", "contrast", "level"]
)
def causal(request):
    torch.manual_seed(7)
    return PhaseNet(PhaseNetConfig(causal=True, pixels=8, **dict.fromkeys(request.param, True))).eval()


@pytest.mark.parametrize("causal", [False, True])
def test_published_parameter_count(causal):
    assert abs(sum(p.numel() for p in build("phasenet", causal=causal).parameters()) / PAPER_PARAMETERS - 1) < 0.01


def test_the_tcn_sees_as_far_as_proposition_2_asks():
    """Taps that come within 5 % of what the oscillator answers at most, for bodies that ring (those that don't only fade)."""
    layers = PhaseNetConfig().layers
    tcn = PhaseNet(PhaseNetConfig(pixels=8)).tcn.eval()
    x = torch.zeros(1, 96, 100, requires_grad=True)
    tcn(x, StreamState())[0, :, -1].sum().backward()
    seen = int((x.grad.abs().sum(dim=(0, 1)) > 0).sum())
    assert seen == reach(layers) == 63
    lengths = []
    for damping in (5.0, 9.0, 18.0):
        for hertz in (0.8, 1.2, 2.0, 4.5):
            if damping < 2 * 2 * math.pi * hertz:
                oscillator = DampedOscillator(damping, hertz, 1 / 30)
                lengths.append(oscillator.fir_length(0.05 * oscillator.tail(0)))
    assert reach(3) < max(lengths) <= seen


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("pixels", "frames"), [(8, 8), (9, 30), (21, 11)])
def test_any_crop_and_length(causal, pixels, frames):
    network = build("phasenet", causal=causal, pixels=pixels).eval()
    with torch.no_grad():
        bvp = network(255 * torch.rand(2, 3, frames, pixels, pixels))[Vital.BVP]
    assert bvp.shape == (2, frames) and torch.isfinite(bvp).all()


@settings(deadline=None, max_examples=10)
@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6), seed=st.integers(0, 2**31))
def test_a_stream_in_chunks_of_any_length_gives_what_the_clip_gives(causal, lengths, seed):
    clip = 255 * torch.rand(2, 3, 28, 8, 8, generator=torch.Generator().manual_seed(seed))
    state, parts, at, i = None, [], 0, 0
    with torch.no_grad():
        while at < clip.shape[2]:
            length = lengths[i % len(lengths)]
            waves, state = causal.stream(clip[:, :, at : at + length], state)
            parts.append(waves[Vital.BVP])
            at, i = at + length, i + 1
        whole = causal(clip)[Vital.BVP]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-4, atol=1e-4 * whole.abs().max().item())


def test_no_state_is_a_state_of_zeros(causal):
    clip = 255 * torch.rand(1, 3, 5, 8, 8)
    zeros = [torch.zeros(1, *shape) for shape in causal.state_shapes()]
    with torch.no_grad():
        assert torch.equal(causal.stream(clip)[0][Vital.BVP], causal.stream(clip, zeros)[0][Vital.BVP])


def test_contrast_is_the_share_by_which_a_place_differs_from_its_own_mean():
    clip = torch.full((1, 3, 60, 2, 2), 100.0)
    clip[:, :, -1] = 101.0
    seen = Contrast()(clip, StreamState())
    assert seen[:, :, :-1].abs().max() < 1e-3
    assert seen[0, 0, -1, 0, 0].item() == pytest.approx(CONTRAST_GAIN / (100 + DARK), rel=0.05)
    clip[:, :, -1] = 200.0
    assert Contrast()(clip, StreamState())[:, :, -1].max().item() == CONTRAST_LIMIT
    with pytest.raises(ValueError, match="contrast is for the causal network"):
        PhaseNetConfig(contrast=True)
    with pytest.raises(ValueError, match="level is for the causal network"):
        PhaseNetConfig(level=True)
    with pytest.raises(ValueError, match="chroma is of contrast"):
        PhaseNetConfig(causal=True, chroma=True)


def test_both_have_the_same_layers():
    weights = [{name: t.shape for name, t in build("phasenet", causal=c).state_dict().items()} for c in (False, True)]
    assert [s.numel() for s in weights[0].values()] == [s.numel() for s in weights[1].values()]


def test_the_swap_can_be_left_out():
    torch.manual_seed(0)
    with_swap = build("phasenet", pixels=16).eval()
    without = build("phasenet", pixels=16, swap_share=0.0).eval()
    without.load_state_dict(with_swap.state_dict())
    clip = 255 * torch.rand(1, 3, 16, 16, 16)
    with torch.no_grad():
        assert not torch.allclose(with_swap(clip)[Vital.BVP], without(clip)[Vital.BVP])


def test_what_does_not_fit_is_refused(causal):
    with pytest.raises(ValueError, match="looks ahead: build it with causal=True"):
        build("phasenet", pixels=8).stream(torch.zeros(1, 3, 4, 8, 8))
    with pytest.raises(ValueError, match=r"takes \(B, 3, T, 8, 8\)"):
        causal(torch.zeros(1, 3, 9, 16, 16))
    with pytest.raises(ValueError, match="pixels must be at least 8"):
        PhaseNetConfig(pixels=7)
    with pytest.raises(ValueError, match="layers must be at least 1"):
        PhaseNetConfig(layers=0)


def test_chroma_keeps_a_pulse_through_movement_that_contrast_cuts_off():
    time = torch.arange(120) / 15
    pulse = 0.004 * torch.sin(2 * torch.pi * 1.2 * time)
    light = 1 + 0.2 * torch.sin(2 * torch.pi * 0.9 * time)  # thrice what is let through
    frame = torch.stack([light, light * (1 + pulse), light])[None, :, :, None, None] * 120
    wanted = pulse[60:] - pulse[60:].mean()
    found = {}
    for chroma in (False, True):
        red, green, blue = Contrast(chroma)(frame, StreamState())[0, :, 60:, 0, 0]
        assert torch.allclose(red, blue, atol=1e-3) and red.abs().max() < CONTRAST_LIMIT * 1.3
        found[chroma] = float(torch.corrcoef(torch.stack([green - red, wanted]))[0, 1])
    assert found[True] > 0.95 and found[False] < 0.8, found
    quiet = 100 + torch.rand(1, 3, 60, 2, 2, generator=torch.Generator().manual_seed(1))
    plain, apart = (Contrast(chroma)(quiet, StreamState()) for chroma in (False, True))
    assert torch.allclose(plain, apart, atol=1e-4), "the same where nothing is cut off"
