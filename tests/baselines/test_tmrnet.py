"""BracketIRE's network: its parts against formulas, its sizes against the published ones."""

import pytest
import torch

from baselines import Bracket, from_checkpoint
from baselines.bracketire import SMALL_RGB, TMRNet, TMRNetConfig
from baselines.bracketire.deformable import (
    DeformableAlignment,
    _fast_kernel,
    deformable_convolution,
    plain_deformable_convolution,
)
from baselines.bracketire.method import BracketIREMethod
from baselines.bracketire.optical_flow import SPyNet
from baselines.conventions import Conventions
from baselines.sampling import warp


def _slow(x, offset, mask, weight, bias):
    """Deformable convolution one value at a time, as the paper's equation is written."""
    batch, channels, height, width = x.shape
    outputs, per_group, side, _ = weight.shape
    groups, taps = channels // per_group, side * side
    offset_groups = mask.shape[1] // taps

    def read(b, c, row, column):
        top, left = int(row // 1), int(column // 1)
        value = 0.0
        for r in (top, top + 1):
            for k in (left, left + 1):
                if 0 <= r < height and 0 <= k < width:
                    value += float(x[b, c, r, k]) * (1 - abs(row - r)) * (1 - abs(column - k))
        return value

    result = torch.zeros(batch, outputs, height, width)
    for b in range(batch):
        for o in range(outputs):
            first = o // (outputs // groups) * per_group
            for row in range(height):
                for column in range(width):
                    total = float(bias[o])
                    for i in range(per_group):
                        c = first + i
                        g = c // (channels // offset_groups)
                        for tap in range(taps):
                            at = (g * taps + tap) * 2
                            y = row + tap // side - side // 2 + float(offset[b, at, row, column])
                            z = column + tap % side - side // 2
                            z += float(offset[b, at + 1, row, column])
                            factor = float(mask[b, g * taps + tap, row, column])
                            total += (
                                float(weight[o, i, tap // side, tap % side])
                                * factor
                                * read(b, c, y, z)
                            )
                    result[b, o, row, column] = total
    return result


def _problem(seed=0):
    random = torch.Generator().manual_seed(seed)
    shapes = ((2, 4, 5, 4), (2, 36, 5, 4), (2, 18, 5, 4), (4, 2, 3, 3), (4,))
    x, offset, mask, weight, bias = (torch.randn(shape, generator=random) for shape in shapes)
    return x, 2.5 * offset, mask.sigmoid(), weight, bias


def test_deformable_convolution_is_its_equation():
    problem = _problem()
    expected = _slow(*problem)
    torch.testing.assert_close(
        plain_deformable_convolution(*problem), expected, atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(deformable_convolution(*problem), expected, atol=1e-5, rtol=1e-5)


def test_without_offsets_it_is_a_grouped_convolution():
    x, offset, mask, weight, bias = _problem(1)
    result = deformable_convolution(x, 0 * offset, torch.ones_like(mask), weight, bias)
    expected = torch.nn.functional.conv2d(x, weight, bias, padding=1, groups=2)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-5)


def _torchvision_loads():
    try:
        from torchvision.ops import deform_conv2d  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        return False
    return True


@pytest.mark.skipif(not _torchvision_loads(), reason="torchvision's operators don't load here")
@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 2e-5), (torch.float64, 1e-12)])
def test_torchvision_s_operator_is_used_and_gives_the_same_values_and_gradients(dtype, within):
    kernel = _fast_kernel("cpu", dtype)
    assert kernel is not None
    results = []
    for convolution in (kernel, plain_deformable_convolution):
        problem = [tensor.to(dtype).requires_grad_() for tensor in _problem(3)]
        found = convolution(*problem)
        weights = torch.linspace(-1, 1, found.numel(), dtype=dtype).reshape(found.shape)
        gradients = torch.autograd.grad((found * weights).sum(), problem)
        results.append((found.detach(), *gradients))
    for fast, plain in zip(*results, strict=True):
        torch.testing.assert_close(fast, plain, rtol=0, atol=within)


def test_deformable_convolution_has_the_right_gradients():
    problem = [tensor.double().requires_grad_() for tensor in _problem(2)]
    assert torch.autograd.gradcheck(plain_deformable_convolution, problem, fast_mode=True)


