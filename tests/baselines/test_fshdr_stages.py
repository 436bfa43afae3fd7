"""What FSHDR's stages are made of: their losses, and pairs synthesised with the reverse flow."""

import math

import pytest
import torch

from baselines import Bracket
from baselines.brightness import at_exposure_ratio
from baselines.conventions import Conventions
from baselines.fshdr.exposing import exposed
from baselines.fshdr.losses import consistency_weight, self_consistency, tone_mapped_error
from baselines.fshdr.synthesis import pseudo_bracket
from synth.camera_response import camera_response

EVS = (-1.0, 0.5, 2.0)


def _random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_tone_mapped_error_is_its_formula():
    picture, truth = _random(2, 3, 4, 5), _random(2, 3, 4, 5, seed=1)

    def compressed(value):
        return math.log(1 + 5000 * max(value**2.2, 1e-10)) / math.log(5001)

    pairs = zip(picture.flatten().tolist(), truth.flatten().tolist(), strict=True)
    squares = [(compressed(a) - compressed(b)) ** 2 for a, b in pairs]
    expected = sum(squares) / len(squares)
    assert float(tone_mapped_error(picture, truth)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("known", [False, True])
def test_self_consistency_compares_with_the_mid_exposure_alone(known):
    response = camera_response("sigmoid") if known else None
    bracket = Bracket(_random(1, 3, 3, 4, 5), EVS, response)
    picture = _random(1, 3, 4, 5, seed=1)

    def taken(value):
        if known:
            return float(response.brightness_transform(value, 2**0.5))
        return value * 2 ** (0.5 / 2.2)

    pairs = zip(picture.flatten().tolist(), bracket.images[:, 1].flatten().tolist(), strict=True)
    squares = [(min(taken(a), 1.0) - b) ** 2 for a, b in pairs]
    expected = sum(squares) / len(squares)
    assert float(self_consistency(picture, bracket)) == pytest.approx(expected, rel=1e-4)
    others = bracket.map(lambda images: torch.stack((images[:, 2], images[:, 1], images[:, 0]), 1))
    assert self_consistency(picture, others) == self_consistency(picture, bracket)


def test_alpha_rises_by_a_tenth_after_every_ten_of_75_epochs():
    by_epoch = [consistency_weight((epoch + 0.5) / 75) for epoch in range(75)]
    assert by_epoch[:9] == [0.5] * 9
    assert by_epoch[9:19] == pytest.approx([0.6] * 10)
    assert by_epoch[69:] == pytest.approx([1.2] * 6)


@pytest.mark.parametrize("model", ["sigmoid", "gamma", "beta"])
def test_a_prediction_is_exposed_as_its_camera_does_with_a_gradient(model):
    response = camera_response(model)
    bracket = Bracket(torch.rand(1, 3, 3, 4, 4), EVS, response)
    picture = (0.02 + 0.5 * _random(1, 3, 6, 7)).requires_grad_()
    for ev in EVS:
        taken = exposed(picture, ev, bracket)
        expected = at_exposure_ratio(picture.detach(), response, 2**ev).clamp(0, 1)
        torch.testing.assert_close(taken, expected, atol=1e-4, rtol=0)
        (gradient,) = torch.autograd.grad(taken.sum(), picture)
        step = 1e-3
        slope = (
            at_exposure_ratio(picture.detach() + step, response, 2**ev).clamp(0, 1)
            - at_exposure_ratio(picture.detach() - step, response, 2**ev).clamp(0, 1)
        ) / (2 * step)
        smooth = expected < 0.98
        torch.testing.assert_close(gradient[smooth], slope[smooth], atol=0.1, rtol=0.05)


def _scene(height, width):
    coarse = _random(1, 3, 14, 18, seed=4)
    scene = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return 0.1 + 0.3 * scene


@pytest.mark.parametrize("response", [None, camera_response("gamma")])
def test_pseudo_pairs_move_as_the_scene_did(response):
    """A scene moves 5 pixels left; what is synthesised of its middle frame moves so, too."""
    shift, height, width = 5, 96, 120
    wide = _scene(height, width + 2 * shift)
    frames = [wide[..., n * shift : n * shift + width] for n in range(3)]
    empty = Bracket(torch.zeros(1, 3, 3, height, width), EVS, response)
    real = Bracket(
        torch.stack([exposed(f, ev, empty) for f, ev in zip(frames, EVS, strict=True)], 1),
        EVS, response,
    )  # fmt: skip
    conventions = Conventions(linear="gamma" if response is None else "response")
    pseudo = pseudo_bracket(frames[1], real, conventions)
    assert (pseudo.evs, pseudo.response) == (EVS, response)
    torch.testing.assert_close(pseudo.images * 255, (pseudo.images * 255).round())
    for index in range(3):
        inner = slice(2 * shift, -2 * shift)
        error = (pseudo.images - real.images)[:, index, :, inner, inner].abs()
        still = (exposed(frames[1], EVS[index], real) - real.images[:, index])[..., inner, inner]
        assert float(error.mean()) < 0.01
        assert index == 1 or float(error.mean()) < float(still.abs().mean()) / 5
    # The first frame's first columns are in no part of the second one: they are filled from it.
    from_reference = exposed(frames[1], EVS[0], real)[..., :2]
    torch.testing.assert_close(pseudo.low[..., :2], from_reference, atol=0.01, rtol=0)


def test_a_still_scene_gives_its_own_bracket_back():
    truth = (_scene(48, 64) * 255).round() / 255
    empty = Bracket(torch.zeros(1, 3, 3, 48, 64), EVS)
    images = torch.stack([exposed(truth, ev, empty) for ev in EVS], 1)
    real = Bracket((images * 255).round() / 255, EVS)
    pseudo = pseudo_bracket(truth, real, Conventions())
    assert float((pseudo.images - real.images).abs().mean()) < 2e-3
    assert torch.equal(pseudo.reference, real.reference)
