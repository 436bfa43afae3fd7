"""The fast path against the network: the same function at every size, reading and dtype."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines import Bracket
from dmef_bench.evaluation.macs import count_macs
from dmef_bench.ipl import IPL, AttentionCache, IPLConfig, IPLMethod
from dmef_bench.ipl.fast import can_fuse_fast, engine, fuse_fast
from dmef_bench.ipl.fast.workers import Workers

SMALL = {
    "channels": 6, "blocks": 2, "factor": 2, "channel_block": 3, "width_block": 4,
    "height_block": 5, "drtm_size": 7,
}  # fmt: skip
READINGS = [
    {},
    {"lfe": "equation"},
    {"final": "sum"},
    {"final": "sum", "lfe": "equation", "dimensions": "WH"},
    {"dimensions": "C"},
    {"dimensions": "H", "lfe": "equation"},
    {"dimensions": ""},
    {"dimensions": "", "residual": False},
    {"drtm": False, "factor": 3},
    {"drtm": False, "lfe": "equation", "dimensions": "CW"},
]
EVS = (-1.5, 0.5, 2.5)


def filled(config):
    torch.manual_seed(1)
    network = IPL(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    return network


def both(network, images):
    with torch.inference_mode():
        return network(images), fuse_fast(network, images)


@pytest.mark.parametrize("changes", READINGS, ids=str)
def test_it_is_the_same_function_in_float64(changes):
    network = filled(IPLConfig(**{**SMALL, **changes})).double()
    for size in [(16, 16), (21, 18), (30, 47)]:
        plain, fast = both(network, torch.rand(2, 3, 3, *size, dtype=torch.float64))
        torch.testing.assert_close(fast, plain, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("reading", ["prose", "equation"])
def test_cutting_into_strips_and_tiles_changes_nothing(reading, monkeypatch):
    """One feature row a tile, two a strip: every border between them is met."""
    network = filled(IPLConfig(**{**SMALL, "lfe": reading, "final": "sum"})).double()
    images = torch.rand(1, 3, 3, 41, 26, dtype=torch.float64)
    monkeypatch.setattr(engine, "TILE_PIXELS", 13)
    monkeypatch.setattr(engine, "STRIP_PIXELS", 26)
    plain, fast = both(network, images)
    torch.testing.assert_close(fast, plain, rtol=1e-10, atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(16, 80), width=st.integers(16, 80), factor=st.sampled_from([1, 2, 3, 4]))
def test_every_size_from_16_to_80(height, width, factor):
    network = filled(IPLConfig(**{**SMALL, "factor": factor})).double()
    plain, fast = both(network, torch.rand(1, 3, 3, height, width, dtype=torch.float64))
    torch.testing.assert_close(fast, plain, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("threads", [1, 2])
def test_shipped_weights_agree_within_1e_4_in_float32(threads):
    method = IPLMethod()
    method.load(None, torch.device("cpu"))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        plain, fast = both(method.network(), torch.rand(1, 3, 3, 203, 390))
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert (plain - fast).abs().max() <= 1e-4


def test_same_bits_twice():
    network = filled(IPLConfig(**SMALL))
    images = torch.rand(1, 3, 3, 60, 50)
    assert torch.equal(fuse_fast(network, images), fuse_fast(network, images))


def test_it_follows_changed_weights():
    network = filled(IPLConfig(**SMALL))
    images = torch.rand(1, 3, 3, 20, 20)
    before = fuse_fast(network, images)
    with torch.no_grad():
        network.up[0].bias += 1
    torch.testing.assert_close(fuse_fast(network, images), before + images[:, 1])


def test_when_it_stands_in_for_the_network():
    network = filled(IPLConfig(**SMALL))
    images = torch.rand(1, 3, 3, 16, 16)
    assert not can_fuse_fast(network, images), "gradients are on"
    with torch.inference_mode():
        assert can_fuse_fast(network, images)
        assert not can_fuse_fast(network, images.double())
        assert not can_fuse_fast(network.bfloat16(), images.bfloat16())
        network.float().use_cache(AttentionCache("exact"))
        assert not can_fuse_fast(network, images)
        network.use_cache(AttentionCache("off"))
        assert can_fuse_fast(network, images)
        assert not can_fuse_fast(network.train(), images)


def tiny_method(monkeypatch, calls):
    """A loaded IPLMethod that notes in `calls` which of its two paths it takes."""
    method = IPLMethod()
    method.load(None, torch.device("cpu"))
    real = fuse_fast
    monkeypatch.setattr(
        "dmef_bench.ipl.method.fuse_fast", lambda *given: calls.append("fast") or real(*given)
    )
    method.network().register_forward_hook(lambda *_: calls.append("plain"))
    return method


def test_the_method_takes_it_by_itself_and_leaves_it_for_a_cache(monkeypatch):
    calls = []
    method = tiny_method(monkeypatch, calls)
    bracket = Bracket(torch.rand(1, 3, 3, 32, 40), EVS)
    fast = method.fuse(bracket)
    method.network().use_cache(AttentionCache("exact", bits=None))
    plain = method.fuse(bracket)
    assert calls == ["fast", "plain"]
    torch.testing.assert_close(fast, plain, rtol=0, atol=1e-4)


def test_multiply_accumulates_are_counted_whole():
    """The counter sees one thread; the method must not hide work from it in others."""
    method = IPLMethod()
    method.load(None, torch.device("cpu"))
    bracket = Bracket(torch.rand(1, 3, 3, 32, 40), EVS)
    network = method.network()
    counted = count_macs(lambda: method.fuse(bracket))
    with torch.inference_mode():
        assert counted == count_macs(lambda: network(bracket.images)) > 10**6


def test_a_network_brought_to_bfloat16_runs_in_it():
    method = IPLMethod()
    method.load(None, torch.device("cpu"))
    bracket = Bracket(torch.rand(1, 3, 3, 32, 40), EVS)
    exact = method.fuse(bracket)
    method.network().to(torch.bfloat16)
    rough = method.fuse(bracket)
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.05


def test_an_error_in_a_strip_reaches_the_caller_and_threads_are_given_back():
    before = torch.get_num_threads()

    def fail(item):
        raise ArithmeticError(f"strip {item}")

    with pytest.raises(ArithmeticError, match="strip 0"), Workers() as workers:
        workers.each(fail, [0, 1, 2])
    assert torch.get_num_threads() == before
