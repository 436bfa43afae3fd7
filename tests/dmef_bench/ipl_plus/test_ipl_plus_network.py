import json

import numpy as np
import pytest
import torch

from baselines import Bracket, MethodError, WeightsError, resolve
from dmef_bench.errors import UsageError
from dmef_bench.ipl_plus import IPLPlus, IPLPlusConfig
from dmef_bench.ipl_plus.alignment import Alignment, comparable, matches, mean_shift, warp
from dmef_bench.ipl_plus.method import SHIPPED, IPLPlusMethod
from dmef_bench.ipl_plus.tone_curves import ToneCurves, inverse_responses
from dmef_bench.training.recipes import find_recipe
from synth.camera_response import camera_response
from synth.exposure import DEFAULT_EVS, synthesise_bracket

CPU = torch.device("cpu")
TINY = IPLPlusConfig(features=8, width=8)


def texture(side, seed=0):
    """(3, side, side) smooth random texture in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, side // 6, side // 6, generator=generator)
    return torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")[0].clamp(0, 1)


def exposures(frames, evs=DEFAULT_EVS):
    """Three (3, H, W) frames exposed by the paper track's camera: (1, 3, 3, H, W)."""
    pictures = tuple((frame.movedim(0, -1) * 255).round().byte().numpy() for frame in frames)
    exposed = synthesise_bracket(pictures, evs, camera_response("sigmoid"))
    return torch.from_numpy(np.stack(exposed)).movedim(-1, 1)[None].float() / 255


def test_untrained_it_undoes_the_response_where_nothing_is_clipped():
    truth = texture(64) * 0.5
    fused = IPLPlus(TINY)(exposures((truth, truth, truth)))[0]
    assert (fused - truth).abs().max() < 3 / 255


def test_the_brackets_own_exposure_values_count():
    truth, evs = texture(64) * 0.5, (-1.0, 0.9, 2.0)
    images, network = exposures((truth, truth, truth), evs), IPLPlus(TINY)
    assert (network(images, evs)[0] - truth).abs().max() < 4 / 255
    assert (network(images)[0] - truth).abs().max() > 10 / 255


@pytest.mark.parametrize("size", [(16, 16), (17, 35), (48, 64)])
def test_any_size_keeps_its_shape_and_meets_the_method_interface(size):
    torch.manual_seed(0)
    network = IPLPlus(TINY).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 3, 3, *size)).shape == (2, 3, *size)


def test_curves_start_at_the_inverse_response_to_a_tenth_of_a_level():
    response, values = camera_response("sigmoid"), np.arange(256) / 255
    images = torch.from_numpy(values).float().view(1, 1, 1, 16, 16).expand(1, 3, 3, 16, 16)
    estimates = ToneCurves(65)(images, inverse_responses(65, DEFAULT_EVS, CPU))[0, :, 0].flatten(1)
    for estimate, ev in zip(estimates, DEFAULT_EVS, strict=True):
        exact = response.brightness_transform(values, 2.0**-ev)
        assert np.abs(estimate.detach().numpy() - exact).max() < 0.1 / 255 * max(1, 2.0**-ev) ** 2
    assert inverse_responses(5, DEFAULT_EVS, CPU).shape == (3, 5)


def test_warp_fetches_what_the_flow_points_at():
    picture = texture(32)[None]
    flow = torch.zeros(1, 2, 32, 32)
    flow[:, 0], flow[:, 1] = 3, -2
    moved = warp(picture, flow)
    assert torch.allclose(moved[..., 2:, :-3], picture[..., :-2, 3:], atol=1e-5)


def test_matching_finds_a_shift():
    reference = texture(40)[None]
    other = reference.roll((1, -2), (2, 3))  # what was at x is now at x - 2, y + 1
    shares = matches(reference, other, 2, torch.tensor(40.0))
    shift = mean_shift(shares, 2)[..., 8:-8, 8:-8].mean((2, 3))
    assert torch.allclose(shares.sum(1), torch.ones(1, 40, 40), atol=1e-5)
    assert torch.allclose(shift, torch.tensor([[-2.0, 1.0]]), atol=0.3)


