"""The closed form of TSFM equals the published multiplicative updates, values and gradients."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from rppg_ros.models import tsfm  # noqa: E402
from support.tsfm_updates import published_updates  # noqa: E402


@settings(max_examples=30, deadline=None)
@given(
    rank=st.integers(1, 6),
    steps=st.integers(1, 6),
    rows=st.integers(3, 40),
    columns=st.integers(1, 30),
    seed=st.integers(0, 2**31),
)
def test_projection_equals_the_updates(rank, steps, rows, columns, seed):
    generator = torch.Generator().manual_seed(seed)
    v = (0.05 + torch.rand(2, rows, columns, generator=generator, dtype=torch.float64)).requires_grad_()
    target = torch.randn(2, rows, generator=generator, dtype=torch.float64)
    weights = torch.randn(2, rows, columns, generator=generator, dtype=torch.float64)
    closed = tsfm.project(v, tsfm.target_basis(target))
    iterated = published_updates(v, target, rank, steps)
    torch.testing.assert_close(closed, iterated, rtol=1e-5, atol=1e-6)
    (of_closed,) = torch.autograd.grad((closed * weights).sum(), v)
    (of_iterated,) = torch.autograd.grad((iterated * weights).sum(), v)
    torch.testing.assert_close(of_closed, of_iterated, rtol=1e-5, atol=1e-6)


def test_projection_is_idempotent_and_keeps_what_follows_the_target():
    basis = tsfm.target_basis(torch.sin(torch.arange(20.0))[None])
    v = basis.unsqueeze(2) * torch.rand(1, 1, 7)
    torch.testing.assert_close(tsfm.project(v, basis), v)
    other = torch.rand(1, 20, 7)
    once = tsfm.project(other, basis)
    torch.testing.assert_close(tsfm.project(once, basis), once)


def test_a_flat_target_is_a_valid_basis():
    assert torch.equal(tsfm.target_basis(torch.zeros(1, 5)), torch.ones(1, 5))
