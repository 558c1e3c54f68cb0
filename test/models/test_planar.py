"""Flat 3D convolutions run as 2D ones: the same numbers and gradients."""

import pytest

torch = pytest.importorskip("torch")

from rppg_ros.models.planar import PlanarConv3d  # noqa: E402

FLAT = [
    dict(kernel_size=1),
    dict(kernel_size=1, bias=False),
    dict(kernel_size=(1, 3, 3), padding=(0, 1, 1), groups=4),
    dict(kernel_size=(1, 5, 5), padding=(0, 2, 2)),
    dict(kernel_size=(3, 1, 1), groups=4),
    dict(kernel_size=(3, 1, 1), padding=(1, 0, 0), bias=False),
]


@pytest.mark.parametrize("options", FLAT)
def test_as_a_conv3d(options):
    torch.manual_seed(0)
    flat = PlanarConv3d(4, 8, **options)
    full = torch.nn.Conv3d(4, 8, **options)
    full.load_state_dict(flat.state_dict())
    x = torch.rand(2, 4, 7, 6, 5, requires_grad=True)
    found, wanted = flat(x), full(x)
    torch.testing.assert_close(found, wanted)
    push = torch.rand_like(wanted)
    for a, b in zip(
        torch.autograd.grad(found, [x, flat.weight], push),
        torch.autograd.grad(wanted, [x, full.weight], push),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "options", [dict(kernel_size=3), dict(kernel_size=1, stride=2), dict(kernel_size=1, padding="same")]
)
def test_what_is_not_flat_is_refused(options):
    with pytest.raises(ValueError, match="flat"):
        PlanarConv3d(4, 8, **options)
