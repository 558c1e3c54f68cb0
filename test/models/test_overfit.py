"""Every network learns a tiny clip by heart: its layers, its loss and their gradients fit together."""

import math

import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models.registry import build  # noqa: E402
from rppg_ros.training.losses import DynamicHybridLoss, negative_pearson, smooth_l1_multitask  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402

RATE_HZ = 30.0
LEARNT = -0.95
RATES = {"efficientphys": 2e-3, "factorizephys": 2e-3}
"""Of learning, where another is quicker than 5e-3."""
HEART_HZ, BREATH_HZ = (1.1, 1.7), (0.6, 0.45)


def clips(channels: int, frames: int, side: int, pad: int):
    """Two textured faces whose skin pulses and moves with the breath, the truth of each, and noise as strong as the pulse."""
    generator = torch.Generator().manual_seed(3)
    t = torch.arange(frames + pad) / RATE_HZ
    pulse = torch.stack([torch.sin(2 * math.pi * hz * t + i) for i, hz in enumerate(HEART_HZ)])
    breath = torch.stack([torch.sin(2 * math.pi * hz * t - i) for i, hz in enumerate(BREATH_HZ)])
    texture = 90 + 60 * torch.rand(2, channels, 1, side, side, generator=generator)
    skin = (torch.rand(2, 1, 1, side, side, generator=generator) > 0.4).float()
    strength = torch.tensor([1.0, 2.0, 0.6, 0.0])[:channels].reshape(1, -1, 1, 1, 1)
    warmth = torch.tensor([0.5, 0.5, 0.5, 3.0])[:channels].reshape(1, -1, 1, 1, 1)
    x = texture + skin * (strength * pulse[:, None, :, None, None] + warmth * breath[:, None, :, None, None])
    x = x + torch.randn(x.shape, generator=generator)
    return x, {Vital.BVP: pulse[:, :frames], Vital.RSP: breath[:, :frames]}


def learn(network, x, targets, loss, steps: int, rate: float) -> float:
    """Train until the worst task's correlation is above 0.95; returns the worst negative Pearson of the last step."""
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    worst = 1.0
    for step in range(steps):
        waves = network(x, targets)
        worst = max(negative_pearson(wave, targets[task]).item() for task, wave in waves.items())
        if worst < LEARNT:
            break
        optimiser.zero_grad()
        loss(waves, step).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)  # a hybrid loss starts at 50; Adam never forgets that
        optimiser.step()
    return worst


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "config", "channels", "frames"),
    [
        ("mmrphys", {"size": "S"}, 3, 64),
        ("mmrphys", {"size": "S", "attention": "fsam"}, 3, 64),
        ("mmrphys", {"size": "S", "attention": "none", "cameras": ("rgb", "thermal"), "fusion": "NF"}, 4, 64),
        ("mmrphys", {"size": "S", "cameras": ("rgb", "thermal"), "fusion": "LF"}, 4, 64),
        ("mmrphys", {"size": "M"}, 3, 64),
        ("factorizephys", {"attention": "none"}, 3, 48),
        ("factorizephys", {"attention": "fsam", "residual": False}, 3, 48),
        ("factorizephys", {"attention": "tsfm", "attend_at_inference": False}, 3, 48),
        ("efficientphys", {"attention": "sasn", "pixels": 24}, 3, 40),
        ("efficientphys", {"attention": "fsam", "pixels": 36}, 3, 40),
        ("phasenet", {"pixels": 8}, 3, 64),
        ("phasenet", {"pixels": 8, "causal": True}, 3, 64),
    ],
)
def test_learns_a_tiny_clip(name, config, channels, frames):
    torch.manual_seed(0)
    network = build(name, **{"dropout": 0.0, **config} if name != "efficientphys" else config).train()
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    x, targets = clips(channels, frames, network.config.pixels, network.config.pad_frames)
    tasks = {task: targets[task] for task in network.config.tasks}

    def loss(waves, step):
        if len(tasks) > 1:
            return smooth_l1_multitask(waves, tasks)
        return negative_pearson(waves[Vital.BVP], tasks[Vital.BVP])

    assert learn(network, x, targets, loss, steps=200, rate=RATES.get(name, 5e-3)) < LEARNT


@pytest.mark.slow
def test_physfsunet_learns_a_tiny_clip_by_its_hybrid_loss():
    torch.manual_seed(0)
    network = build("physfsunet", pixels=16, dropout=0.0).train()
    x, targets = clips(3, 128, 16, 0)
    hybrid = DynamicHybridLoss(epochs=30, rate_hz=RATE_HZ, spectrum_as_logits=True)

    def loss(waves, step):
        return hybrid(waves[Vital.BVP], targets[Vital.BVP], epoch=1 + step // 10)

    assert learn(network, x, targets, loss, steps=200, rate=1e-3) < LEARNT
