import subprocess
import sys
import time

import cv2
import fusion_methods
import numpy as np
import pytest
import torch

from baselines import Bracket, resolve
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import (
    MethodCall,
    MethodFailedError,
    NativeProtocol,
    OutOfMemoryError,
    TiledProtocol,
    predict,
)
from dmef_bench.evaluation.macs import count_macs, count_parameters
from dmef_bench.evaluation.memory import PeakMemory
from dmef_bench.evaluation.method_call import is_out_of_memory
from dmef_bench.evaluation.ready_method import ready_method
from dmef_bench.evaluation.timing import Stopwatch, spread
from dmef_bench.evaluation.warm_up import measure_cost

CPU = torch.device("cpu")
BRACKET = Bracket(torch.rand(1, 3, 3, 20, 30), (-1.5, 0.5, 2.5))


def _predict(method, protocol=None, precision="float32"):
    return predict(MethodCall(method, precision), protocol or NativeProtocol(), BRACKET, 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NotANumber", "returned NaN or infinity in 3 of its values"),
        ("WrongSize", r"returned shape \(1, 3, 19, 30\)"),
        ("Whole", "returned torch.uint8"),
        ("Nothing", "returned NoneType"),
        ("Raises", "raised ValueError: no luck today"),
    ],
)
def test_methods_that_return_no_picture_fail_with_one_line(name, message):
    with pytest.raises(MethodFailedError, match=message) as raised:
        _predict(getattr(fusion_methods, name)())
    assert "\n" not in str(raised.value)


def test_no_memory_is_told_from_other_failures():
    with pytest.raises(OutOfMemoryError, match="out of memory"):
        _predict(fusion_methods.Greedy())


