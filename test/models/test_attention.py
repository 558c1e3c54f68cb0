"""How embeddings are unfolded, and that the factorisations come closer with each multiplicative step."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from rppg_ros.models import fsam, tsfm  # noqa: E402
from rppg_ros.models.attention import Attention, Axis, FactorisedAttention  # noqa: E402
from support.tsfm_updates import published_updates  # noqa: E402

SHAPE = (2, 4, 6, 3, 5)  # B, K, T, A, B
ROWS = {Axis.TIME: 6, Axis.CODE: 6, Axis.CHANNEL: 4, Axis.CHANNEL_TIME: 24}


@pytest.mark.parametrize("axis", Axis)
def test_folding_undoes_unfolding(axis):
    x = torch.rand(SHAPE)
    matrix = axis.unfold(x)
    assert matrix.shape == (2, ROWS[axis], 360 // ROWS[axis])
    assert torch.equal(axis.fold(matrix, x.shape), x)


def test_rows_are_what_the_names_say():
    x = torch.rand(SHAPE)
    assert torch.equal(Axis.TIME.unfold(x)[1, 2], x[1, :, 2].flatten())
    assert torch.equal(Axis.CHANNEL.unfold(x)[1, 2], x[1, 2].flatten())
    assert torch.equal(Axis.CHANNEL_TIME.unfold(x)[1, 8], x[1, 1, 2].flatten())


def matrices(rows, columns, seed):
    return 0.01 + torch.rand(2, rows, columns, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def falls(errors, scale) -> bool:
    return all(after <= before + 1e-6 * scale for before, after in zip(errors, errors[1:], strict=False))


@settings(deadline=None, max_examples=40)
@given(rows=st.integers(2, 30), columns=st.integers(2, 40), seed=st.integers(0, 2**31))
def test_fsam_comes_closer_with_each_step(rows, columns, seed):
    v = matrices(rows, columns, seed)
    errors = [(v - fsam.factorise(v, steps)).norm().item() for steps in range(8)]
    assert falls(errors, v.norm().item())


def test_fsams_first_steps_count():
    v = matrices(20, 30, 0)
    errors = [(v - fsam.factorise(v, steps)).norm().item() for steps in range(5)]
    assert all(after < before for before, after in zip(errors, errors[1:], strict=False))


@settings(deadline=None, max_examples=40)
@given(rank=st.integers(1, 4), rows=st.integers(3, 30), columns=st.integers(2, 20), seed=st.integers(0, 2**31))
def test_tsfm_comes_closer_with_each_step_until_it_is_the_projection(rank, rows, columns, seed):
    v = matrices(rows, columns, seed)
    target = torch.randn(2, rows, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    errors = [(v - published_updates(v, target, rank, steps)).norm().item() for steps in range(6)]
    assert falls(errors, v.norm().item())
    best = (v - tsfm.project(v, tsfm.target_basis(target))).norm().item()
    assert abs(errors[-1] - best) <= 1e-6 * v.norm().item()


@pytest.mark.parametrize("axis", [Axis.CHANNEL, Axis.CHANNEL_TIME])
def test_tsfm_wants_rows_along_time(axis):
    with pytest.raises(ValueError, match="TSFM constrains time"):
        FactorisedAttention(4, 4, Attention.TSFM, axis)


@pytest.mark.parametrize("axis", Axis)
def test_attention_of_a_clip_does_not_depend_on_its_batch(axis):
    torch.manual_seed(0)
    attention = FactorisedAttention(4, 3, Attention.FSAM, axis)
    x = torch.rand(SHAPE)
    torch.testing.assert_close(attention(x)[:1], attention(x[:1]), rtol=1e-4, atol=1e-5)
