import pytest
import torch

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
