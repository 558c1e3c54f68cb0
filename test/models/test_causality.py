"""Nothing causal sees the future: a changed frame changes no output before it. What may look ahead does."""

import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models.asf import AdaptiveSpatialFilter  # noqa: E402
from rppg_ros.models.gtcn import KERNEL, GatedBlock, GatedTCN  # noqa: E402
from rppg_ros.models.level import RunningPower, Tones  # noqa: E402
from rppg_ros.models.phasenet import ESTBlock, PhaseNet, PhaseNetConfig, SqueezeGate  # noqa: E402
from rppg_ros.models.stream_state import CausalConv, ClipMean, ClipNorm, RunningMean, RunningNorm, StreamState  # noqa: E402
from rppg_ros.models.zas import axial_swap  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402

FRAMES, AT = 24, 15
LEVELLED = PhaseNetConfig(causal=True, pixels=8, contrast=True, chroma=True, level=True)
CAUSAL, ANY = PhaseNetConfig(causal=True, pixels=8), PhaseNetConfig(pixels=8)


def swap(x, stream):
    return axial_swap(x)


def first_change(layer, shape, at=AT):
    """First frame of the output that differs when frame `at` of the input does, and whether later ones do."""
    torch.manual_seed(3)
    x = torch.rand(1, shape[0], FRAMES, *shape[1:], dtype=torch.float64)
    changed = x.clone()
    changed[:, :, at] = changed[:, :, at].flip(-1) ** 2 + 0.5
    with torch.no_grad():
        difference = (layer(x, StreamState()) - layer(changed, StreamState())).abs()
    return difference.movedim(2, 0).flatten(1).amax(dim=1).nonzero().flatten()


LAYERS = {
    "look": (lambda: CausalConv(torch.nn.Conv1d(4, 4, 3, dilation=2), 4), (4,)),
    "running mean": (RunningMean, (4,)),
    "running norm": (lambda: RunningNorm(4), (4, 5, 5)),
    "squeeze gate": (lambda: SqueezeGate(4, causal=True), (4, 5, 5)),
    "EST block": (lambda: ESTBlock(4, 6, CAUSAL), (4, 8, 8)),
    "spatial filter": (lambda: AdaptiveSpatialFilter(4, 6), (4, 5, 5)),
    "gated block": (lambda: GatedBlock(4, 6, 4, 0.0), (4,)),
    "gated TCN": (lambda: GatedTCN(4, 6, 3, 0.0), (4,)),
    "running power": (lambda: RunningPower(Tones(0.04, 0.24, 6)), (1,)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_causal_layer(name):
    make, shape = LAYERS[name]
    torch.manual_seed(1)
    moved = first_change(make().double().eval(), shape)
    assert moved[0] == AT


def test_axial_swap_stays_in_its_frame():
    assert first_change(swap, (4, 5, 5)).tolist() == [AT]


@pytest.mark.parametrize("at", [0, 1, 15, FRAMES - 1])
@pytest.mark.parametrize("config", [CAUSAL, LEVELLED], ids=["plain", "levelled"])
def test_causal_network(config, at):
    torch.manual_seed(1)
    whole = PhaseNet(config).double().eval()
    silent = config.level and at == 0  # one sample has no deviation
    assert first_change(lambda x, stream: whole(255 * x)[Vital.BVP][:, None], (3, 8, 8), at)[0] == at + silent


LOOKING_AHEAD = {
    "clip norm": (lambda: ClipNorm(4), (4, 5, 5)),
    "squeeze gate": (lambda: SqueezeGate(4, causal=False), (4, 5, 5)),
    "EST block": (lambda: ESTBlock(4, 6, ANY), (4, 8, 8)),
}


@pytest.mark.parametrize("name", LOOKING_AHEAD)
def test_the_papers_layers_look_ahead(name):
    """So that the test above would notice."""
    make, shape = LOOKING_AHEAD[name]
    torch.manual_seed(1)
    assert first_change(make().double().eval(), shape)[0] == 0


def test_the_papers_network_looks_ahead():
    torch.manual_seed(1)
    whole = PhaseNet(ANY).double().eval()
    assert first_change(lambda x, stream: whole(255 * x)[Vital.BVP][:, None], (3, 8, 8))[0] == 0


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_receptive_field_of_the_tcn(layers):
    torch.manual_seed(2)
    tcn = GatedTCN(3, 5, layers, 0.0).double().eval()
    x = torch.rand(1, 3, 64, dtype=torch.float64, requires_grad=True)
    tcn(x, StreamState())[0, :, -1].sum().backward()
    seen = x.grad.abs().sum(dim=(0, 1)).nonzero().flatten()
    assert seen.min() == 64 - (1 + (KERNEL - 1) * (2**layers - 1)) and seen.max() == 63


def test_clip_mean_is_of_the_clip():
    x = torch.rand(1, 2, 9)
    torch.testing.assert_close(ClipMean()(x, StreamState())[..., 0], x.mean(dim=2))
