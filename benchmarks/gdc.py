"""How long GDC takes at 4K: `python benchmarks/gdc.py` (about 5 minutes, 5 GB of memory).

Side by side on one generated bracket: `baselines.gdc` and the formula written down step by step
for whole float64 pictures with NumPy and SciPy. Each runs in a process of its own, so that its
peak memory is its own. Writes benchmarks/results/gdc.json.
"""

import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from report import write
from scipy import ndimage

from baselines.gdc import gradient_directed_composition
from dmef_bench.evaluation.freed_memory import keep_freed_memory
from synth.camera_response import Sigmoid
from synth.exposure import DEFAULT_EVS, synthesise_bracket
from synth.moving_scenes import MovingScene

HEIGHT, WIDTH = 2160, 3840
REPEATS = {"baselines.gdc": 5, "step by step": 3}
Floats = NDArray[np.float64]


def write_bracket(path: Path) -> None:
    """Write a generated 4K bracket as planes (exposure, channel, H, W) of float32."""
    scene = MovingScene(0, HEIGHT, WIDTH)
    frames = [scene.frame(seconds) for seconds in (0.0, 0.1, 0.2)]
    exposures = np.stack(synthesise_bracket(frames, DEFAULT_EVS, Sigmoid()))
    np.save(path, exposures.transpose(0, 3, 1, 2) / np.float32(255))


def step_by_step(stack: NDArray[Any]) -> Floats:
    """GDC's formula over whole pictures, one NumPy or SciPy call a step; NaN where it is 0/0."""
    stack = stack.astype(np.float64)
    exposures = range(stack.shape[3])
    brightness = np.moveaxis(np.tensordot(stack, [0.213, 0.715, 0.072], axes=([2], [0])), 2, 0)
    gaussian = np.exp(-0.5 * (np.arange(-2, 3)[:, None] ** 2 + np.arange(-2, 3) ** 2))
    gaussian /= gaussian.sum()
    along_y, along_x = (
        np.stack([ndimage.correlate(one, kernel, mode="nearest") for one in brightness])
        for kernel in np.gradient(gaussian)
    )
    # What rounding leaves of opposite pixels that cancel is no gradient.
    along_x[np.abs(along_x) < 1e-12] = along_y[np.abs(along_y) < 1e-12] = 0.0
    magnitude, orientation = np.hypot(along_x, along_y), np.arctan2(along_y, along_x)
    visibility = magnitude / (magnitude.sum(0) + 1e-25)
    agreement = np.zeros_like(visibility)
    for i in exposures:
        for j in exposures:
            if i != j:
                apart = np.abs(orientation[i] - orientation[j])
                distance = ndimage.uniform_filter(apart, 19, mode="nearest")
                agreement[i] += np.exp(-(distance**2) / (2 * 0.2**2))
    consistency = agreement * ((brightness > 0.1) & (brightness < 0.9))
    consistency /= consistency.sum(0) + 1e-25
    weights = visibility * consistency
    with np.errstate(invalid="ignore", divide="ignore"):
        weights /= weights.sum(0)
        smooth = np.stack([cross_bilateral(weights[i], brightness[i]) for i in exposures])
        fused: Floats = np.einsum("nhw,hwcn->hwc", smooth, stack) / smooth.sum(0)[..., None]
    return fused


def cross_bilateral(values: Floats, guide: Floats) -> Floats:
    """The bilateral grid by scattered addition, a 3x3x3 convolution and linear interpolation."""
    height, width = values.shape
    space, value_range = min(height, width) / 16, 0.1 * np.ptp(guide)
    lengths = ((height - 1) / space, (width - 1) / space, np.ptp(guide) / value_range)
    rows, columns = np.mgrid[:height, :width]
    positions = [rows / space + 3, columns / space + 3, (guide - guide.min()) / value_range + 3]
    known = ~np.isnan(values)
    cells = tuple(np.floor(position[known] + 0.5).astype(int) for position in positions)
    sums = np.zeros([int(length) + 7 for length in lengths])
    counts = np.zeros_like(sums)
    np.add.at(sums, cells, values[known])
    np.add.at(counts, cells, 1.0)
    line = np.exp(-0.5 * np.arange(-1, 2) ** 2)
    kernel = line[:, None, None] * line[:, None] * line
    sums, counts = (ndimage.convolve(grid, kernel, mode="constant") for grid in (sums, counts))
    averages = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    read: Floats = ndimage.map_coordinates(averages, positions, order=1)
    return read


def measure(name: str, path: Path) -> tuple[dict[str, Any], NDArray[Any]]:
    """Seconds on the clock and of the processor, peak memory beside the stack, and the result."""
    fuse: Callable[[NDArray[Any]], NDArray[Any]] = {
        "baselines.gdc": gradient_directed_composition,
        "step by step": step_by_step,
    }[name]
    keep_freed_memory()
    stack = np.load(path).transpose(2, 3, 1, 0)
    fuse(stack[:270, :480])  # warm up
    before = _peak_memory()
    seconds, processor_seconds = [], []
    for _ in range(REPEATS[name]):
        start, processor_start = time.perf_counter(), time.process_time()
        result = fuse(stack)
        seconds.append(time.perf_counter() - start)
        processor_seconds.append(time.process_time() - processor_start)
    return {
        "median_s": round(statistics.median(seconds), 2),
        "fastest_s": round(min(seconds), 2),
        "median_processor_s": round(statistics.median(processor_seconds), 2),
        "repeats": len(seconds),
        "peak_memory_beside_the_stack_mb": round((_peak_memory() - before) / 1e6),
    }, result


def _peak_memory() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Measure both, compare what they return, and write the file."""
    figures, results = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bracket.npy"
        write_bracket(path)
        for name in REPEATS:
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawn) as alone:
                figures[name], results[name] = alone.submit(measure, name, path).result()
    ours, plain = results.values()
    defined = np.isfinite(plain).all(axis=2)
    apart = np.abs(ours - plain)[defined]
    written = write(
        "gdc",
        {
            "picture": f"generated moving scene, {WIDTH}x{HEIGHT}, 3 exposures, dynamic mode",
            **figures,
            "ratio_of_medians": round(
                figures["step by step"]["median_s"] / figures["baselines.gdc"]["median_s"], 1
            ),
            "largest_difference": float(f"{apart.max():.2g}"),
            "pixels_undefined_step_by_step": int((~defined).sum()),
            "paper_s": 221.0,
            "paper": "Table 1 of the IPL paper (AAAI 2025), on its own machine and implementation",
        },
    )
    print(written.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