def test_every_library_s_way_of_saying_so_is_known():
    for ask in (
        lambda: np.empty(2**50),
        lambda: torch.empty(2**50),
        lambda: cv2.resize(np.zeros((10, 10, 3)), (2**31 - 1, 2**30)),
    ):
        with pytest.raises((MemoryError, RuntimeError, cv2.error)) as raised:
            ask()
        assert is_out_of_memory(raised.value)
    assert not is_out_of_memory(RuntimeError("shapes differ"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_half_precision_reaches_the_network_and_comes_back():
    method = fusion_methods.Convolution()
    full = _predict(method).picture
    half = _predict(method, precision="bfloat16").picture
    assert method.layer.weight.dtype == torch.bfloat16
    assert not np.array_equal(half, full)
    assert np.abs(half.astype(int) - full).max() < 8


def test_half_precision_needs_a_network():
    with pytest.raises(UsageError, match="average has no network to run in float16"):
        MethodCall(fusion_methods.Average(), "float16")


@pytest.mark.parametrize(
    ("protocol", "calls", "size"),
    [(NativeProtocol(), 1, (20, 30)), (TiledProtocol(16, 4), 6, (16, 16))],
)
def test_macs_are_those_of_every_call_at_its_size(protocol, calls, size):
    call = MethodCall(fusion_methods.Convolution(), "float32")
    cost, note = measure_cost(call, protocol, BRACKET)
    assert cost.macs == calls * size[0] * size[1] * 9 * 9 * 3
    assert cost.macs_size == size
    assert note is None


def test_a_method_that_can_not_bear_the_counting_is_run_without():
    class Shy(fusion_methods.Convolution):
        def fuse(self, bracket):
            if torch._C._len_torch_dispatch_stack():
                raise RuntimeError("somebody is watching")
            return super().fuse(bracket)

    cost, note = measure_cost(MethodCall(Shy(), "float32"), NativeProtocol(), BRACKET)
    assert cost.macs is None
    assert cost.peak_memory_bytes is not None
    assert note == (
        "convolution: its MACs can't be counted: it raised RuntimeError: somebody is watching"
    )


def test_memory_is_that_of_the_call_that_nobody_watches():
    class TwoPaths(fusion_methods.Convolution):
        """Takes another path, and more memory, where operations are counted."""

        def fuse(self, bracket):
            watched = torch._C._len_torch_dispatch_stack() > 0
            taken = np.ones((128 if watched else 64) * 2**17)  # 128 or 64 MB
            return super().fuse(bracket) * taken[0]

    cost, _ = measure_cost(MethodCall(TwoPaths(), "float32"), NativeProtocol(), BRACKET)
    assert cost.macs is not None
    assert 60 * 2**20 < cost.peak_memory_bytes < 100 * 2**20


@pytest.mark.parametrize("name", ["mertens", "gdc"])
def test_methods_of_the_processor_are_loaded_there_whatever_is_asked_for(name):
    assert ready_method(resolve(name), None, torch.device("meta")).device == CPU


def test_macs_of_products_and_of_nothing():
    one, other = torch.rand(7, 11), torch.rand(11, 13)
    assert count_macs(lambda: one @ other) == 7 * 11 * 13
    assert count_macs(lambda: one + 1) == 0
    query, mask = torch.rand(2, 3, 8, 5), torch.zeros(8, 8)
    attend = torch.nn.functional.scaled_dot_product_attention
    assert count_macs(lambda: attend(query, query, query, attn_mask=mask)) == 2 * 2 * 3 * 8 * 8 * 5
    cost, _ = measure_cost(
        MethodCall(fusion_methods.Average(), "float32"), NativeProtocol(), BRACKET
    )
    assert cost.macs is None
    assert cost.macs_size is None


def test_parameters_are_counted_once():
    network = torch.nn.Sequential(layer := torch.nn.Linear(5, 5), layer)
    assert count_parameters(network) == 30
    assert count_parameters(fusion_methods.Convolution().network()) == 9 * 27 + 3


def test_peak_memory_sees_what_is_gone_at_the_end():
    call = MethodCall(fusion_methods.Holds64MB(), "float32")
    with PeakMemory(CPU) as memory:
        call(BRACKET)
    assert memory.kind == "rss"
    assert memory.bytes is not None
    assert 60 * 2**20 < memory.bytes < 160 * 2**20


def test_peak_memory_forgets_what_came_before():
    np.ones(32 * 2**20)  # 256 MB, and gone
    with PeakMemory(CPU) as memory:
        pass
    assert memory.bytes is not None
    assert memory.bytes < 32 * 2**20


def test_only_the_method_is_inside_the_clock():
    class Slow(fusion_methods.Average):
        def fuse(self, bracket):
            time.sleep(0.02)
            return super().fuse(bracket)

    prediction = _predict(Slow(), TiledProtocol(16, 4))
    assert prediction.total_seconds >= prediction.inference_seconds >= 6 * 0.02


def test_the_median_of_the_repeats_is_kept():
    class Stuttering(fusion_methods.Average):
        def fuse(self, bracket):
            time.sleep(0.2 if len(self.sizes) == 1 else 0.01)
            return super().fuse(bracket)

    call = MethodCall(Stuttering(), "float32")
    prediction = predict(call, NativeProtocol(), BRACKET, 3)
    assert len(call.method.sizes) == 3
    assert 0.01 <= prediction.inference_seconds < 0.2


def test_stopwatch_adds_up_and_skips_failures():
    watch = Stopwatch(CPU)
    for _ in range(2):
        with watch:
            time.sleep(0.01)
    assert watch.seconds >= 0.02
    before = watch.seconds
    with pytest.raises(ValueError, match="no"), watch:
        raise ValueError("no")
    assert watch.seconds == before


def test_spread_is_median_and_quartiles():
    found = spread([4.0, 1.0, 2.0, 3.0, 5.0])
    assert (found.lower_quartile, found.median, found.upper_quartile) == (2.0, 3.0, 4.0)
    assert found.count == 5
    assert spread([]) is None


def test_counting_brings_no_compiler_whose_memory_would_be_measured():
    code = (
        "import sys, torch; from dmef_bench.evaluation.macs import count_macs\n"
        "one = torch.rand(3, 3); assert count_macs(lambda: one @ one) == 27\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
