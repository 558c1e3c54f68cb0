"""How large a wave is: independent of the network's own scale, causal where it must be, and learnt."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models.level import TONES, ClipLevel, RunningLevel, RunningPower, Tones  # noqa: E402
from rppg_ros.models.stream_state import MEMORY_FRAMES, StreamState  # noqa: E402
from rppg_ros.training.losses import level_loss, power_db  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402

TEN = Tones(0.04, 0.24, 10)
RATE_HZ = 15.0


def people(generator, count, frames=180):
    """Half of them alive: waves (n, T), features (n, 4, T, 3, 3) and truth (n, T)."""
    time = torch.arange(frames) / RATE_HZ
    hz = 0.8 + 2 * torch.rand(count, 1, generator=generator)
    lives = (torch.arange(count) % 2 == 0).float()[:, None]
    truth = lives * torch.sin(2 * torch.pi * hz * time)
    waves = truth + 0.7 * torch.randn(count, frames, generator=generator)
    features = truth[:, None, :, None, None] + torch.randn(count, 4, frames, 3, 3, generator=generator)
    return waves, features, truth


@pytest.mark.parametrize("stride", [1, 4])
def test_a_window_is_standardised_and_then_made_smaller(stride):
    torch.manual_seed(1)
    level = ClipLevel(TEN, 4).eval()
    torch.nn.init.normal_(level.expectation.last.weight)
    waves, features, _ = people(torch.Generator().manual_seed(2), 6)
    features = features[:, :, ::stride]
    out = level(waves, features)
    assert torch.allclose(level(1000 * waves + 3, 5 * features - 1), out, atol=1e-4), "any unit will do"
    standard = (waves - waves.mean(1, keepdim=True)) / waves.std(1, keepdim=True, correction=0)
    size = (out * standard).mean(1)
    assert ((size > 0) & (size < 1)).all() and torch.allclose(out, size[:, None] * standard, atol=1e-5)
    assert torch.isfinite(level(torch.zeros(1, 180), torch.zeros(1, 4, 180 // stride, 3, 3))).all()


def test_while_it_learns_it_looks_at_a_part_of_the_window():
    torch.manual_seed(1)
    level = ClipLevel(TEN, 4)
    torch.nn.init.normal_(level.expectation.last.weight)
    waves, features, _ = people(torch.Generator().manual_seed(2), 1)
    sizes = {float(level(waves, features).detach().std()) for _ in range(20)}
    assert len(sizes) > 10
    level.eval()
    assert len({float(level(waves, features).detach().std()) for _ in range(3)}) == 1


def test_the_backbone_is_not_moved_by_what_says_how_large():
    """The expectation's gradient ends at the features: only the wave itself teaches what is below it."""
    torch.manual_seed(1)
    waves, features, truth = people(torch.Generator().manual_seed(2), 4)
    features.requires_grad_()
    level_loss(ClipLevel(TEN, 4)(waves.requires_grad_(), features), truth).backward()
    assert features.grad is None and waves.grad.abs().max() > 0


def trained(level, forward, steps=150):
    generator = torch.Generator().manual_seed(7)
    optimiser = torch.optim.Adam(level.parameters(), 3e-3)
    torch.manual_seed(8)
    for _ in range(steps):
        waves, features, truth = people(generator, 16)
        loss = level_loss(forward(waves, features), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    waves, features, _ = people(torch.Generator().manual_seed(99), 64)
    with torch.no_grad():
        decibels = power_db(forward(waves, features)[:, 90:])
    return float(decibels[::2].mean() - decibels[1::2].mean())


def test_a_window_learns_to_be_faint_where_nobody_lives():
    torch.manual_seed(3)
    level = ClipLevel(TONES[Vital.BVP], 4)

    def forward(waves, features):
        return level(waves, features)

    assert trained(level, forward) > 10


def test_a_stream_learns_to_be_faint_where_nobody_lives():
    torch.manual_seed(3)
    level = RunningLevel(TONES[Vital.BVP], 4)

    def forward(waves, features):
        return level(waves, features.mean((3, 4)), StreamState())

    assert trained(level, forward) > 10


def test_power_of_a_stream_is_that_of_its_fading_past():
    wave = np.random.default_rng(1).normal(size=70)
    power = RunningPower(TEN)(torch.from_numpy(wave)[None, None], StreamState())[0].numpy()
    decay = 1 - 1 / MEMORY_FRAMES
    for t in (0, 1, 30, 69):
        past = np.arange(t + 1)
        weights = decay ** (t - past) * wave[: t + 1]
        for k, tone in enumerate(np.linspace(TEN.low, TEN.high, TEN.count)):
            assert power[k, t] == pytest.approx(abs((weights * np.exp(-2j * np.pi * tone * past)).sum()) ** 2, rel=1e-9)


@pytest.mark.parametrize("cuts", [(1,), (7, 8), (30, 31, 60)])
def test_a_stream_may_be_cut_anywhere(cuts):
    torch.manual_seed(1)
    level = RunningLevel(TEN, 3).double()
    torch.nn.init.normal_(level.expectation.last.weight)
    wave, features = torch.randn(2, 80, dtype=torch.float64), torch.randn(2, 3, 80, dtype=torch.float64)
    whole, state, pieces = level(wave, features, StreamState()), None, []
    for first, last in zip((0, *cuts), (*cuts, 80), strict=True):
        stream = StreamState(state)
        pieces.append(level(wave[:, first:last], features[:, :, first:last], stream))
        state = stream.kept
    assert torch.allclose(torch.cat(pieces, 1), whole, rtol=0, atol=1e-9)


def test_a_stream_begins_quietly():
    """One sample has no deviation: nothing is divided by it."""
    level = RunningLevel(TEN, 3)
    out = level(torch.full((1, 5), 40.0), torch.zeros(1, 3, 5), StreamState())
    assert torch.isfinite(out).all() and out.abs().max() < 1


def test_tones_of_a_sparser_wave_are_the_same_frequencies():
    assert TEN.every(2) == Tones(0.08, 0.48, 10)
