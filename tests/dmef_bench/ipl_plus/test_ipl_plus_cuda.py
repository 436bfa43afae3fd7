"""The kernels of the CUDA path, in Triton's interpreter and through its compiler, without a GPU."""

import pytest
import torch
from kernel_scripts import check_compiled, run_script

from baselines import Bracket
from dmef_bench.gpu.plans import MAX_PLANS
from dmef_bench.ipl_plus import IPLPlus, IPLPlusConfig
from dmef_bench.ipl_plus.cuda import can_fuse_on_cuda, covers, fuse_on_cuda
from dmef_bench.ipl_plus.cuda.picture import counts
from dmef_bench.ipl_plus.method import SHIPPED, IPLPlusMethod

pytest.importorskip("triton")
EVS = (-2.0, 0.5, 2.0)


@pytest.fixture(scope="module")
def interpreted():
    return run_script("ipl_plus_in_interpreter.py", TRITON_INTERPRET="1")


def test_it_is_the_same_function_in_float32(interpreted):
    halves = ("bfloat16", "float16", "eight bit", "NaN")
    exact = {name: case for name, case in interpreted.items() if name not in halves}
    assert len(exact) == 5
    assert all(case["largest"] <= 1e-5 for case in exact.values()), exact


@pytest.mark.parametrize(("dtype", "bound"), [("bfloat16", 2e-2), ("float16", 2e-3)])
def test_half_precision_stays_near_float32(interpreted, dtype, bound):
    assert 0 < interpreted[dtype]["relative"] <= bound


def test_eight_bit_pictures_go_in_and_come_out_rounded(interpreted):
    """A value a float's rounding away from a half may fall to either side."""
    assert interpreted["eight bit"]["largest"] <= 1
    assert interpreted["eight bit"]["share"] <= 1e-3


def test_nan_in_a_picture_is_nan_in_the_result(interpreted):
    assert interpreted["NaN"]["there"] > 0


def test_the_cases_move_and_mix(interpreted):
    """Otherwise equality would say little about the flow and the shares."""
    assert interpreted["two levels"]["flow"] > 0.5
    assert interpreted["two levels"]["mixed"] > 0.01


def test_every_launch_is_compiled_for_an_h200():
    by_matrices = {"convolve", "join", "mix"}
    others = {"estimate", "enter", "halve", "fetch", "differ", "share", "settle", "align", "look"}
    check_compiled("ipl-plus", by_matrices | others, by_matrices)


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({}, True),
        ({"align": False, "knots": 9}, True),
        ({"features": 96}, False),
        ({"radius": 4}, False),
        ({"width": 96}, False),
    ],
)
def test_which_configurations_are_covered(changes, covered):
    assert covers(IPLPlusConfig(**changes)) is covered


@pytest.mark.parametrize(
    ("shape", "counted"),
    [
        ((1, 3, 3, 10_000, 20_000), True),
        ((1, 3, 3, 20_000, 30_000), False),
        ((1, 3, 3, 70_000, 16), False),
        ((80, 3, 3, 4320, 7680), True),
        ((8000, 3, 3, 16, 16), False),
    ],
)
def test_what_32_bits_cannot_number_is_left_to_the_network(shape, counted):
    assert counts(torch.Size(shape)) is counted


def test_it_never_stands_in_on_a_cpu():
    network = IPLPlus(IPLPlusConfig(features=8, width=8)).eval()
    with torch.inference_mode():
        assert not can_fuse_on_cuda(network, torch.rand(1, 3, 3, 16, 16))


gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
BOUNDS = {torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 2e-3}


@gpu
@pytest.mark.parametrize("dtype", BOUNDS, ids=str)
def test_on_a_gpu_the_method_takes_it_and_stays_near_float64(dtype):
    method, slow = IPLPlusMethod(), IPLPlusMethod()
    for loaded in (method, slow):
        loaded.load(SHIPPED, torch.device("cuda"))
    network, exact_network = method.network().to(dtype), slow.network().double()
    for size in [(16, 16), (203, 390), (541, 959)]:
        images = torch.rand(2, 3, 3, *(-(-side // 8) for side in size), device="cuda")
        images = torch.nn.functional.interpolate(images.flatten(1, 2), size).view(2, 3, 3, *size)
        with torch.no_grad():
            exact = exact_network(images.double(), EVS).clamp(0, 1)
            assert can_fuse_on_cuda(network, images)
        fused = method.fuse(Bracket(images, EVS))
        assert fused.dtype == torch.float32
        assert (fused - exact).norm() / exact.norm() <= BOUNDS[dtype]


@gpu
def test_a_replay_follows_new_pictures_evs_and_weights_and_sizes_are_let_go():
    network = IPLPlus(IPLPlusConfig(features=8, width=8)).eval().cuda()
    torch.nn.init.normal_(network.judge.exit.weight, std=0.05)
    for turn in range(2 * MAX_PLANS):
        images = torch.rand(1, 3, 3, 20 + turn % (MAX_PLANS + 1), 31, device="cuda")
        with torch.no_grad():
            network.judge.exit.bias += 0.05
            first = fuse_on_cuda(network, images, EVS)
            second = fuse_on_cuda(network, images.flip(-1), (-1.0, 0.0, 1.0))
            torch.testing.assert_close(first, network(images, EVS), rtol=1e-3, atol=1e-3)
            expected = network(images.flip(-1), (-1.0, 0.0, 1.0))
        torch.testing.assert_close(second, expected, rtol=1e-3, atol=1e-3)
