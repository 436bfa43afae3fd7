"""The four modes, each against what it promises."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from own_process import run_python
from scipy.special import expit

from dmef_bench.ipl import IPL, AttentionCache, IPLConfig
from dmef_bench.ipl.attention_cache import Place

CONFIG = IPLConfig(
    channels=6, blocks=2, factor=2, channel_block=3, width_block=4, height_block=5, drtm_size=5
)
EQUATION = IPLConfig(**{**vars(CONFIG), "lfe": "equation"})
SIZE = (9, 11)
AXES = {"C": 0, "H": 1, "W": 2}
MUCH = 2**30


def network(config=CONFIG):
    torch.manual_seed(3)
    made = IPL(config).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    return made


def features(seed, batch=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, CONFIG.channels, *SIZE, generator=generator)


def bracket(seed):
    return torch.rand(1, 3, 3, 18, 22, generator=torch.Generator().manual_seed(seed))


def steps_and_sum(extractors, x, config, bits):
    """DAEM of one picture in float64, and the sum over dimensions of the largest s/2 of a block."""
    x = x.double().numpy()
    total, bound = np.zeros_like(x), 0.0
    for name, extractor in extractors.items():
        p = {k: v.double().numpy() for k, v in extractor.state_dict().items()}
        size = {"C": config.channel_block, "W": config.width_block, "H": config.height_block}[name]
        outputs = []
        for block in np.split(x, range(size, x.shape[AXES[name]], size), AXES[name]):
            hidden = np.einsum("oc,chw->ohw", p["squeeze.weight"][..., 0, 0], block)
            hidden = np.maximum(hidden + p["squeeze.bias"][:, None, None], 0)
            excited = np.einsum("oc,chw->ohw", p["excite.weight"][..., 0, 0], hidden)
            weights = expit(excited + p["excite.bias"][:, None, None])
            scaled = block if config.lfe == "prose" else block.mean((1, 2), keepdims=True)
            outputs.append(scaled * weights)
        bound += max(np.ptp(output) for output in outputs) / (2**bits - 1) / 2
        total += np.concatenate(outputs, AXES[name])
    return bound, total


@pytest.mark.parametrize("config", [CONFIG, EQUATION], ids=["prose", "equation"])
@settings(max_examples=25, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 4), min_size=1, max_size=8),
    max_bytes=st.sampled_from([0, 3000, 8000, 25000, MUCH]),
    bits=st.sampled_from([4, 8, 16]),
)
def test_exact_never_changes_results_beyond_the_quantiser(config, seeds, max_bytes, bits):
    """Any order of pictures, with repeats and with any room: one result a picture, near `off`."""
    made = network(config)
    daem = made.blocks[0].daem
    cache = AttentionCache("exact", bits=bits, max_bytes=max_bytes)
    made.use_cache(cache)
    first = {}
    for seed in seeds:
        x = features(seed)
        with torch.inference_mode():
            found = daem(x)
        assert torch.equal(found, first.setdefault(seed, found))
        bound, expected = steps_and_sum(daem.extractors, x[0], config, bits)
        assert np.abs(found[0].numpy() - expected).max() <= bound + 2e-5
        assert cache.statistics.bytes <= cache.statistics.peak_bytes <= max_bytes
    if max_bytes == MUCH:
        blocks = 2 + 3 + 2
        assert cache.statistics.misses == blocks * len(set(seeds))
        assert cache.statistics.hits == blocks * (len(seeds) - len(set(seeds)))
        assert cache.statistics.evictions == 0


@pytest.mark.parametrize("config", [CONFIG, EQUATION], ids=["prose", "equation"])
def test_exact_without_compression_is_the_network_itself(config):
    made = network(config)
    with torch.inference_mode():
        off = [made(bracket(seed)) for seed in (0, 1)]
        made.use_cache(AttentionCache("exact", bits=None))
        for seed in (0, 1, 0, 1):
            torch.testing.assert_close(made(bracket(seed)), off[seed], rtol=1e-5, atol=1e-5)
    found = made.attention_cache.statistics
    assert found.hits == found.misses == 2 * CONFIG.blocks * 7


def test_a_warm_cache_gives_the_bits_of_a_cold_one_through_all_blocks():
    made = network()
    made.use_cache(AttentionCache("exact", bits=4))
    with torch.inference_mode():
        cold = made(bracket(0))
        computed = made.attention_cache.statistics.misses
        made(bracket(1))
        assert torch.equal(made(bracket(0)), cold)
    assert made.attention_cache.statistics.hits == computed


def test_equal_blocks_at_other_places_hit_in_exact_mode():
    made = network()
    made.use_cache(AttentionCache("exact"))
    with torch.inference_mode():
        made.blocks[0].daem(torch.ones(1, CONFIG.channels, 10, 12))
    assert made.attention_cache.statistics.misses == 3
    assert made.attention_cache.statistics.hits == 1 + 2 + 1


def test_position_mode_returns_the_previous_pictures_features():
    made = network()
    with torch.inference_mode():
        one, other = bracket(0), bracket(1)
        gain = made.gain(one.flatten(1, 2))
        made.use_cache(AttentionCache("position", bits=None))
        torch.testing.assert_close(made(one), gain * one[:, 1], rtol=1e-5, atol=1e-5)
        stale = made(other)
        torch.testing.assert_close(stale, gain * other[:, 1], rtol=1e-5, atol=1e-5)
        made.use_cache(None)
        assert (made(other) - stale).abs().max() > 0.05
        made.use_cache(AttentionCache("position", max_bytes=0))
        for picture in (one, other):
            right = made(picture)
        assert (right - stale).abs().max() > 0.05


def test_position_mode_keeps_pictures_of_other_sizes_and_of_a_batch_apart():
    made = network()
    made.use_cache(AttentionCache("position", bits=None))
    daem = made.blocks[0].daem
    x = features(0, batch=2)
    with torch.inference_mode():
        found = daem(x)
        assert daem(x[..., :-1, :-1]).shape == (2, CONFIG.channels, SIZE[0] - 1, SIZE[1] - 1)
        made.use_cache(None)
        torch.testing.assert_close(found, daem(x), rtol=1e-5, atol=1e-6)


def slope(extractor, largest):
    """How far F_LFE (prose) can move for each unit its block moves, in the largest value."""
    squeeze, excite = (
        getattr(extractor, name).weight[..., 0, 0].abs().sum(1).max() for name in
        ("squeeze", "excite")
    )  # fmt: skip
    return float(1 + largest * (squeeze * excite).detach() / 4)


@settings(max_examples=25, deadline=None)
@given(
    moves=st.lists(st.floats(0, 0.25), min_size=1, max_size=6),
    tolerance=st.floats(0.001, 0.1),
    seed=st.integers(0, 5),
)
def test_approximate_results_are_those_of_a_picture_within_the_tolerance(moves, tolerance, seed):
    made = network()
    daem = made.blocks[0].daem
    made.use_cache(AttentionCache("approximate", tolerance=tolerance, bits=None))
    start = features(seed)
    direction = features(seed + 100).clamp(-1, 1)
    for move in [0.0, *moves]:
        x = start + move * direction
        with torch.inference_mode():
            found = daem(x)
            made.blocks[0].daem.train()
            plain = daem(x)
            made.blocks[0].daem.eval()
        largest = float(x.abs().max()) + tolerance
        bound = tolerance * sum(slope(e, largest) for e in daem.extractors.values())
        assert (found - plain).abs().max() <= bound + 2e-5


def test_approximate_hits_within_the_tolerance_and_does_not_drift():
    calls = []

    def extract(block):
        calls.append(block)
        return block * 2

    cache = AttentionCache("approximate", tolerance=0.1, bits=None)
    place = Place(0, "W", 0, 0)
    block = torch.linspace(-1, 1, 24).reshape(1, 2, 3, 4)
    for n, computed in enumerate([1, 1, 1, 2, 2]):
        found = cache.read(place, block + 0.04 * n, extract)
        assert len(calls) == computed
        assert torch.equal(found, calls[-1] * 2)
    assert cache.statistics.entries == 1
    cache.read(place._replace(block=1), block, extract)
    assert len(calls) == 3


def test_blocks_with_nan_are_never_taken_for_the_same():
    cache = AttentionCache("approximate", tolerance=1.0)
    block = torch.tensor([[[[1.0, float("nan")]]]])
    for _ in range(2):
        cache.read(Place(0, "C", 0, 0), block, torch.neg)
    assert cache.statistics.misses == 2


@settings(max_examples=40, deadline=None)
@given(
    scale=st.sampled_from([1e-3, 1.0, 100.0]), share=st.floats(0.5, 1.5), seed=st.integers(0, 99)
)
def test_approximate_keeps_its_tolerance_in_bfloat16(scale, share, seed):
    """Its rounding is coarse: neither the kept block nor the difference may hide some of it."""
    generator = torch.Generator().manual_seed(seed)
    first = (torch.randn(1, 3, 4, 5, generator=generator) * scale).bfloat16()
    moved = first + (torch.rand(first.shape, generator=generator) * scale * 0.02).bfloat16()
    apart = float((moved.double() - first.double()).abs().max())
    cache = AttentionCache("approximate", tolerance=apart * share)
    for block in (first, moved):
        cache.read(Place(0, "W", 0, 0), block, torch.neg)
    assert cache.statistics.hits == 0 or apart <= cache.tolerance
    if share >= 1.2 and apart > 0:
        assert cache.statistics.hits == 1


COUNTED = """
import sys, torch
from dmef_bench.ipl import AttentionCache
from dmef_bench.ipl.attention_cache import Place

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

