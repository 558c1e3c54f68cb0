"""physFSUNet: its size, its frame differences, and the lengths it takes."""

import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models.physfsunet import STASBlock, neighbour_differences  # noqa: E402
from rppg_ros.models.registry import build  # noqa: E402
from rppg_ros.models.shift import temporal_shift  # noqa: E402
from rppg_ros.types import Vital  # noqa: E402

PAPER_PARAMETERS = 831_000


def test_published_parameter_count():
    assert abs(sum(p.numel() for p in build("physfsunet").parameters()) / PAPER_PARAMETERS - 1) < 0.003


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_differences_around_each_frame_with_the_ends_repeated(frames):
    x = torch.rand(2, 3, frames, 4, 5)
    found = neighbour_differences(x)
    assert found.shape == (2, 12, frames, 4, 5)

    def frame(t):
        return x[:, :, min(max(t, 0), frames - 1)]

    for t in range(frames):
        expected = [frame(t + k) - frame(t + k - 1) for k in (-1, 0, 1, 2)]
        torch.testing.assert_close(found[:, :, t], torch.cat(expected, dim=1))


@pytest.mark.parametrize(("pixels", "frames"), [(16, 8), (20, 12), (32, 40)])
def test_gives_a_sample_for_each_frame(pixels, frames):
    network = build("physfsunet", pixels=pixels).eval()
    with torch.no_grad():
        bvp = network(255 * torch.rand(2, 3, frames, pixels, pixels))[Vital.BVP]
    assert bvp.shape == (2, frames) and torch.isfinite(bvp).all()


def test_brightness_and_contrast_do_not_matter():
    torch.manual_seed(0)
    network = build("physfsunet", pixels=16).eval()
    clip = 255 * torch.rand(1, 3, 16, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(network(clip)[Vital.BVP], network(0.3 * clip + 40)[Vital.BVP], rtol=1e-3, atol=1e-4)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="multiple of 4, not 10"):
        build("physfsunet", pixels=16)(torch.zeros(1, 3, 10, 16, 16))
    with pytest.raises(ValueError, match="pixels must be at least 16"):
        build("physfsunet", pixels=8)


def test_a_stas_block_has_two_levels_of_attention_and_pools_space_before_time():
    torch.manual_seed(0)
    block = STASBlock(6, 9, dropout=0.0).eval()
    x = torch.rand(1, 6, 8, 16, 16)
    level = x
    for conv, mask, pool in zip(block.convs, block.masks, ((1, 2, 2), (2, 2, 2)), strict=True):
        seen = conv(temporal_shift(level))
        gate = torch.sigmoid(mask.conv(seen))
        weighed = seen * gate * gate[0, 0, 0].numel() / (2 * gate.abs().sum(dim=(-2, -1), keepdim=True))
        level = torch.nn.functional.max_pool3d(weighed, pool)
    torch.testing.assert_close(block(x), level)
    assert level.shape == (1, 64, 4, 4, 4)
