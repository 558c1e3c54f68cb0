"""The temporal shift and the soft mask."""

import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models.mask import SoftMask  # noqa: E402
from rppg_ros.models.shift import temporal_shift  # noqa: E402


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("axis", [2, 3])
def test_thirds_look_ahead_back_and_nowhere(channels, axis):
    x = torch.rand(2, channels, 5, 6, 3)
    y = temporal_shift(x, axis)
    fold, last = channels // 3, x.shape[axis] - 1
    at = x.movedim(axis, 0), y.movedim(axis, 0)
    for t in range(last + 1):
        after = at[0][t + 1] if t < last else torch.zeros_like(at[0][t])
        before = at[0][t - 1] if t else torch.zeros_like(at[0][t])
        assert torch.equal(at[1][t][:, :fold], after[:, :fold])
        assert torch.equal(at[1][t][:, fold : 2 * fold], before[:, fold : 2 * fold])
        assert torch.equal(at[1][t][:, 2 * fold :], at[0][t][:, 2 * fold :])


def test_shift_of_a_single_frame_keeps_only_what_stays():
    x = torch.rand(1, 6, 1, 2, 2)
    assert torch.equal(temporal_shift(x)[:, :4], torch.zeros(1, 4, 1, 2, 2))
    assert torch.equal(temporal_shift(x)[:, 4:], x[:, 4:])


@pytest.mark.parametrize(("dims", "shape"), [(2, (3, 4, 5, 6)), (3, (2, 4, 7, 5, 6))])
def test_mask_weighs_places_by_one_half_on_average(dims, shape):
    torch.manual_seed(0)
    mask = SoftMask(4, dims)
    x = torch.rand(shape)
    weights = mask(x) / x
    torch.testing.assert_close(weights, weights[:, :1].expand_as(weights))
    torch.testing.assert_close(weights.mean(dim=(-2, -1)), torch.full(weights.shape[:-2], 0.5))
    gate = torch.sigmoid(mask.conv(x))
    height, width = shape[-2:]
    paper = height * width * gate / (2 * gate.abs().sum(dim=(-2, -1), keepdim=True))
    torch.testing.assert_close(weights, paper.expand_as(weights))
