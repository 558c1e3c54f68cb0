"""The layers that remember: equal to their definition, and to themselves however a stream is cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from rppg_ros.models.norm import INSTANCE_NORM_EPS, InstanceNorm  # noqa: E402
from rppg_ros.models.stream_state import CausalConv, RunningMean, RunningNorm, StreamState  # noqa: E402


def in_chunks(layer, x, lengths):
    """What a layer gives for a stream cut into pieces of these lengths, the last of which repeats."""
    past, parts, at = None, [], 0
    lengths = list(lengths)
    while at < x.shape[2]:
        length = lengths.pop(0) if len(lengths) > 1 else lengths[0]
        stream = StreamState(past)
        parts.append(layer(x[:, :, at : at + length], stream))
        past, at = stream.kept, at + length
    return torch.cat(parts, dim=2)


@settings(deadline=None, max_examples=40)
@given(frames=st.integers(1, 40), memory=st.integers(1, 50), seed=st.integers(0, 2**31))
def test_running_mean_is_the_mean_of_the_past_with_fading_weights(frames, memory, seed):
    x = torch.rand(2, 3, frames, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = RunningMean(memory)(x, StreamState())
    for t in range(frames):
        weights = (1 - 1 / memory) ** torch.arange(t, -1, -1, dtype=torch.float64)
        torch.testing.assert_close(found[:, :, t], (x[:, :, : t + 1] * weights).sum(2) / weights.sum())


def test_running_norm_of_a_first_frame_is_the_norm_of_that_frame():
    x = 5 + 3 * torch.rand(2, 4, 6, 5, 5)
    first = RunningNorm(4)(x, StreamState())[:, :, 0]
    torch.testing.assert_close(
        first, torch.nn.functional.instance_norm(x[:, :, 0], eps=INSTANCE_NORM_EPS), rtol=1e-4, atol=1e-4
    )


def test_running_norm_with_a_long_memory_comes_to_the_clips_norm():
    torch.manual_seed(0)
    x = torch.rand(1, 2, 300, 4, 4, dtype=torch.float64)
    whole = torch.nn.functional.instance_norm(x, eps=INSTANCE_NORM_EPS)
    torch.testing.assert_close(RunningNorm(2, memory=10**9)(x, StreamState())[:, :, -1], whole[:, :, -1])


def test_running_norm_follows_a_light_that_is_switched_on():
    x = torch.rand(1, 1, 2000, 4, 4)
    x[:, :, 500:] = 20 + 10 * x[:, :, 500:]
    late = RunningNorm(1)(x, StreamState())[:, :, 1900:]
    assert abs(late.mean()) < 0.05 and abs(late.std() - 1) < 0.05


@settings(deadline=None, max_examples=40)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8), seed=st.integers(0, 2**31))
@pytest.mark.parametrize("layer", ["look", "mean", "norm"])
def test_cutting_a_stream_changes_nothing(layer, lengths, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(2, 4, 23, 3, 2, generator=generator, dtype=torch.float64)
    conv = torch.nn.Conv3d(4, 4, (3, 1, 1), dilation=(2, 1, 1)).double()
    made = {"look": CausalConv(conv, 4), "mean": RunningMean(9), "norm": RunningNorm(4, 9)}[layer]
    x = x[..., 0, 0] if layer == "mean" else x
    with torch.no_grad():
        torch.testing.assert_close(in_chunks(made, x, lengths), made(x, StreamState()))


def test_a_state_of_another_network_is_refused():
    with pytest.raises(ValueError, match=r"state 0 is \(1, 9\), not \(B, 4\)"):
        RunningMean()(torch.zeros(1, 3, 2), StreamState([torch.zeros(1, 9)]))


def test_instance_norm_is_torchs():
    x = 100 + 30 * torch.randn(2, 3, 20, 8, 9, dtype=torch.float64)
    torch.testing.assert_close(InstanceNorm()(x), torch.nn.functional.instance_norm(x, eps=INSTANCE_NORM_EPS))


def test_instance_norm_keeps_its_digits_on_a_long_clip():
    x = 100 + torch.randn(1, 1, 600, 72, 72)
    exact = InstanceNorm()(x.double())
    assert (InstanceNorm()(x) - exact).abs().max() < 1e-5 * exact.abs().max()


@pytest.mark.parametrize("layer", [RunningMean(45), RunningNorm(4)], ids=["mean", "norm"])
def test_mixed_precision_leaves_the_running_layers_their_digits(layer):
    x = 100 + torch.randn(2, 4, 60, 3, 3, generator=torch.Generator().manual_seed(1))
    x = x if isinstance(layer, RunningNorm) else x[..., 0, 0]
    with torch.autocast("cpu", torch.bfloat16):
        mixed = layer(x, StreamState())
    torch.testing.assert_close(mixed, layer(x, StreamState()))


@pytest.mark.parametrize("transposed", [False, True])
def test_gradients_of_the_running_norm_are_right(transposed):
    x = torch.randn(2, 3, 5, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    x = x.transpose(1, 2).contiguous().transpose(1, 2) if transposed else x
    norm = RunningNorm(3)
    assert torch.autograd.gradcheck(lambda x: norm(x, StreamState()), x.requires_grad_())
