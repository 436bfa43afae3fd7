"""IPL+ on a GPU: `python benchmarks/ipl_plus_cuda.py` (some minutes; a CUDA GPU and Triton).

First whether the Triton path equals the network in float64, at odd sizes too. Then how long one
bracket takes at 4K, 1080p and 8K in float16, bfloat16 and float32, pictures on the device: the
Triton path as IPLPlusMethod calls it and the replay of its graph alone; then the network as it
reads (eager) and replayed as a CUDA graph, each also with its weights in channels-last order.
Beside each way the memory of its first call, and its PSNR on a generated scene of that size.
`--tiles` also times other ways to cut the kernels' work, `--compiled` torch.compile's (minutes
each), both at 4K in 16 bits. benchmarks/results/ipl_plus_cuda.json is written after every step.

`--dry` checks on a CPU, at a tiny size, that torch.compile takes the whole network as one graph and
gives the same picture, and writes nothing. (The kernels' own check without a GPU is
tests/dmef_bench/ipl_plus/test_ipl_plus_cuda.py.)
"""

import argparse
import gc
import hashlib
import itertools
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from report import cuda_seconds, write
from torch import Tensor

from dmef_bench.evaluation import psnr, to_eight_bit
from dmef_bench.gpu.plans import Plan
from dmef_bench.ipl_plus import IPLPlus
from dmef_bench.ipl_plus.cuda import can_fuse_on_cuda, fuse_on_cuda
from dmef_bench.ipl_plus.cuda.convolutions import Tiles
from dmef_bench.ipl_plus.cuda.launches import Launches
from dmef_bench.ipl_plus.cuda.packing import PackedNetwork
from dmef_bench.ipl_plus.method import SHIPPED, IPLPlusMethod
from dmef_bench.ipl_plus.tone_curves import inverse_responses
from synth.camera_response import camera_response
from synth.exposure import DEFAULT_EVS, synthesise_bracket
from synth.moving_scenes import MovingScene

# What is of most interest first: a lent machine's time may end.
SIZES = {"4K": (2160, 3840), "1080p": (1080, 1920), "8K": (4320, 7680)}
DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
LAYOUTS = {"": torch.contiguous_format, " channels last": torch.channels_last}
ODD_SIZES = [(16, 16), (203, 390), (541, 959)]
# Relative, in the Frobenius norm, against float64.
BOUNDS = {"float32": 1e-4, "bfloat16": 2e-2, "float16": 2e-3}
# One at a time: every cut builds some forty kernels.
TILES = [
    *(
        Tiles(pixels=pixels, warps=warps, stages=stages)
        for pixels, warps in ((64, 4), (128, 4), (128, 8), (256, 8))
        for stages in (2, 4)
    ),
    Tiles(gathered=16),
    Tiles(gathered=64),
]
REPEATS = 20
# Largest difference that compiling may make.
SAME = 1e-4

Way = Callable[[Tensor], Tensor]


def shipped(device: torch.device, dtype: torch.dtype) -> IPLPlus:
    """The shipped network."""
    method = IPLPlusMethod()
    method.load(SHIPPED, device)
    network = method.network()
    assert network is not None
    return network.to(dtype).requires_grad_(False)


def scene(height: int, width: int) -> tuple[Tensor, np.ndarray]:
    """A generated bracket (1, 3, 3, H, W) in [0, 1], and its ground truth (H, W, 3)."""
    moving = MovingScene(1, height, width)
    frames = (moving.frame(0), moving.frame(1 / 15), moving.frame(2 / 15))
    exposures = synthesise_bracket(frames, DEFAULT_EVS, camera_response("sigmoid"))
    images = torch.from_numpy(np.stack(exposures)).movedim(-1, 1)[None].float() / 255
    return images, frames[1]


def as_written(network: IPLPlus) -> Way:
    """A call as the method makes it."""
    start = inverse_responses(network.config.knots, DEFAULT_EVS, next(network.parameters()).device)
    return lambda images: network.fused(images, start).clamp(0, 1)


def as_graph(network: IPLPlus, images: Tensor) -> Way:
    """The same recorded once as a CUDA graph, then replayed."""
    way, held = as_written(network), images.clone()
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            way(held)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        fused = way(held)

    def replay(images: Tensor) -> Tensor:
        held.copy_(images)
        graph.replay()
        return fused

    return replay


def compiled(network: IPLPlus, mode: str) -> Way:
    """The same as one compiled graph."""
    way: Way = torch.compile(as_written(network), fullgraph=True, dynamic=False, mode=mode)
    return way


def by_kernels(network: IPLPlus) -> Way:
    """The Triton path as the method takes it."""

    def fused(images: Tensor) -> Tensor:
        picture = fuse_on_cuda(network, images, DEFAULT_EVS, clip=True)
        if picture is None:
            raise RuntimeError("the kernels could not be built")
        return picture

    return fused


def planned(network: IPLPlus, images: Tensor, tiles: Tiles | None = None) -> Plan:
    """The kernels for one picture, captured; holds them for the last images it was given."""
    weights, config = PackedNetwork(network), network.config
    start = inverse_responses(config.knots, DEFAULT_EVS, images.device)
    plan = Plan(
        lambda own, out: Launches(weights, config, own[0], own[1], out, clip=True, tiles=tiles),
        [images, start],
        ((1, *images.shape[2:]), images.dtype),
    )
    plan([images, start])
    return plan