def test_alignment_follows_the_flow():
    """With a fresh alignment (no residual offsets, masks of one half) only the flow moves."""
    alignment = DeformableAlignment(4, 2)
    weight = torch.zeros(4, 2, 3, 3)
    for channel in range(4):
        weight[channel, channel % 2, 1, 1] = 2.0
    alignment.deform_conv.weight.data = weight
    other = torch.rand(1, 4, 9, 11)
    flow = torch.zeros(1, 2, 9, 11)
    flow[:, 0], flow[:, 1] = 2, -1
    with torch.no_grad():
        aligned = alignment(other, torch.rand(1, 4, 9, 11), warp(other, flow), flow)
    torch.testing.assert_close(aligned[..., 1:, :-2], other[..., :-1, 2:], atol=1e-5, rtol=0)
    torch.testing.assert_close(aligned, warp(other, flow), atol=1e-5, rtol=0)


def test_warp_reads_where_the_flow_points():
    picture = torch.arange(20.0).reshape(1, 1, 4, 5)
    flow = torch.zeros(1, 2, 4, 5)
    flow[:, 0] = 1.5
    expected = torch.tensor([1.5, 2.5, 3.5, 2.0, 0.0])
    torch.testing.assert_close(warp(picture, flow)[0, 0, 0], expected)
    expected = torch.tensor([1.5, 2.5, 3.5, 4.0, 4.0])
    torch.testing.assert_close(warp(picture, flow, "border")[0, 0, 0], expected)


def test_spynet_doubles_its_flow_from_level_to_level():
    """Every level adding the same correction c gives (2^6 - 1) c, scaled back from 64 × 64."""
    network = SPyNet()
    assert sum(parameter.numel() for parameter in network.parameters()) == 1_440_300
    for level in network.basic_module:
        for parameter in level.parameters():
            parameter.data.zero_()
        level.basic_module[-1].bias.data.copy_(torch.tensor((0.5, -0.25)))
    with torch.no_grad():
        flow = network(torch.rand(2, 3, 48, 40), torch.rand(2, 3, 48, 40))
    assert flow.shape == (2, 2, 48, 40)
    torch.testing.assert_close(flow[:, 0], torch.full((2, 48, 40), 63 * 0.5 * 40 / 64))
    torch.testing.assert_close(flow[:, 1], torch.full((2, 48, 40), -63 * 0.25 * 48 / 64))


def test_sizes_are_the_published_ones():
    def count(network):
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(TMRNet()) == 13_285_704
    assert count(TMRNet(SMALL_RGB)) == 235_403


@pytest.mark.parametrize(
    "config",
    [
        TMRNetConfig(frames=2, features=8, blocks=(1, 2, 3, 1), groups=4),
        TMRNetConfig(3, 3, 4, (1, 1, 1, 1), flow=False, groups=2),
    ],
)
def test_a_checkpoint_tells_its_configuration(config):
    torch.manual_seed(0)
    network = TMRNet(config).eval()
    loaded = from_checkpoint({"state_dict": network.state_dict()})
    assert isinstance(loaded, TMRNet)
    assert loaded.config == config
    frames = torch.rand(1, config.frames, config.channels, 13, 17)
    with torch.no_grad():
        result = loaded(frames)
        torch.testing.assert_close(result, network(frames))
    assert result.shape == (1, config.channels, 13, 17)
    with pytest.raises(ValueError, match=f"takes {config.frames} frames"):
        loaded(frames[:, :-1])


def test_three_srgb_exposures_come_to_the_light_of_one_before_they_are_fused():
    """A still scene within all three exposures is the same frame three times, in any order."""
    truth = torch.rand(1, 3, 12, 10, generator=torch.Generator().manual_seed(5)) * 0.4
    evs = (-1.0, 0.0, 1.0)
    bracket = Bracket(torch.stack([truth * 2 ** (ev / 2.2) for ev in evs], 1), evs)
    seen = []

    class Watched(TMRNet):
        def forward(self, frames):
            seen.append(frames)
            return super().forward(frames)

    torch.manual_seed(0)
    network = Watched(TMRNetConfig(3, 3, 4, (1, 1, 1, 1), flow=False, groups=2)).eval()
    with torch.no_grad():
        BracketIREMethod.infer(network, bracket, Conventions())
    (frames,) = seen
    assert frames.shape == (1, 3, 3, 12, 10)
    for frame in frames.unbind(1):
        torch.testing.assert_close(frame, truth**2.2, rtol=1e-5, atol=1e-6)


def test_a_frame_s_own_step_counts_by_its_learned_parameter():
    torch.manual_seed(0)
    network = TMRNet(TMRNetConfig(3, 3, 4, (1, 1, 1, 1), flow=False, groups=2)).eval()
    frames = torch.rand(1, 3, 3, 9, 8)
    with torch.no_grad():
        before = network(frames)
        network.backbone["backward_rec_3"].main[0].weight.mul_(-1)
        assert torch.equal(network(frames), before)  # its parameter starts at 0
        network.learn_para[:, 2] = 0.5
        assert not torch.equal(network(frames), before)