torch.set_num_threads(1)
cache = AttentionCache(sys.argv[1], tolerance=0.1)
def fill(fib, count):
    for n in range(count):
        cache.read(Place(fib, "W", 0, n), torch.rand(1, 2, 2, 2), torch.neg)
fill(0, 100)
before, told = held(), cache.statistics.bytes
fill(1, 5000)
print((held() - before) / (cache.statistics.bytes - told))
"""


@pytest.mark.parametrize("mode", ["exact", "approximate", "position"])
def test_small_blocks_take_no_more_memory_than_is_told(mode):
    """Of a block of eight numbers nearly all is what Python and torch hold beside them."""
    ran = run_python(COUNTED, mode)
    assert 0.5 < float(ran.out) < 1.1, ran.err


def test_equal_blocks_give_equal_bits_in_any_memory_layout():
    made = network()
    extractor = made.blocks[0].daem.extractors["W"]
    seen = []

    def extract(block):
        seen.append(block.stride())
        return extractor.extract(block)

    block = features(0)
    with torch.inference_mode():
        for layout in (torch.contiguous_format, torch.channels_last):
            AttentionCache("exact").read(
                Place(0, "W", 0, 0), block.to(memory_format=layout), extract
            )
    assert seen[0] == seen[1]


def test_least_recently_used_entries_go_first():
    cache = AttentionCache("position", bits=None, max_bytes=3 * (512 + 400))
    block = torch.zeros(1, 1, 10, 10)

    def read(index):
        return cache.read(Place(0, "W", 0, index), block + index, lambda b: b + 0)

    for index in (0, 1, 2, 0, 3):
        read(index)
    assert cache.statistics.evictions == 1
    before = cache.statistics.misses
    for index in (0, 2, 3):
        read(index)
    assert cache.statistics.misses == before
    read(1)
    assert cache.statistics.misses == before + 1
    assert cache.statistics.bytes == cache.max_bytes


def test_choosing_a_mode_leaves_the_state_dict_and_training_alone():
    made = network()
    keys = list(made.state_dict())
    cache = AttentionCache("position")
    made.use_cache(cache)
    assert list(made.state_dict()) == keys
    made.train()
    made(bracket(0)).mean().backward()
    assert all(parameter.grad is not None for parameter in made.parameters())
    made.eval()
    made(bracket(0))
    assert cache.statistics.misses == 0
    with torch.no_grad():
        made(bracket(0))
    assert cache.statistics.entries > 0
    made.load_state_dict(made.state_dict())
    assert cache.statistics.entries == 0
    with torch.no_grad():
        made(bracket(0))
    made.to(torch.float32)  # which changes nothing
    assert cache.statistics.entries > 0
    made.half().float()  # which rounds the weights
    assert cache.statistics.entries == 0


def test_mode_off_computes_everything():
    made = network()
    with torch.inference_mode():
        plain = made(bracket(0))
        made.use_cache(AttentionCache("off"))
        torch.testing.assert_close(made(bracket(0)), plain, rtol=0, atol=0)
    block = torch.ones(1, 1, 2, 2)
    assert AttentionCache("off").read(Place(0, "W", 0, 0), block, lambda b: b + 1).sum() == 8
    assert made.attention_cache.statistics.misses == 0


@pytest.mark.parametrize(
    "wrong",
    [{"mode": "warm"}, {"tolerance": -1}, {"tolerance": float("nan")}, {"bits": 5},
     {"max_bytes": -1}],
    ids=str,
)  # fmt: skip
def test_impossible_caches_are_refused(wrong):
    with pytest.raises(ValueError, match=r"mode|tolerance|bits|max_bytes"):
        AttentionCache(**wrong)
