"""IPL on a GPU: `python benchmarks/ipl_cuda.py` (some minutes; a CUDA GPU and Triton).

In one command: whether the Triton path equals the network in float64, at odd sizes too, and how
long one bracket takes at 1080p, 4K and 8K in float32, bfloat16 and float16: the network as it reads
(eager), under torch.compile, the Triton path as IPLMethod calls it (cold with all that is built,
then warm), and the replay of its CUDA graph alone, with peak memory beside the memory-traffic
floor. `--tiles` also times other ways to cut the work. Writes benchmarks/results/ipl_cuda.json.

`--dry` runs the same checks on a CPU in Triton's interpreter, at tiny sizes, and writes nothing:
`TRITON_INTERPRET=1 python benchmarks/ipl_cuda.py --dry`.
"""

import argparse
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import torch
from report import cuda_seconds, write
from torch import Tensor

from dmef_bench.gpu.plans import Plan
from dmef_bench.ipl import IPL, IPLConfig
from dmef_bench.ipl.fast.cuda import can_fuse_on_cuda, fuse_on_cuda, memory_traffic
from dmef_bench.ipl.fast.cuda.launches import Launches, Tiles
from dmef_bench.ipl.fast.cuda.packing import PackedNetwork
from dmef_bench.ipl.weights_file import SHIPPED, load_network

SIZES = {"1080p": (1080, 1920), "4K": (2160, 3840), "8K": (4320, 7680)}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
ODD_SIZES = [(16, 16), (17, 23), (203, 390), (541, 959)]
# Relative, in the Frobenius norm, against float64.
BOUNDS = {"float32": 1e-4, "bfloat16": 2e-2, "float16": 2e-3}
REPEATS = 20


def shipped(dtype: torch.dtype, device: str) -> IPL:
    """The shipped network."""
    network, _ = load_network(SHIPPED)
    return network.eval().to(device, dtype)


def equality(networks: dict[str, IPL], sizes: list[tuple[int, int]], device: str) -> list[Any]:
    """Errors of each dtype at each size; two pictures at once, from float32 to float32."""
    rows = []
    for size in sizes:
        torch.manual_seed(size[0])
        images = torch.rand(2, 3, 3, *size)
        exact_network = networks["float64"]
        with torch.inference_mode():
            exact = exact_network(images.to(device, torch.float64)).cpu()
        for name, network in networks.items():
            if name == "float64":
                continue
            with torch.inference_mode():
                fused = run_once(network, images.to(device)).double().cpu()
            relative = float((fused - exact).norm() / exact.norm())
            rows.append(
                {
                    "size": size,
                    "dtype": name,
                    "relative_error": relative,
                    "largest_error": float((fused - exact).abs().max()),
                    "within_bound": relative <= BOUNDS[name],
                }
            )
            print(rows[-1], flush=True)
    return rows


def run_once(network: IPL, images: Tensor) -> Tensor:
    """The kernels once, without a graph, so that the interpreter can do it too."""
    out = torch.full((images.shape[0], *images.shape[2:]), torch.nan, device=images.device)
    Launches(PackedNetwork(network), network.config, images, out, clip=False).run()
    return out


