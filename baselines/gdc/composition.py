"""Gradient-directed composition of a stack of any size, in horizontal strips."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from baselines.gdc.bilateral_grid import BilateralGrid
from baselines.gdc.pixel_weights import HALO, dynamic_weights, luminance, static_weights

Floats = NDArray[np.float64]
_T = TypeVar("_T")

# Large enough that the halo costs little, small enough that a strip's arrays stay near the cache.
_STRIP_PIXELS: Final = 1 << 18
_MOST_THREADS: Final = 8


def gradient_directed_composition(stack: NDArray[Any], dynamic: bool = True) -> NDArray[Any]:
    """Fuse differently exposed pictures by what their gradients say.

    Every step runs in float64 on strips of rows, so that a larger picture takes no more memory
    beside the stack and the result, which does not depend on the number of threads.

    Where the formula has no answer (in the neighbourhood of that brightness no exposure has any
    weight, so that it divides 0 by 0) each exposure counts by its well-exposedness instead, a
    Gaussian of its brightness around .5 with sigma .2.

    Args:
        stack: (H, W, 3, N) RGB in [0, 1], floating point, N >= 2 exposures in any order.
        dynamic: whether things move; False leaves out the consistency between exposures.

    Returns:
        (H, W, 3) in [0, 1], float32 for a float16 or float32 stack, else float64.

    Raises:
        ValueError: the stack has another shape or dtype, or holds NaN or infinities.

    Source: Zhang and Cham, "Gradient-directed composition of multi-exposure images", CVPR 2010.
    """
    if stack.ndim != 4 or stack.shape[2] != 3 or stack.shape[3] < 2 or 0 in stack.shape:
        raise ValueError(f"a stack is (H, W, 3, N) with N >= 2 exposures, got {stack.shape}")
    if not np.issubdtype(stack.dtype, np.floating):
        raise ValueError(f"a stack holds floats in [0, 1], got {stack.dtype}")
    rows = max(2 * HALO, _STRIP_PIXELS // stack.shape[1])
    strips = [slice(top, top + rows) for top in range(0, stack.shape[0], rows)]
    grids = _grids(stack, strips)
    weights = _smooth_weights(stack, strips, grids, dynamic_weights if dynamic else static_weights)
    return _weighted_mean(stack, strips, grids, weights)


def _grids(stack: NDArray[Any], strips: list[slice]) -> list[BilateralGrid]:
    """A grid for each exposure, which needs the range of its brightness."""

    def brightness_range(strip: slice) -> tuple[Floats, Floats]:
        brightness = luminance(_planes(stack, strip))
        return brightness.min(axis=(1, 2)), brightness.max(axis=(1, 2))

    lows, highs = zip(*_in_threads(brightness_range, strips), strict=True)
    darkest, brightest = np.min(lows, axis=0), np.max(highs, axis=0)
    if not np.isfinite([darkest, brightest]).all():
        raise ValueError("the stack holds NaN or infinite values")
    return [
        BilateralGrid(stack.shape[0], stack.shape[1], float(low), float(high))
        for low, high in zip(darkest, brightest, strict=True)
    ]


def _smooth_weights(
    stack: NDArray[Any],
    strips: list[slice],
    grids: list[BilateralGrid],
    pixel_weights: Callable[[Floats], tuple[Floats, Floats]],
) -> list[Floats]:
    """Each exposure's weights, averaged over space and brightness on its grid."""

    def splat(strip: slice) -> list[tuple[slice, Floats]]:
        first = max(0, strip.start - HALO)
        brightness = luminance(_planes(stack, slice(first, strip.stop + HALO)))
        weights, defined = pixel_weights(brightness)
        inner = slice(strip.start - first, strip.stop - first)
        return [
            grid.splat(weight[inner], defined[inner], guide[inner], strip.start)
            for grid, weight, guide in zip(grids, weights, brightness, strict=True)
        ]

    totals = [np.zeros((2, *grid.shape)) for grid in grids]
    for parts in _in_threads(splat, strips):
        for total, (rows, sums_and_counts) in zip(totals, parts, strict=True):
            total[:, rows] += sums_and_counts
    return [grid.smooth(total) for grid, total in zip(grids, totals, strict=True)]


def _weighted_mean(
    stack: NDArray[Any], strips: list[slice], grids: list[BilateralGrid], weights: list[Floats]
) -> NDArray[Any]:
    """The exposures averaged by their smoothed weights, read back at every pixel."""
    single = stack.dtype in (np.float16, np.float32)
    result = np.empty(stack.shape[:3], np.float32 if single else np.float64)

    def compose(strip: slice) -> None:
        planes = _planes(stack, strip)
        brightness = luminance(planes)
        shares = np.stack(
            [
                grid.slice(smooth, guide, strip.start)
                for grid, smooth, guide in zip(grids, weights, brightness, strict=True)
            ]
        )
        missing = shares.sum(axis=0) <= 0.0
        if missing.any():
            shares[:, missing] = np.exp(-0.5 * ((brightness[:, missing] - 0.5) / 0.2) ** 2)
        shares /= shares.sum(axis=0)
        fused = np.einsum("nhw,nchw->hwc", shares, planes)
        np.clip(fused, 0.0, 1.0, out=result[strip], casting="same_kind")

    for _ in _in_threads(compose, strips):
        pass
    return result


def _planes(stack: NDArray[Any], rows: slice) -> Floats:
    """Rows of the stack as contiguous float64 (N, 3, h, W)."""
    return np.ascontiguousarray(stack[rows].transpose(3, 2, 0, 1), dtype=np.float64)


def _in_threads(function: Callable[[slice], _T], strips: list[slice]) -> Iterator[_T]:
    """The results in order; NumPy and OpenCV let other threads run while they compute."""
    with ThreadPoolExecutor(min(_MOST_THREADS, len(os.sched_getaffinity(0)))) as pool:
        yield from pool.map(function, strips)
