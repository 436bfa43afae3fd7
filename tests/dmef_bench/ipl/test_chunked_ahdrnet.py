"""AHDRNet in chunks: each as the network alone makes it, and a cache that changes nothing."""

import pytest
import torch
from tiny_networks import tiny_network, without_shipped_weights, write_weights

from baselines import Bracket, WeightsError, WeightsMissingError, check_method, resolve
from baselines.ahdrnet.chunks import chunks, fuse_in_chunks
from baselines.conventions import Conventions
from baselines.learned import exposure_inputs
from dmef_bench.ipl import AttentionCache
from dmef_bench.ipl.chunked_ahdrnet import ChunkedAHDRNet, UncachedChunks

CPU = torch.device("cpu")
EVS = (-1.5, 0.5, 2.5)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Networks this small only wait for one another on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def weights(tmp_path):
    return write_weights(tmp_path / "w.safetensors", tiny_network("ahdrnet"), "ahdrnet",
                         Conventions())  # fmt: skip


def _bracket(height=80, width=150, batch=1, seed=1):
    random = torch.Generator().manual_seed(seed)
    return Bracket(torch.rand(batch, 3, 3, height, width, generator=random), EVS)


def _loaded(weights, method=ChunkedAHDRNet, cache=None):
    made = method()
    if cache is not None:
        made.cache = cache
    made.load(weights, CPU)
    return made


def test_chunks_cover_a_picture_once():
    seen = torch.zeros(130, 64, dtype=torch.int64)
    sizes = []
    for rows, columns in chunks(130, 64, 64):
        seen[rows, columns] += 1
        sizes.append(tuple(seen[rows, columns].shape))
    assert bool((seen == 1).all())
    assert sizes == [(64, 64), (64, 64), (2, 64)]


def test_every_chunk_is_the_network_s_own_picture_of_it(weights):
    bracket = _bracket(batch=2)
    whole = resolve("ahdrnet")()
    whole.load(weights, CPU)
    fused = _loaded(weights, UncachedChunks).fuse(bracket)
    for rows, columns in chunks(80, 150, 64):
        alone = whole.fuse(bracket.map(lambda x, r=rows, c=columns: x[..., r, c]))
        torch.testing.assert_close(fused[..., rows, columns], alone, rtol=0, atol=1e-6)
    assert float((fused - whole.fuse(bracket)).abs().max()) > 1e-4


def test_the_network_in_one_chunk_is_the_network(weights):
    network = tiny_network("ahdrnet")
    exposures = exposure_inputs(network, _bracket(), Conventions(), "LDR, linear")
    with torch.no_grad():
        fused = fuse_in_chunks(network, exposures, side=1000)
        assert torch.equal(fused, network(*exposures))


def test_an_exact_cache_never_changes_the_result(weights):
    pictures = [_bracket(seed=seed) for seed in (1, 2, 1)]
    off = _loaded(weights, UncachedChunks)
    kept = _loaded(weights, cache=AttentionCache("exact", bits=None))
    small = _loaded(weights, cache=AttentionCache("exact", bits=None, max_bytes=300_000))
    for bracket in pictures:
        expected = off.fuse(bracket)
        assert torch.equal(kept.fuse(bracket), expected)
        assert torch.equal(small.fuse(bracket), expected)
    found = kept.cache.statistics
    assert (found.hits, found.misses) == (6, 12)
    assert small.cache.statistics.evictions > 0


def test_compression_is_the_same_whatever_was_fused_before(weights):
    cold = [_loaded(weights).fuse(_bracket(seed=seed)) for seed in (1, 2)]
    warm = _loaded(weights)
    for seed in (2, 1, 2, 1):
        assert torch.equal(warm.fuse(_bracket(seed=seed)), cold[seed - 1])
    assert warm.cache.statistics.hits == 12
    off = _loaded(weights, UncachedChunks).fuse(_bracket(seed=1))
    difference = float((cold[0] - off).abs().max())
    assert 0 < difference < 0.01


def test_a_cache_by_place_gives_the_features_of_the_picture_before(weights):
    first, second = _bracket(seed=1), _bracket(seed=2)
    method = _loaded(weights, cache=AttentionCache("position", bits=None))
    off = _loaded(weights, UncachedChunks)
    assert torch.equal(method.fuse(first), off.fuse(first))
    assert float((method.fuse(second) - off.fuse(second)).abs().max()) > 1e-3
    method.load(weights, CPU)
    assert torch.equal(method.fuse(second), off.fuse(second))


def test_keeps_every_promise_of_a_method(weights):
    results = check_method(ChunkedAHDRNet, weights)
    assert [one for one in results if not one.passed] == []


def test_it_takes_the_weights_of_ahdrnet_alone(tmp_path):
    with pytest.raises(WeightsMissingError, match="ahdrnet-chunks needs weights"):
        without_shipped_weights(ChunkedAHDRNet, tmp_path)().load(None, CPU)
    network = tiny_network("ahdrnet")
    named = write_weights(tmp_path / "n.safetensors", network, "ipl")
    with pytest.raises(WeightsError, match="weights of 'ipl', not of 'ahdrnet'"):
        _loaded(named)
    bare = write_weights(tmp_path / "b.safetensors", network)
    assert _loaded(bare).conventions.output == "linear"