def measured(work: Callable[[], object]) -> dict[str, Any]:
    """Cold seconds and peak of the first call, then warm seconds; or why it can't be done."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    try:
        cold = cuda_seconds(1, work)["median_s"]
        peak = torch.cuda.max_memory_allocated() - before
        for _ in range(3):
            work()
        return {"cold_s": cold, "peak_bytes": peak, "warm": cuda_seconds(REPEATS, work)}
    except Exception as error:  # one way of four; the others are still of interest
        return {"failed": f"{type(error).__name__}: {error}"[:500]}


def timings(dtype_name: str, height: int, width: int, tiles: list[Tiles]) -> dict[str, Any]:
    """All ways at one size in one dtype; pictures are already on the device."""
    dtype = DTYPES[dtype_name]
    network = shipped(dtype, "cuda")
    torch.manual_seed(0)
    pictures = [torch.rand(1, 3, 3, height, width, device="cuda").to(dtype) for _ in range(3)]
    turn = alternating(pictures)
    if not can_fuse_on_cuda(network, pictures[0]):
        raise SystemExit("the CUDA path does not cover this machine: see can_fuse_on_cuda")
    figures: dict[str, Any] = {
        "floor": floor(network.config, height, width, dtype.itemsize, dtype.itemsize),
        "triton": measured(lambda: fuse_on_cuda(network, next(turn), clip=True)),
    }
    weights = PackedNetwork(network)
    plan = planned(weights, network.config, pictures[0])
    figures["graph_replay"] = cuda_seconds(REPEATS, plan.replay)
    del plan
    for cut in tiles:
        plan = planned(weights, network.config, pictures[0], cut)
        figures.setdefault("tiles", []).append(
            {**asdict(cut), **cuda_seconds(REPEATS, plan.replay)}
        )
        del plan
    figures["eager"] = measured(lambda: network(next(turn)).clamp(0, 1))
    compiled = torch.compile(network, dynamic=False)
    figures["torch_compile"] = measured(lambda: compiled(next(turn)).clamp(0, 1))
    torch.compiler.reset()
    return figures


def planned(
    weights: PackedNetwork, config: IPLConfig, images: Tensor, tiles: Tiles | None = None
) -> Plan:
    """The kernels for one picture, captured."""
    return Plan(
        lambda own, out: Launches(weights, config, own[0], out, clip=True, tiles=tiles),
        [images],
        ((images.shape[0], *images.shape[2:]), images.dtype),
    )


def floor(
    config: IPLConfig, height: int, width: int, image_bytes: int, operand_bytes: int
) -> dict[str, float]:
    """The least bytes and operations of a bracket, and their seconds on an H200."""
    traffic = memory_traffic(
        config, height, width,
        image_bytes=image_bytes, operand_bytes=operand_bytes, out_bytes=image_bytes,
    )  # fmt: skip
    return {
        **asdict(traffic),
        "floor_bytes": traffic.floor_bytes,
        "all_bytes": traffic.bytes,
        "h200_floor_s": traffic.floor_seconds,
        "h200_operations_s": traffic.operation_seconds,
    }


def alternating(pictures: list[Tensor]) -> Iterator[Tensor]:
    """The pictures in turn for ever, so that no run finds its own input in a cache."""
    while True:
        yield from pictures


def dry() -> None:
    """The checks on a CPU in the interpreter, with few blocks."""
    if os.environ.get("TRITON_INTERPRET") != "1":
        raise SystemExit("run it as TRITON_INTERPRET=1 python benchmarks/ipl_cuda.py --dry")
    config = IPLConfig(channels=12, blocks=1, channel_block=4, drtm_size=4)
    networks = {}
    for name, dtype in {"float64": torch.float64, **DTYPES}.items():
        torch.manual_seed(0)
        network = IPL(config).eval()
        torch.nn.init.normal_(network.up[0].weight, std=0.05)
        networks[name] = network.to(dtype)
    rows = equality(networks, [(17, 23)], "cpu")
    for name, sizes in {
        "uint8, 16-bit operands": (1, 2),
        "16 bit": (2, 2),
        "float32": (4, 4),
    }.items():
        print("4K,", name, json.dumps(floor(IPLConfig(), 2160, 3840, *sizes)))
    if not all(row["within_bound"] for row in rows):
        sys.exit("an error is out of its bound")


def main() -> None:
    """Check, measure and write the file."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--dry", action="store_true", help="on a CPU, in the interpreter")
    arguments.add_argument("--tiles", action="store_true", help="also time other tiles")
    chosen = arguments.parse_args()
    if chosen.dry:
        return dry()
    if not torch.cuda.is_available():
        raise SystemExit("this needs a CUDA GPU; --dry runs the checks without one")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    networks = {
        name: shipped(dtype, "cuda") for name, dtype in {"float64": torch.float64, **DTYPES}.items()
    }
    rows = equality(networks, ODD_SIZES, "cuda")
    del networks
    tiles = [
        Tiles(pixels=pixels, warps=warps, stages=stages)
        for pixels, warps in ((32, 4), (64, 4), (64, 8), (128, 8))
        for stages in (1, 2, 3)
    ]
    figures: dict[str, Any] = {}
    for name, (height, width) in SIZES.items():
        for dtype in DTYPES:
            with torch.no_grad():  # weights made in inference mode would have no version
                cuts = tiles if chosen.tiles and dtype != "float32" else []
                figures.setdefault(name, {})[dtype] = timings(dtype, height, width, cuts)
            print(name, dtype, json.dumps(figures[name][dtype]), flush=True)
    print(write("ipl_cuda", {"equality": rows, "repeats": REPEATS, "sizes": figures}))
    if not all(row["within_bound"] for row in rows):
        sys.exit("an error is out of its bound")


if __name__ == "__main__":
    main()
