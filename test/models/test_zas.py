"""The axial swap: its formula, that it undoes itself and keeps every norm, for sizes of any kind."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from rppg_ros.models.zas import axial_swap  # noqa: E402

sizes = st.integers(1, 11)
clips = st.builds(
    lambda batch, channels, frames, height, width, seed: torch.rand(
        batch, channels, frames, height, width, generator=torch.Generator().manual_seed(seed)
    ),
    st.integers(1, 2),
    st.integers(1, 9),
    st.integers(1, 3),
    sizes,
    sizes,
    st.integers(0, 2**31),
)
shares = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])
blocks = st.integers(1, 5)


@settings(deadline=None)
@given(x=clips, share=shares, block=blocks)
def test_undoes_itself(x, share, block):
    assert torch.equal(axial_swap(axial_swap(x, share, block), share, block), x)


@settings(deadline=None)
@given(x=clips, share=shares, block=blocks)
def test_moves_numbers_within_a_frame_and_changes_none(x, share, block):
    y = axial_swap(x, share, block)
    assert y.shape == x.shape
    assert torch.equal(y.flatten(3).sort(dim=3).values, x.flatten(3).sort(dim=3).values)
    for order in (1, 2, float("inf")):
        torch.testing.assert_close(y.norm(p=order), x.norm(p=order))


@settings(deadline=None)
@given(x=clips, share=shares, block=blocks)
def test_transposes_each_block_of_the_last_channels_and_leaves_the_rest(x, share, block):
    expected = x.clone()
    height, width = x.shape[3] // block * block, x.shape[4] // block * block
    first = x.shape[1] - int(share * x.shape[1])
    for top in range(0, height, block):
        for left in range(0, width, block):
            tile = x[:, first:, :, top : top + block, left : left + block]
            expected[:, first:, :, top : top + block, left : left + block] = tile.transpose(3, 4)
    assert torch.equal(axial_swap(x, share, block), expected)


def test_ragged_border_stays():
    x = torch.arange(25.0).reshape(1, 1, 1, 5, 5)
    y = axial_swap(x, 1.0, 2)
    assert torch.equal(y[..., 4, :], x[..., 4, :]) and torch.equal(y[..., :, 4], x[..., :, 4])
    assert y[0, 0, 0, :2, :2].tolist() == [[0, 5], [1, 6]]


def test_gradient_is_the_swap_itself():
    x = torch.rand(1, 4, 2, 7, 6, requires_grad=True)
    weights = torch.rand(1, 4, 2, 7, 6)
    (axial_swap(x) * weights).sum().backward()
    assert torch.equal(x.grad, axial_swap(weights))


@pytest.mark.parametrize(("share", "block"), [(-0.1, 2), (1.1, 2), (0.5, -1)])
def test_what_makes_no_sense_is_refused(share, block):
    with pytest.raises(ValueError, match="must be"):
        axial_swap(torch.zeros(1, 4, 1, 4, 4), share, block)


@pytest.mark.parametrize(("height", "width"), [(6, 6), (4, 7), (9, 5)])
def test_the_largest_block_transposes_the_whole_face(height, width):
    x = torch.rand(1, 4, 2, height, width)
    y, side = axial_swap(x, 0.25, 0), min(height, width)
    assert torch.equal(y[:, 3, :, :side, :side], x[:, 3, :, :side, :side].transpose(-1, -2))
    assert torch.equal(y[:, :3], x[:, :3])
    assert torch.equal(axial_swap(y, 0.25, 0), x)