def test_untrained_alignment_brings_moved_exposures_closer():
    truth = texture(128) * 0.6
    moved = truth.roll((0, 8), (1, 2))
    images = exposures((moved, truth, moved))
    torch.manual_seed(0)
    network = IPLPlus()
    with torch.no_grad():
        parts = network.parts(images)
        unaligned = network.curves(images, inverse_responses(65, DEFAULT_EVS, CPU))[:, 0]
    inside = (..., slice(16, -16), slice(16, -16))
    aligned_error = (parts.low - truth)[inside].abs().mean()
    assert aligned_error < 0.5 * (unaligned - truth)[inside].abs().mean()


def test_pairs_are_clipped_alike():
    estimates = torch.rand(2, 3, 3, 8, 8)
    reference, for_high, low, high = comparable(estimates)
    assert torch.equal(reference, estimates[:, 1])
    assert (low.amax((1, 2, 3)) <= reference.amax((1, 2, 3))).all()
    assert (for_high.amax((1, 2, 3)) <= high.amax((1, 2, 3))).all()


def test_flow_is_at_an_eighth_of_the_resolution_whatever_the_pyramid():
    network = Alignment(features=4, radius=1, coarsest=4)
    images = torch.rand(2, 3, 3, 24, 40)
    assert network(images, images).shape == (4, 2, 3, 5)


def test_without_alignment_there_are_no_weights_for_it():
    config = IPLPlusConfig(features=8, width=8, align=False)
    network = IPLPlus(config)
    assert not any("alignment" in name for name in network.state_dict())
    assert network(torch.rand(1, 3, 3, 16, 16)).shape == (1, 3, 16, 16)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"width": 3}, "even"),
        ({"width": 0}, "2 to 256"),
        ({"knots": True}, "2 to 4096"),
        ({"align": 1}, "true or false"),
        ({"colour": 1}, "no field 'colour'"),
    ],
)
def test_wrong_configurations_are_refused(fields, said):
    with pytest.raises(ValueError, match=said):
        IPLPlusConfig.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["[]", "[" * 100_000, "7"])
def test_configurations_that_are_no_object_are_refused(text):
    with pytest.raises(ValueError, match=r"JSON object"):
        IPLPlusConfig.from_json(text)


def test_options_of_the_command_line():
    assert IPLPlusConfig().changed({"width": "16", "align": "false"}).width == 16
    with pytest.raises(UsageError, match="whole number"):
        find_recipe("ipl-plus").build({"width": "wide"})


def test_its_loss_reaches_every_parameter():
    recipe = find_recipe("ipl-plus")
    torch.manual_seed(0)
    network = recipe.build({"features": "8", "width": "8"})
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    truth = texture(96)[None]
    bracket = Bracket(exposures((texture(96, 1), texture(96), texture(96, 2))), DEFAULT_EVS)
    recipe.loss.of(network, bracket, truth, 0.0).backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not idle


def test_method_wants_load_first_and_its_own_weights(tmp_path):
    with pytest.raises(MethodError, match="load"):
        IPLPlusMethod().fuse(Bracket(torch.rand(1, 3, 3, 16, 16), DEFAULT_EVS))
    from dmef_bench.ipl.weights_file import SHIPPED as OF_IPL

    with pytest.raises(WeightsError, match="weights of 'ipl'"):
        IPLPlusMethod().load(OF_IPL, CPU)


def test_shipped_weights_beat_the_inverse_response_where_the_reference_clips():
    """A bright moving texture: what the reference clipped must come from the low exposure."""
    assert SHIPPED.stat().st_size < 4 * 2**20
    method = resolve("ipl-plus")()
    method.load(None, CPU)
    bright = 0.5 + 0.5 * texture(192, 3)
    frames = tuple(bright.roll(shift, 2)[:, 32:-32, 32:-32] for shift in (-4, 0, 4))
    bracket = Bracket(exposures(frames), DEFAULT_EVS, camera_response("sigmoid"))
    known = resolve("invert-response")()
    known.load(None, CPU)

    def error(picture):
        return (picture[0] - frames[1]).square().mean()

    assert error(method.fuse(bracket)) < 0.5 * error(known.fuse(bracket))


def test_motion_is_kept_in_float32_in_half_precision():
    network = Alignment(features=4, radius=1, coarsest=4).bfloat16()
    images = torch.rand(1, 3, 3, 24, 40).bfloat16()
    assert network(images, images).dtype == torch.float32
    assert IPLPlus(TINY).bfloat16()(images).dtype == torch.bfloat16
