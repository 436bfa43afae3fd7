"""CNN-W and CNN-C: what they keep, what they cost, and how they are fitted."""

import pytest
import torch

from dmef_bench.ipl import IPL, AttentionCache, IPLConfig
from dmef_bench.ipl.attention_cache import Place
from dmef_bench.ipl.block_coders import BlockCoder, BlockCoders, coder_tensors, load_coders
from dmef_bench.ipl.quantisation import quantise
from dmef_bench.ipl.weights_file import SHIPPED, load_network
from dmef_bench.training.cache_coders import (
    extractor_features,
    fit_step,
    held_out_decibels,
    new_coders,
)
from dmef_bench.training.tensor_file import tensor_file

KINDS = ("cnn-width", "cnn-channels")
CONFIG = IPLConfig(
    channels=6, blocks=2, factor=2, channel_block=3, width_block=5, height_block=4, drtm_size=5
)


def network():
    torch.manual_seed(2)
    made = IPL(CONFIG).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    return made


def bracket(seed):
    return torch.rand(1, 3, 3, 18, 22, generator=torch.Generator().manual_seed(seed))


def coders_for(made):
    return new_coders(extractor_features(made, bracket(9)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (3, 4), (5, 7)])
def test_a_block_is_halved_and_comes_back_with_its_shape(kind, size):
    coder = BlockCoder(kind, 5)
    block = torch.randn(2, 5, *size)
    code = coder.encode(block)
    rows, columns = size
    halved = (2, 5, rows, (columns + 1) // 2) if kind == "cnn-width" else (2, 3, rows, columns)
    assert code.shape == halved
    assert coder(block).shape == block.shape


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_smooth_blocks_come_back_close_and_take_the_room_of_8_bits(kind, dtype):
    features = torch.linspace(0, 1, 24)[:, None] * torch.tensor([1.0, -2.0, 0.5, 3.0])
    block = features.t().reshape(1, 4, 1, 24).expand(1, 4, 9, 24).to(dtype)
    width, channels = new_coders({(0, "W"): block.float()})
    coders = width if kind == "cnn-width" else channels
    coded = coders.compress(0, "W", block)
    found = coders.restore(0, "W", coded)
    assert found.shape == block.shape
    assert found.dtype == dtype
    inside = slice(2, -2)
    assert (found - block)[..., inside].abs().max() < 0.1
    assert coded.bytes == quantise(block, 8).bytes


@pytest.mark.parametrize("kind", KINDS)
def test_infinities_and_nan_come_back_in_their_places_and_spoil_no_other(kind):
    block = torch.ones(1, 4, 6, 8)
    coders = new_coders({(0, "H"): block})[KINDS.index(kind)]
    broken = block.clone()
    broken[0, 1, 2, 3], broken[0, 0, 5, 7], broken[0, 3, 0, 0] = torch.nan, torch.inf, -torch.inf
    found = coders.restore(0, "H", coders.compress(0, "H", broken))
    finite = torch.isfinite(broken)
    torch.testing.assert_close(found[~finite], broken[~finite], equal_nan=True)
    torch.testing.assert_close(
        found[finite], coders.restore(0, "H", coders.compress(0, "H", block))[finite]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_cache_with_coders_keeps_the_promise_of_its_mode(kind):
    """A warm cache gives the bits of a cold one, whatever was fused between."""
    made = network()
    cache = AttentionCache(
        "exact", compression=kind, coders=coders_for(made)[KINDS.index(kind)], max_bytes=150_000
    )
    made.use_cache(cache)
    first = {}
    with torch.inference_mode():
        for seed in (0, 1, 0, 2, 3, 0, 1):
            found = made(bracket(seed))
            assert torch.isfinite(found).all()
            assert torch.equal(found, first.setdefault(seed, found))
    assert cache.statistics.hits > 0
    assert cache.statistics.peak_bytes <= 150_000
    assert cache.description == f"exact, {kind}"


def test_the_shipped_coders_fit_the_shipped_network_and_no_other():
    made, _ = load_network(SHIPPED)
    made.eval()
    for kind in KINDS:
        cache = AttentionCache("position", compression=kind)
        made.use_cache(cache)
        with torch.inference_mode():
            close = made(torch.full((1, 3, 3, 16, 16), 0.5))
            made.use_cache(None)
            assert (close - made(torch.full((1, 3, 3, 16, 16), 0.5))).abs().max() < 0.2
        with pytest.raises(ValueError, match=rf"{kind} were made for another network: blocks of"):
            network().use_cache(cache)
    made.use_cache(AttentionCache("exact", bits=4))


def test_coders_survive_their_file(tmp_path):
    both = coders_for(network())
    path = tmp_path / "coders.safetensors"
    channels = '{"0C": 3, "0W": 6, "0H": 6, "1C": 3, "1W": 6, "1H": 6}'
    path.write_bytes(tensor_file(coder_tensors(both), {"channels": channels}))
    block = torch.randn(1, 6, 4, 5)
    for coders in both:
        found = load_coders(coders.kind, path)
        expected = coders.coder(1, "W")(block)
        torch.testing.assert_close(found.coder(1, "W")(block), expected, rtol=0.01, atol=0.01)
    path.write_bytes(tensor_file(coder_tensors(both[:1]), {"channels": channels}))
    with pytest.raises(ValueError, match=r"coders\.safetensors: no coders of cnn-channels"):
        load_coders("cnn-channels", path)
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="no coders of cnn-width"):
        load_coders("cnn-width", path)


@pytest.mark.parametrize(
    "wrong", [{"compression": "zip"}, {"compression": "cnn-width", "coders": "other"}], ids=str
)
def test_impossible_compressions_are_refused(wrong):
    if "coders" in wrong:
        wrong["coders"] = BlockCoders("cnn-channels", {(0, "W"): 4})
    with pytest.raises(ValueError, match=r"compression is one of|coders of cnn-channels"):
        AttentionCache(**wrong)


def test_none_and_no_bits_are_the_same():
    block = torch.randn(1, 2, 3, 4)
    for options in ({"compression": "none"}, {"bits": None}):
        cache = AttentionCache("exact", **options)
        assert cache.compression == "none"
        found = cache.read(Place(0, "W", 0, 0), block, torch.neg)
        assert torch.equal(found, -block)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_fitting_is_that_of_its_loss(kind):
    """Against finite differences, in float64; and following it makes the loss smaller."""
    features = {
        place: blocks.double()
        for place, blocks in extractor_features(network(), bracket(0)).items()
    }
    coders = new_coders({p: b.float() for p, b in features.items()})[KINDS.index(kind)].double()
    parameters = list(coders.parameters())
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(torch.randn_like(parameter) * 0.1)
    loss = fit_step(coders, features)
    gradients = torch.autograd.grad(loss, parameters)
    assert all(gradient.abs().max() > 0 for gradient in gradients)
    for parameter, gradient in zip(parameters[:4], gradients[:4], strict=True):
        step = torch.zeros_like(parameter).view(-1)
        step[0] = 1e-5
        with torch.no_grad():
            parameter.add_(step.view_as(parameter))
            above = fit_step(coders, features)
            parameter.sub_(2 * step.view_as(parameter))
            below = fit_step(coders, features)
            parameter.add_(step.view_as(parameter))
        torch.testing.assert_close(
            (above - below) / 2e-5, gradient.view(-1)[0], rtol=1e-4, atol=1e-6
        )
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.sub_(1e-3 * gradient)
    assert fit_step(coders, features) < loss


def test_the_shipped_coders_lose_little_on_scenes_they_never_saw(monkeypatch):
    monkeypatch.setattr("dmef_bench.training.cache_coders._BATCHES", 2)
    made, _ = load_network(SHIPPED)
    made.eval()
    width, channels = (held_out_decibels(made, load_coders(kind), 32) for kind in KINDS)
    assert channels > 30
    assert width > 14
