"""The five learned methods as the benchmark calls them: weights in, bracket in, picture out."""

import math

import pytest
import torch
from tiny_networks import LEARNED, tiny_network, without_shipped_weights, write_weights

from baselines import (
    Bracket,
    MethodError,
    WeightsError,
    WeightsMissingError,
    check_method,
    resolve,
)
from baselines.bracketire import TMRNet, TMRNetConfig
from baselines.conventions import AUTHORS, Conventions, in_dataset_space, linear_exposures
from baselines.fshdr.alignment import flow_aligned
from baselines.hdr_transformer import HDRTransformer, HDRTransformerConfig
from baselines.learned import exposure_inputs
from baselines.weights_training import weights_training

CPU = torch.device("cpu")


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Networks this small only wait for one another on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


EVS = (-1.5, 0.5, 2.5)


class PowerResponse:
    """Brightness that grows with the exposure ratio to the power .8."""

    def brightness_transform(self, B, k):
        return B * k**0.8


def _bracket(height=24, width=32, batch=1, response=None):
    images = torch.rand(batch, 3, 3, height, width, generator=torch.Generator().manual_seed(1))
    return Bracket(images, EVS, response)


def _loaded(name, path):
    method = resolve(name)()
    method.load(path, CPU)
    return method


@pytest.mark.parametrize("name", LEARNED)
def test_keeps_every_promise_of_a_method(name, tmp_path):
    weights = write_weights(tmp_path / "w.safetensors", tiny_network(name), name, Conventions())
    results = check_method(resolve(name), weights)
    assert len(results) == 9
    assert [one for one in results if not one.passed] == []


@pytest.mark.parametrize("name", LEARNED)
def test_without_weights_it_says_what_to_give(name, tmp_path):
    weightless = without_shipped_weights(resolve(name), tmp_path)
    assert weightless.shipped_weights() is None
    with pytest.raises(WeightsMissingError, match=rf"^{name} needs weights: give --weights FILE"):
        weightless().load(None, CPU)
    with pytest.raises(MethodError, match=r"call load\(\) before fuse\(\)"):
        resolve(name)().fuse(_bracket())


@pytest.mark.parametrize("name", LEARNED)
def test_weights_without_stated_conventions_are_the_authors(name, tmp_path):
    network = tiny_network(name)
    torch.save(
        {"state_dict": {f"module.{key}": v for key, v in network.state_dict().items()}},
        tmp_path / "w.pth",
    )
    method = _loaded(name, tmp_path / "w.pth")
    assert method.conventions.output == "linear"
    assert method.conventions == type(method).authors
    assert len(method.weights_sha256) == 64
    stated = write_weights(tmp_path / "w.safetensors", network, name, Conventions())
    assert _loaded(name, stated).conventions == Conventions()


def test_exposures_become_linear_as_the_authors_do_it():
    bracket = _bracket()
    expected = [bracket.images[:, i] ** 2.2 / 2**ev for i, ev in enumerate((0, 2, 4))]
    light = linear_exposures(bracket, AUTHORS)
    torch.testing.assert_close(light, torch.stack(expected, 1), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(
        linear_exposures(bracket, Conventions()), light * 2**1.5, rtol=1e-5, atol=1e-7
    )


def test_linear_output_returns_to_the_ground_truth_s_brightness():
    """A network that predicts scene light perfectly gives the ground truth back."""
    truth = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(2)) * 0.5
    exposures = [truth * 2 ** (ev / 2.2) for ev in EVS]  # a camera of gamma 2.2 that never clips
    bracket = Bracket(torch.stack(exposures, 1), EVS)
    for conventions in (AUTHORS, Conventions(output="linear")):
        for light in linear_exposures(bracket, conventions).unbind(1):
            result = in_dataset_space(light, bracket, conventions)
            torch.testing.assert_close(result, truth, rtol=1e-5, atol=1e-6)


def test_a_known_response_brings_all_exposures_together():
    truth = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(3)) * 0.2
    response = PowerResponse()
    exposures = [response.brightness_transform(truth, 2**ev) for ev in EVS]
    conventions = Conventions(linear="response")
    light = linear_exposures(Bracket(torch.stack(exposures, 1), EVS, response), conventions)
    for one in light.unbind(1):
        torch.testing.assert_close(one, truth**2.2, rtol=2e-3, atol=1e-5)
    with pytest.raises(MethodError, match="camera response"):
        linear_exposures(_bracket(), conventions)


