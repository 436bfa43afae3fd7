"""The network against the paper's equations, written out block by block in float64."""

import numpy as np
import pytest
import torch
from ipl_equations import reference

from dmef_bench.ipl import IPL, IPLConfig

SMALL = {
    "channels": 6, "blocks": 2, "factor": 2, "channel_block": 3, "width_block": 4,
    "height_block": 5, "drtm_size": 7,
}  # fmt: skip


def filled(config):
    """A network whose every parameter is random, the zero-initialised ones too."""
    torch.manual_seed(1)
    network = IPL(config).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    return network


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lfe": "equation"},
        {"final": "sum", "lfe": "equation", "dimensions": "WH"},
        {"dimensions": "CH", "final": "sum"},
        {"dimensions": ""},
        {"dimensions": "", "residual": False},
        {"drtm": False},
    ],
    ids=lambda changes: "-".join(f"{k}={v}" for k, v in changes.items()) or "default",
)
def test_network_equals_the_equations(changes):
    network = filled(IPLConfig(**{**SMALL, **changes}))
    images = np.random.default_rng(0).random((2, 3, 3, 21, 18))
    with torch.no_grad():
        fused = network(torch.from_numpy(images)).numpy()
    for one, bracket in zip(fused, images, strict=True):
        expected = reference(network, bracket)
        np.testing.assert_allclose(one, expected, rtol=1e-9, atol=1e-9 * abs(expected).max())


def test_every_odd_size_from_16_to_80():
    """Padded and cropped exactly: each height and each width with others from the whole range."""
    network = filled(IPLConfig(**{**SMALL, "blocks": 1, "factor": 4, "drtm_size": 5}))
    rng = np.random.default_rng(0)
    sides = [16, *range(17, 80, 2), 80]
    pairs = {(side, other) for side in sides for other in (17 + 2 * (side % 30), 79)}
    for size in sorted(pairs | {(width, height) for height, width in pairs}):
        images = rng.random((3, 3, *size))
        with torch.no_grad():
            fused = network(torch.from_numpy(images)[None])[0].numpy()
        assert fused.shape == (3, *size)
        np.testing.assert_allclose(fused, reference(network, images), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.bfloat16, 2e-2), (torch.float16, 2e-3)])
@pytest.mark.parametrize("lfe", ["prose", "equation"])
def test_half_precision_stays_near_the_equations(dtype, bound, lfe):
    """Two pictures at once; the bound is on the relative error in the Frobenius norm."""
    network = filled(IPLConfig(**{**SMALL, "factor": 4, "lfe": lfe}))
    for size in [(16, 16), (33, 47), (80, 17)]:
        images = np.random.default_rng(1).random((2, 3, 3, *size))
        expected = np.stack([reference(network, one) for one in images])
        half = filled(network.config).to(dtype)
        with torch.inference_mode():
            fused = half(torch.from_numpy(images).to(dtype)).double().numpy()
        assert fused.shape == expected.shape
        error = np.linalg.norm(fused - expected) / np.linalg.norm(expected)
        assert 0 < error <= bound