def replayed(network: IPLPlus, images: Tensor, tiles: Tiles | None) -> dict[str, Any]:
    """Seconds of the kernels alone; or why they can't be cut so."""
    try:
        return cuda_seconds(REPEATS, planned(network, images, tiles).replay)
    except Exception as error:  # one cut of several; the others are still of interest
        return {"failed": f"{type(error).__name__}: {error}"[:500]}


def equality() -> list[dict[str, Any]]:
    """Errors of the Triton path in each dtype at each size, two different pictures at once."""
    device, rows = torch.device("cuda"), []
    exact_network = shipped(device, torch.float64)
    for size in ODD_SIZES:
        given = torch.cat([scene(*size)[0], scene(*size)[0].flip(-1)]).to(device)
        with torch.no_grad():
            exact = exact_network(given.double(), DEFAULT_EVS).clamp(0, 1)
        for name, dtype in DTYPES.items():
            network = shipped(device, dtype)
            with torch.no_grad():
                if not can_fuse_on_cuda(network, given):
                    raise SystemExit("the kernels do not cover this machine: can_fuse_on_cuda")
                apart = by_kernels(network)(given).double() - exact
            relative = float(apart.norm() / exact.norm())
            rows.append(
                {
                    "size": size,
                    "dtype": name,
                    "relative_error": relative,
                    "largest_error": float(apart.abs().max()),
                    "within_bound": relative <= BOUNDS[name],
                }
            )
            print(rows[-1], flush=True)
    return rows


def measured(
    make: Callable[[], Way], images: Tensor, truth: np.ndarray
) -> dict[str, float | str | dict[str, float]]:
    """Of one way: seconds, the memory and quality of its first call; or why it can't be done."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    try:
        way = make()
        quality = psnr(to_eight_bit(way(images).float().cpu()), truth)
        peak = torch.cuda.max_memory_allocated() - before
        for _ in range(3):
            way(images)
        return {"psnr": quality, "peak_bytes": peak, **cuda_seconds(REPEATS, lambda: way(images))}
    except Exception as error:  # one way of several; the others are still of interest
        return {"failed": f"{type(error).__name__}: {error}"[:500]}
    finally:
        torch.compiler.reset()


def by_kernels_alone(given: Tensor, truth: np.ndarray, tiles: list[Tiles]) -> dict[str, Any]:
    """The Triton path."""
    network = shipped(given.device, given.dtype)
    figures: dict[str, Any] = {"triton": measured(lambda: by_kernels(network), given, truth)}
    figures["triton replay"] = replayed(network, given, None)
    if tiles:
        figures["tiles"] = [{**asdict(cut), **replayed(network, given, cut)} for cut in tiles]
    return figures


def by_network(given: Tensor, truth: np.ndarray) -> dict[str, Any]:
    """The network as it reads, and as a CUDA graph."""
    figures: dict[str, Any] = {}
    for order, layout in LAYOUTS.items():
        network = shipped(given.device, given.dtype).to(memory_format=layout)
        figures["eager" + order] = measured(lambda: as_written(network), given, truth)  # noqa: B023
        figures["graph" + order] = measured(lambda: as_graph(network, given), given, truth)  # noqa: B023
    return figures


def by_compiler(given: Tensor, truth: np.ndarray) -> dict[str, Any]:
    """The network under torch.compile, with its own choice of kernels and CUDA graphs."""
    network = shipped(given.device, given.dtype).to(memory_format=torch.channels_last)
    return {"compiled": measured(lambda: compiled(network, "max-autotune"), given, truth)}


def dry() -> None:
    """Whether the whole network compiles as one graph, on a CPU."""
    images, _ = scene(96, 128)
    network = shipped(torch.device("cpu"), torch.float32)
    with torch.no_grad():
        apart = (compiled(network, "default")(images) - as_written(network)(images)).abs().max()
    print(f"compiled as one graph; largest difference {float(apart):.2g}")
    if float(apart) > SAME:
        sys.exit(f"more than {SAME:g}")


def main() -> None:
    """Measure and write the file."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--dry", action="store_true", help="on a CPU, without times")
    arguments.add_argument("--tiles", action="store_true", help="also time other tiles")
    arguments.add_argument("--compiled", action="store_true", help="also time torch.compile")
    chosen = arguments.parse_args()
    if chosen.dry:
        return dry()
    if not torch.cuda.is_available():
        raise SystemExit("this needs a CUDA GPU; --dry checks compilation without one")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    rows = equality()
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    scenes = {name: scene(*size) for name, size in SIZES.items()}
    weights = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    for step in ("kernels", "network", "compiler"):
        for (name, (images, truth)), dtype in itertools.product(scenes.items(), DTYPES):
            closer_look = name == "4K" and DTYPES[dtype].itemsize == 2
            given = images.to("cuda", DTYPES[dtype])
            with torch.no_grad():
                if step == "kernels":
                    tiles = TILES if chosen.tiles and closer_look else []
                    found = by_kernels_alone(given, truth, tiles)
                elif step == "network":
                    found = by_network(given, truth)
                elif chosen.compiled and closer_look:
                    found = by_compiler(given, truth)
                else:
                    continue
            figures.setdefault(name, {}).setdefault(dtype, {}).update(found)
            print(name, dtype, json.dumps(found), flush=True)
            data = {"weights_sha256": weights, "repeats": REPEATS, "equality": rows}
            write("ipl_plus_cuda", {**data, "sizes": figures})
    if not all(row["within_bound"] for row in rows):
        sys.exit("an error is out of its bound")


if __name__ == "__main__":
    main()
