"""Memory of IPL by bands: `python benchmarks/ipl_streaming.py` (a few minutes, 1 GB of memory).

Fuses computed pictures of growing size with `fuse_stream` under one bound, each in a process of
its own, and notes the peak of that process above what it holds before it begins. Rows are computed
as they are asked for and results are summed up, so that no file is in the way. Writes
benchmarks/results/ipl_streaming.json.
"""

import multiprocessing
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch
from report import write
from torch import Tensor

from dmef_bench.ipl import fuse_stream
from dmef_bench.ipl.weights_file import SHIPPED, load_network

SIZES = {"4K": (2160, 3840), "8K": (4320, 7680), "16K": (8640, 15360)}
MAX_BYTES = 512 * 2**20


class ComputedRows:
    """Waves, a different one in each exposure and channel."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width

    def read(self, top: int, bottom: int) -> Tensor:
        """Rows top to bottom, (3, 3, bottom - top, width) in [0, 1]."""
        phase = torch.arange(9.0).view(3, 3, 1, 1)
        rows = (torch.arange(top, bottom) / 97).sin()[:, None]
        columns = (torch.arange(self.width) / 61).cos()
        return (rows * columns * 3 + phase).sin_().add_(1).div_(2)


def measure(height: int, width: int) -> dict[str, Any]:
    """Seconds, peak bytes, and the mean of the result."""
    network, _ = load_network(SHIPPED)
    network.eval()
    sums: list[float] = []
    fuse_stream(network, ComputedRows(64, 64), lambda *_: None, max_bytes=MAX_BYTES)
    before = _peak()
    start = time.perf_counter()
    fuse_stream(
        network,
        ComputedRows(height, width),
        lambda _, rows: sums.append(float(rows.sum(dtype=torch.float64))),
        max_bytes=MAX_BYTES,
    )
    return {
        "height": height,
        "width": width,
        "seconds": round(time.perf_counter() - start, 1),
        "peak_megabytes_above_start": round((_peak() - before) / 1e6),
        "whole_bracket_megabytes": round(height * width * 9 * 4 / 1e6),
        "mean": round(sum(sums) / (3 * height * width), 6),
    }


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Measure each size and write the file."""
    figures = {}
    for name, (height, width) in SIZES.items():
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn) as alone:
            figures[name] = alone.submit(measure, height, width).result()
        print(name, figures[name], flush=True)
    data = {
        "max_bytes": MAX_BYTES,
        "load_average": round(os.getloadavg()[0], 1),
        "sizes": figures,
    }
    print(write("ipl_streaming", data).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
