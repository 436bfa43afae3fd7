"""What keeping freed memory is worth on a CPU: `python benchmarks/freed_memory.py`.

Each method fuses random pictures in processes of its own, in turns one that hands freed memory
back as glibc does and one that keeps it as `run` does. Median seconds, peak memory (the highest of
the turns) and their ratios; a training step of IPL likewise. Writes
benchmarks/results/freed_memory.json.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from report import write
from torch.nn import functional

from baselines import Bracket, resolve
from dmef_bench.evaluation import freed_memory
from dmef_bench.evaluation.memory import PeakMemory
from dmef_bench.ipl import IPL, IPLConfig
from synth.exposure import DEFAULT_EVS

Measured = tuple[list[float], int | None]
_CPU = torch.device("cpu")
_TRAINING = "training step of ipl, batch 4, 192x192"


def fusing(name: str, height: int, width: int) -> Callable[[], object]:
    """A call of a method, which keeps its freed memory as the process does."""
    method = resolve(name)()
    method.load(None, _CPU)
    images = torch.rand(1, 3, 3, height, width, generator=torch.Generator().manual_seed(0))
    bracket = Bracket(images=images, evs=DEFAULT_EVS)

    def call() -> None:
        with torch.inference_mode():
            method.fuse(bracket)

    return call


def training() -> Callable[[], object]:
    """A step of the common recipe without its data."""
    network = IPL(IPLConfig())
    optimiser = torch.optim.AdamW(network.parameters(), 2e-4)
    images = torch.rand(4, 3, 3, 192, 192, generator=torch.Generator().manual_seed(0))

    def step() -> None:
        optimiser.zero_grad()
        functional.l1_loss(network(images), images[:, 1]).backward()
        optimiser.step()

    return step


def measured(name: str, height: int, width: int, keep: bool, repeats: int) -> Measured:
    """Seconds of each call after the first, and the first one's peak memory."""
    if keep:
        freed_memory.keep_freed_memory()
    call = training() if name == _TRAINING else fusing(name, height, width)
    with PeakMemory(_CPU) as memory:
        call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds, memory.bytes


def compared(name: str, height: int, width: int, repeats: int, turns: int) -> dict[str, Any]:
    """Both ways of one method, in turns."""
    found: dict[bool, list[Measured]] = {False: [], True: []}
    context = multiprocessing.get_context("spawn")
    for _ in range(turns):
        for keep in found:
            with context.Pool(1) as pool:
                found[keep].append(pool.apply(measured, (name, height, width, keep, repeats)))
    seconds = {
        keep: statistics.median(second for turn, _ in both for second in turn)
        for keep, both in found.items()
    }
    peaks = {keep: max(peak or 0 for _, peak in both) for keep, both in found.items()}
    row = {
        "name": name,
        "handed_back": {"s": round(seconds[False], 3), "peak_MiB": peaks[False] >> 20},
        "kept": {"s": round(seconds[True], 3), "peak_MiB": peaks[True] >> 20},
        "times_as_fast": round(seconds[False] / seconds[True], 2),
        "memory_ratio": round(peaks[True] / peaks[False], 2),
    }
    print(row, flush=True)
    return row


def main() -> None:
    """Measure everything and write the result file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--methods", default="ipl,ipl-plus,mertens,gdc")
    parser.add_argument("--size", default="3840x2160")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    names = [*options.methods.split(","), _TRAINING]
    rows = [compared(name, height, width, options.repeats, options.turns) for name in names]
    print(write("freed_memory", {"size": options.size, "rows": rows}).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
