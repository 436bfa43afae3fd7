"""How long IPL takes on a CPU: `python benchmarks/ipl_speed.py` (2 to 6 minutes, 2 GB of memory).

Side by side, in turns, on random pictures: the network as it reads (`IPL.forward`) and the fast
path that `IPLMethod` takes on a CPU, both on all cores with the shipped weights, warm. Writes
benchmarks/results/ipl_speed.json. On a machine that has other work trust the ratio, not the times.
"""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from report import write
from torch import Tensor

from dmef_bench.evaluation.freed_memory import keep_freed_memory
from dmef_bench.ipl.fast import fuse_fast
from dmef_bench.ipl.weights_file import SHIPPED, load_network

SIZES = {"1080p": (1080, 1920, 3), "4K": (2160, 3840, 3)}


def main() -> None:
    """Measure both paths at each size and write the file."""
    keep_freed_memory()  # as `dmef-bench run` does: otherwise the plain network waits for pages
    network, sha256 = load_network(SHIPPED)
    network.eval()
    paths: dict[str, Callable[[Tensor], Tensor]] = {
        "plain": network,
        "fast": lambda images: fuse_fast(network, images),
    }
    figures = {}
    for name, (height, width, repeats) in SIZES.items():
        torch.manual_seed(0)
        images = torch.rand(1, 3, 3, height, width)
        with torch.inference_mode():
            figures[name] = {"height": height, "width": width, **measure(paths, images, repeats)}
    written = write(
        "ipl_speed",
        {
            "weights_sha256": sha256,
            "dtype": "float32",
            "threads": torch.get_num_threads(),
            "load_average": round(os.getloadavg()[0], 1),
            "sizes": figures,
        },
    )
    print(written.read_text(encoding="utf-8"))


def measure(
    paths: dict[str, Callable[[Tensor], Tensor]], images: Tensor, repeats: int
) -> dict[str, Any]:
    """Wall-clock and processor seconds of each path, medians over turns; ratio; difference."""
    wall: dict[str, list[float]] = {name: [] for name in paths}
    processor: dict[str, list[float]] = {name: [] for name in paths}
    results = {name: path(images[..., :256, :256]) for name, path in paths.items()}
    for _ in range(repeats):
        for name, path in paths.items():
            start, start_processor = time.perf_counter(), time.process_time()
            results[name] = path(images)
            wall[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - start_processor)
    median = {name: statistics.median(seconds) for name, seconds in wall.items()}
    return {
        **{
            name: {
                "median_s": round(median[name], 2),
                "fastest_s": round(min(wall[name]), 2),
                "processor_median_s": round(statistics.median(processor[name]), 2),
                "repeats": repeats,
            }
            for name in paths
        },
        "ratio_of_medians": round(median["plain"] / median["fast"], 1),
        "ratio_of_fastest": round(min(wall["plain"]) / min(wall["fast"]), 1),
        "largest_difference": float(f"{(results['plain'] - results['fast']).abs().max():.2g}"),
    }


if __name__ == "__main__":
    main()