def test_each_network_sees_its_own_order_of_channels():
    bracket = _bracket()
    light, shown = linear_exposures(bracket, AUTHORS)[:, 2], bracket.high
    network = tiny_network("ahdrnet")
    high = exposure_inputs(network, bracket, AUTHORS, "LDR, linear")[2]
    torch.testing.assert_close(high, torch.cat((shown, light), 1))
    high = exposure_inputs(network, bracket, AUTHORS, "linear, LDR", "BGR")[2]
    torch.testing.assert_close(high, torch.cat((light.flip(1), shown.flip(1)), 1))
    alone = exposure_inputs(tiny_network("ahdrnet", inputs=3), bracket, AUTHORS, "LDR, linear")[2]
    torch.testing.assert_close(alone, shown)
    clipped = exposure_inputs(network, bracket, Conventions(), "LDR, linear", clip_linear=True)[0][
        :, 3:
    ]
    torch.testing.assert_close(clipped, linear_exposures(bracket, Conventions())[:, 0].clamp(max=1))


@pytest.mark.parametrize("name", ["hdr-transformer", "sctnet"])
def test_bgr_networks_give_rgb_back(name, tmp_path):
    network = tiny_network(name)
    bracket = _bracket()
    low, mid, high = (
        torch.cat((light.flip(1), shown.flip(1)), 1)
        for light, shown in zip(
            linear_exposures(bracket, AUTHORS).unbind(1), bracket.images.unbind(1), strict=True
        )
    )
    with torch.no_grad():
        light = network(low, mid, high).flip(1)
    expected = (light * 2**1.5).clamp(0, 1) ** (1 / 2.2)
    result = _loaded(name, write_weights(tmp_path / "w.safetensors", network)).fuse(bracket)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)


def test_bracketire_puts_the_reference_first(tmp_path):
    network = tiny_network("bracketire")
    path = write_weights(tmp_path / "w.safetensors", network, "bracketire", Conventions())
    bracket = _bracket()
    with torch.no_grad():
        light = linear_exposures(bracket, Conventions())
        expected = network(torch.stack((light[:, 1], light[:, 0], light[:, 2]), 1)).clamp(0, 1)
    torch.testing.assert_close(_loaded("bracketire", path).fuse(bracket), expected)


@pytest.mark.parametrize("name", LEARNED)
def test_half_precision_and_double_keep_the_bracket_s_type(name, tmp_path):
    path = write_weights(tmp_path / "w.safetensors", tiny_network(name), name, Conventions())
    exact = _loaded(name, path).fuse(_bracket())
    for dtype, tolerance in ((torch.bfloat16, 0.05), (torch.float64, 1e-4)):
        method = _loaded(name, path)
        method.network().to(dtype)
        result = method.fuse(_bracket().map(lambda images, dtype=dtype: images.to(dtype)))
        assert result.dtype == dtype
        torch.testing.assert_close(result.float(), exact, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", LEARNED)
def test_inference_can_be_trained_through(name):
    network = tiny_network(name)
    picture = resolve(name).infer(network, _bracket(), Conventions())
    (picture - 0.5).abs().mean().backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)


def test_another_network_s_weights_are_refused(tmp_path):
    path = write_weights(tmp_path / "sct.safetensors", tiny_network("sctnet"))
    with pytest.raises(WeightsError, match=r"sct\.safetensors: .* of SCTNet, and ahdrnet needs"):
        _loaded("ahdrnet", path)
    path = write_weights(tmp_path / "named.safetensors", tiny_network("ahdrnet"), "ipl")
    with pytest.raises(WeightsError, match=r"weights of 'ipl', not of 'ahdrnet'"):
        _loaded("ahdrnet", path)


def test_weights_that_cannot_fuse_a_bracket_are_refused(tmp_path):
    bayer = TMRNet(TMRNetConfig(features=4, blocks=(1, 1, 1, 1), flow=False, groups=2))
    path = write_weights(tmp_path / "bayer.safetensors", bayer)
    with pytest.raises(WeightsError, match="it takes 5 frames of 4 channels"):
        _loaded("bracketire", path)
    path = write_weights(tmp_path / "nine.safetensors", tiny_network("ahdrnet", inputs=9))
    with pytest.raises(WeightsError, match="it takes 9 channels an exposure"):
        _loaded("ahdrnet", path)
    wide = HDRTransformer(HDRTransformerConfig(6, 12, (1,), (2,), window=16, reduction=4))
    path = write_weights(tmp_path / "wide.safetensors", wide)
    with pytest.raises(WeightsError, match="windows of 16 pixels do not divide 8"):
        _loaded("hdr-transformer", path)


