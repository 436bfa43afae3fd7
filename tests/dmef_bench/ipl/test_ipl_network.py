import pytest
import torch

from dmef_bench.ipl import IPL, IPLConfig

TINY = IPLConfig(channels=8, blocks=2, channel_block=4, drtm_size=6)


def test_published_configuration_stays_within_the_papers_parameters():
    assert sum(p.numel() for p in IPL().parameters()) == 219_104 <= 975_000


@pytest.mark.parametrize("height", [16, 17, 23, 40])
@pytest.mark.parametrize("width", [16, 19, 30, 37])
def test_every_size_keeps_its_size(height, width):
    images = torch.rand(1, 3, 3, height, width)
    assert IPL(TINY)(images).shape == (1, 3, height, width)


def test_padding_is_cropped_exactly():
    """A picture extended by its own border gives the same inner result where nothing is global."""
    torch.manual_seed(0)
    network = IPL(IPLConfig(channels=8, blocks=2, channel_block=4, drtm=False)).double()
    torch.nn.init.normal_(network.up[0].weight)
    images = torch.rand(1, 3, 3, 18, 17, dtype=torch.float64)
    extended = torch.nn.functional.pad(images.flatten(1, 2), (0, 3, 0, 2), mode="replicate")
    whole = network(extended.unflatten(1, (3, 3)))
    torch.testing.assert_close(network(images), whole[..., :18, :17], rtol=1e-12, atol=1e-12)


def test_untrained_network_copies_the_reference():
    images = torch.rand(2, 3, 3, 20, 24)
    torch.testing.assert_close(IPL(TINY)(images), images[:, 1])


@pytest.mark.parametrize("lfe", ["prose", "equation"])
@pytest.mark.parametrize("final", ["last", "sum"])
def test_gradients_reach_every_parameter(lfe, final):
    torch.manual_seed(0)
    network = IPL(
        IPLConfig(channels=8, blocks=2, channel_block=4, drtm_size=6, lfe=lfe, final=final)
    )
    torch.nn.init.normal_(network.up[0].weight)
    network(torch.rand(1, 3, 3, 32, 32)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_same_bits_twice_and_alone_as_in_a_batch():
    torch.manual_seed(0)
    network = IPL(TINY).eval()
    torch.nn.init.normal_(network.up[0].weight)
    images = torch.rand(3, 3, 3, 33, 35)
    with torch.inference_mode():
        together = network(images)
        assert torch.equal(together, network(images))
        for n in range(3):
            torch.testing.assert_close(network(images[n : n + 1])[0], together[n])


def test_bfloat16_stays_near_float32():
    torch.manual_seed(0)
    network = IPL(TINY).eval()
    torch.nn.init.normal_(network.up[0].weight, std=0.1)
    images = torch.rand(1, 3, 3, 32, 32)
    with torch.inference_mode():
        exact = network(images)
        rough = network.to(torch.bfloat16)(images.to(torch.bfloat16)).float()
    assert (rough - exact).abs().max() < 0.05 * exact.abs().max()


@pytest.mark.parametrize(
    "changes",
    [
        {"dimensions": "HW"},
        {"dimensions": "CWHX"},
        {"lfe": "both"},
        {"final": "mean"},
        {"channel_block": 7},
        {"blocks": 0},
        {"factor": 10**6},
        {"drtm": 1},
        {"residual": 1},
        {"residual": False, "drtm": False},
        {"channels": 48.0},
    ],
    ids=str,
)
def test_impossible_configurations_are_refused(changes):
    with pytest.raises(ValueError, match="IPLConfig"):
        IPLConfig(**changes)


def test_configuration_survives_json_and_text():
    config = IPLConfig(lfe="equation", dimensions="WH", drtm=False, factor=2)
    assert IPLConfig.from_json(config.to_json()) == config
    with pytest.raises(ValueError, match="deep nest"):
        IPLConfig.from_json("[" * 100_000)
    texts = {"lfe": "equation", "dimensions": "WH", "drtm": "false", "factor": "2"}
    assert IPLConfig().changed(texts) == config
    for wrong in ({"speed": "9"}, {"factor": "fast"}, {"drtm": "2"}):
        with pytest.raises(ValueError, match="IPLConfig"):
            IPLConfig().changed(wrong)
