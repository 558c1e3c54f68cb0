"""The rank-1 factorisation against the singular value decomposition and the general updates."""

import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models import fsam  # noqa: E402


def test_converges_to_the_first_singular_triplet():
    torch.manual_seed(0)
    v = torch.rand(2, 30, 50, dtype=torch.float64)
    u, s, vt = torch.linalg.svd(v, full_matrices=False)
    best = s[:, :1, None] * u[:, :, :1] @ vt[:, :1]
    torch.testing.assert_close(fsam.factorise(v, steps=30), best, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rank", [1, 4])
def test_equals_the_updates_of_any_rank_from_a_constant_start(rank):
    torch.manual_seed(1)
    v = torch.rand(1, 12, 40, dtype=torch.float64)
    w = torch.full((1, 12, rank), 12**-0.5, dtype=torch.float64)
    h = torch.softmax(v.transpose(1, 2) @ w, dim=2)
    for _ in range(fsam.STEPS):
        h = h * (v.transpose(1, 2) @ w) / (h @ w.transpose(1, 2) @ w + fsam.EPS)
        w = w * (v @ h) / (w @ h.transpose(1, 2) @ h + fsam.EPS)
    h = h * (v.transpose(1, 2) @ w) / (h @ w.transpose(1, 2) @ w + fsam.EPS)
    torch.testing.assert_close(fsam.factorise(v), w @ h.transpose(1, 2), rtol=1e-4, atol=1e-5)


def test_reproduces_a_rank_one_matrix():
    torch.manual_seed(2)
    v = torch.rand(1, 9, 1) @ torch.rand(1, 1, 21)
    torch.testing.assert_close(fsam.factorise(v), v, rtol=1e-4, atol=1e-4)