def test_damaged_weights_are_refused(tmp_path):
    network = tiny_network("fshdr")
    network.out.bias.data[1] = math.nan
    path = write_weights(tmp_path / "nan.safetensors", network)
    with pytest.raises(WeightsError, match=r"nan\.safetensors: out\.bias holds NaN"):
        _loaded("fshdr", path)


@pytest.mark.parametrize("text", ["no json", "[]", '{"zero_ev": "high"}', '{"gamma": 2}'])
def test_unknown_conventions_are_refused(tmp_path, text):
    from safetensors.torch import save_file

    path = tmp_path / "odd.safetensors"
    save_file(dict(tiny_network("fshdr").state_dict()), path, {"conventions": text})
    with pytest.raises(WeightsError, match=r"odd\.safetensors: its stored conventions"):
        _loaded("fshdr", path)


def _moving_bracket(shift):
    """A smooth gamma 2.2 scene whose outer exposures are `shift` pixels off; nothing clips."""
    coarse = torch.rand(1, 1, 16, 20, generator=torch.Generator().manual_seed(4))
    scene = torch.nn.functional.interpolate(coarse, (96, 132), mode="bicubic").clamp(0, 1)
    scene = (0.1 + 0.3 * scene).expand(-1, 3, -1, -1)
    frames = (scene[..., :120], scene[..., shift : 120 + shift], scene[..., 2 * shift :][..., :120])
    exposed = [frame * 2 ** (ev / 2.2) for frame, ev in zip(frames, (-1, 0, 1), strict=True)]
    return Bracket(torch.stack(exposed, 1), (-1.0, 0.0, 1.0))


def test_alignment_undoes_motion_and_fills_what_lies_outside():
    shift = 4
    bracket = _moving_bracket(shift)
    aligned = flow_aligned(bracket, Conventions())
    for index, ev in ((0, -1), (2, 1)):
        wanted = bracket.reference * 2 ** (ev / 2.2)
        before = (bracket.images[:, index] - wanted).abs().mean()
        after = (aligned.images[:, index] - wanted).abs().mean()
        assert after < before / 5
    assert torch.equal(aligned.reference, bracket.reference)
    # The low frame's content lies `shift` to the right: its last columns come from the reference.
    filled = bracket.reference[..., -2:] * 2 ** (-1 / 2.2)
    torch.testing.assert_close(aligned.low[..., -2:], filled)


def test_bridgenet_without_alignment_is_not_called_fshdr(tmp_path):
    network = tiny_network("fshdr")
    aligned = write_weights(tmp_path / "a.safetensors", network, "fshdr", Conventions())
    plain = write_weights(
        tmp_path / "b.safetensors", network, "fshdr", Conventions(flow_aligned=False)
    )
    authors = write_weights(tmp_path / "c.safetensors", network)
    assert _loaded("fshdr", authors).info.title == "FSHDR"
    assert _loaded("fshdr", plain).info.title == "BridgeNet, supervised"
    # Aligned or not: weights trained here have FSHDR's stages behind them only if they say so.
    assert _loaded("fshdr", aligned).info.title == "BridgeNet, supervised"
    assert resolve("fshdr").info.title == "FSHDR"
    bracket = _moving_bracket(4)
    different = _loaded("fshdr", aligned).fuse(bracket) - _loaded("fshdr", plain).fuse(bracket)
    assert float(different.abs().max()) > 1e-4


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"training": '{"step": 1500, "batch": 4}'}, "1,500 steps of 4 samples"),
        (
            {"training": '{"step": 15, "batch": 4, "started_from": {"training": {"step": 1000}}}'},
            "1,000 + 15 steps of 4 samples",
        ),
        (
            {"training": '{"step": 15, "batch": 4, "started_from": {"training": null}}'},
            "15 steps of 4 samples",
        ),
        ({}, None),
        ({"training": "[" * 100_000}, None),
        ({"training": '{"step": "many", "batch": 4}'}, None),
        ({"training": "7"}, None),
    ],
)
def test_weights_say_how_long_they_were_trained(metadata, said):
    assert weights_training(metadata) == said
