"""The adaptive spatial filter: a mask that sums to one, its mean, and the first difference of that."""

import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models.asf import AdaptiveSpatialFilter  # noqa: E402
from rppg_ros.models.stream_state import StreamState  # noqa: E402


@pytest.fixture
def spatial():
    torch.manual_seed(5)
    return AdaptiveSpatialFilter(6, 4).eval()


def test_mask_sums_to_one_in_each_frame(spatial):
    mask = spatial.mask(10 * torch.randn(2, 6, 7, 5, 4))
    assert mask.shape == (2, 7, 20) and (mask >= 0).all()
    torch.testing.assert_close(mask.sum(dim=2), torch.ones(2, 7))


def test_level_is_the_weighed_mean_and_change_its_first_difference(spatial):
    x = torch.randn(2, 6, 7, 5, 4)
    with torch.no_grad():
        both = spatial(x, StreamState())
        seen = (spatial.mask(x)[:, None] * x.flatten(3)).sum(dim=3).transpose(1, 2)
        level = spatial.encode(seen).transpose(1, 2)
    assert both.shape == (2, 8, 7)
    torch.testing.assert_close(both[:, :4], level)
    assert torch.equal(both[:, 4:, 0], torch.zeros(2, 4))
    torch.testing.assert_close(both[:, 4:, 1:], level[:, :, 1:] - level[:, :, :-1])


def test_difference_goes_on_across_a_cut(spatial):
    x = torch.randn(1, 6, 7, 5, 4)
    with torch.no_grad():
        first = StreamState()
        before = spatial(x[:, :, :3], first)
        after = spatial(x[:, :, 3:], StreamState(first.kept))
        torch.testing.assert_close(torch.cat([before, after], dim=2), spatial(x, StreamState()))
