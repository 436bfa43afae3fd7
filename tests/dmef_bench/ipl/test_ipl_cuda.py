"""The kernels of the CUDA path, in Triton's interpreter and through its compiler, without a GPU."""

import pytest
import torch
from kernel_scripts import check_compiled, run_script

from baselines import Bracket
from dmef_bench.gpu.plans import MAX_PLANS
from dmef_bench.ipl import IPL, IPLConfig, IPLMethod
from dmef_bench.ipl.fast.cuda import can_fuse_on_cuda, covers, fuse_on_cuda, memory_traffic
from dmef_bench.ipl.fast.cuda.picture import counts
from dmef_bench.ipl.weights_file import SHIPPED, load_network

pytest.importorskip("triton")


@pytest.fixture(scope="module")
def interpreted():
    return run_script("ipl_in_interpreter.py", TRITON_INTERPRET="1")


def test_it_is_the_same_function_in_float32(interpreted):
    halves = ("bfloat16", "float16", "eight bit", "NaN")
    exact = {name: case for name, case in interpreted.items() if name not in halves}
    assert len(exact) == 9
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
    assert interpreted["NaN"]["hidden"] == 0


def test_every_launch_is_compiled_for_an_h200():
    check_compiled(
        "ipl",
        {"sample_features", "sample_block", "roll", "trunk", "upsample"},
        by_matrices={"trunk", "upsample"},
    )


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({}, True),
        ({"final": "sum", "dimensions": "", "drtm": False}, True),
        ({"lfe": "equation"}, False),
        ({"residual": False}, False),
        ({"channels": 96}, False),
        ({"factor": 8}, False),
        ({"drtm_size": 128}, False),
    ],
)
def test_which_configurations_are_covered(changes, covered):
    assert covers(IPLConfig(**changes)) is covered


@pytest.mark.parametrize(
    ("shape", "counted"),
    [
        ((1, 3, 3, 20_000, 30_000), True),
        ((1, 3, 3, 60_000, 60_000), False),
        ((40, 3, 3, 4320, 7680), True),
        ((80, 3, 3, 4320, 7680), False),
        ((3000, 3, 3, 16, 16), False),
    ],
)
def test_what_32_bits_cannot_number_is_left_to_the_network(shape, counted):
    assert counts(IPLConfig(), torch.Size(shape)) is counted


def test_it_never_stands_in_on_a_cpu():
    network = IPL(IPLConfig(channels=8, blocks=1, channel_block=4, drtm_size=4)).eval()
    with torch.inference_mode():
        assert not can_fuse_on_cuda(network, torch.rand(1, 3, 3, 16, 16))


def test_the_floor_of_a_4k_bracket():
    """By hand: 8,294,400 pixels, 518,400 of features with 48 channels, two bytes each."""
    traffic = memory_traffic(IPLConfig(), 2160, 3840, image_bytes=2, operand_bytes=2, out_bytes=2)
    pixels, features = 8_294_400, 518_400 * 48 * 2
    assert traffic.floor_bytes == 9 * pixels * 2 + 2 * features + 3 * pixels * 2 * 2
    assert traffic.floor_seconds == pytest.approx(traffic.floor_bytes / 4.8e12)
    a_pixel = 9 * 144 * 48 + 8 * (2 * 48 * 48 * 2 + 2 * 48 * 16) + 9 * 48 * 48
    assert traffic.operations == 2 * 518_400 * a_pixel
    assert traffic.bytes > traffic.floor_bytes


gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
BOUNDS = {torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 2e-3}


@gpu
@pytest.mark.parametrize("dtype", BOUNDS, ids=str)
def test_on_a_gpu_the_method_takes_it_and_stays_near_float64(dtype):
    method = IPLMethod()
    method.load(None, torch.device("cuda"))
    network = method.network().to(dtype)
    slow, _ = load_network(SHIPPED)
    slow.eval().to("cuda", torch.float64)
    for size in [(16, 16), (203, 390), (541, 959)]:
        images = torch.rand(2, 3, 3, *size, device="cuda")
        with torch.no_grad():
            exact = slow(images.double()).clamp(0, 1)
            assert can_fuse_on_cuda(network, images)
        fused = method.fuse(Bracket(images, (-1.5, 0.5, 2.5)))
        assert fused.dtype == torch.float32
        assert (fused - exact).norm() / exact.norm() <= BOUNDS[dtype]


@gpu
def test_a_replay_follows_new_pictures_and_new_weights_and_sizes_are_let_go():
    network = IPL(IPLConfig(channels=8, blocks=2, channel_block=4, drtm_size=6)).eval().cuda()
    torch.nn.init.normal_(network.up[0].weight, std=0.05)
    for turn in range(2 * MAX_PLANS):
        images = torch.rand(1, 3, 3, 20 + turn % (MAX_PLANS + 1), 31, device="cuda")
        with torch.no_grad():
            network.up[0].bias += 0.25
            first = fuse_on_cuda(network, images)
            second = fuse_on_cuda(network, images.flip(-1))
            torch.testing.assert_close(first, network(images), rtol=1e-4, atol=1e-4)
            expected = network(images.flip(-1))
        torch.testing.assert_close(second, expected, rtol=1e-4, atol=1e-4)
