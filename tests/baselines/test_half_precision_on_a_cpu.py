"""Window attention, and what follows it, where half precision trains on a CPU."""

import pytest
import torch

from baselines.hdr_transformer.network import HDRTransformerConfig, Stage
from baselines.window_attention import WindowAttention


@pytest.mark.parametrize("shift", [0, 2])
def test_training_in_half_precision_on_a_cpu_attends_as_float32_does(shift):
    torch.manual_seed(0)
    attention, x = WindowAttention(12, 2, 4), torch.rand(2, 8, 8, 12)
    with torch.no_grad():
        exact = attention(x, shift)
    with torch.autocast("cpu", torch.bfloat16):
        trained = attention(x, shift)
    assert trained.dtype == torch.bfloat16
    assert (trained.float() - exact).abs().max() < 0.02 * exact.abs().max()
    trained.float().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in attention.parameters())


def test_gradients_of_the_dilated_convolution_are_numbers_in_bfloat16():
    """Sixty channels, the authors' number, dilated and last in memory: oneDNN's are not."""
    stage = Stage(HDRTransformerConfig(depths=(1,), heads=(6,)), 1, 6)
    x = torch.randn(2, 32, 32, 60)
    for _ in range(40):
        torch.full((2**18,), 1e30)  # what stray memory may hold
        stage.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            fused = stage(x)
        fused.float().square().mean().backward()
        assert stage.dilated_conv.weight.grad.abs().max() < 10
