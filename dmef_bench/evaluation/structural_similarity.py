"""Structural similarity (Wang et al. 2004) of 8-bit RGB pictures, fast and in bounded memory.

With s = x + y and d = x - y the index needs four filtered pictures instead of five:
    2 μx μy = (μs² - μd²)/2     μx² + μy² = (μs² + μd²)/2
    2 σxy   = (σs² - σd²)/2     σx² + σy² = (σs² + σd²)/2
Both are filtered in float32, tile by tile, each tile shifted by its own integer mean, which
changes no variance and keeps the digits of flat regions. Tiles where that is not enough (flat
regions of several levels, as in graphics) are computed again in float64.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from dmef_bench.evaluation.eight_bit import EightBit, same_shape

RADIUS = 5
WINDOW = 2 * RADIUS + 1
SIGMA = 1.5
DEFINITION = (
    "Wang et al. 2004, Gaussian window 11×11 with sigma 1.5, population covariance, "
    "K1 0.01, K2 0.03, peak 255, mean over the windows inside the picture and over R, G, B"
)

# Two float32 tiles of this size and their filtered copies stay in a core's own cache.
_TILE_ROWS, _TILE_COLUMNS = 64, 512
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
# Variance in squared levels under which a window counts as flat.
_NEARLY_FLAT = 1.0
# Two units in float32's last place: how far a filtered square may be off.
_ROUNDING = 2.4e-7
# Of a tile's mean index, before it is computed again in float64.
_ALLOWED_DOUBT = 2e-6

_Float = NDArray[np.floating]
_Kind = type[np.float32] | type[np.float64]


def _gaussian() -> NDArray[np.float64]:
    weights = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
    kernel: NDArray[np.float64] = weights / weights.sum()
    return kernel


_KERNEL = _gaussian()


def ssim(prediction: EightBit, target: EightBit) -> float:
    """Mean structural similarity over all whole 11×11 windows and the three channels.

    Equal to scikit-image's `structural_similarity(..., gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, channel_axis=-1, data_range=255)` within 1e-6.

    Args:
        prediction: (H, W, 3) uint8, H and W at least 11.
        target: (H, W, 3) uint8.

    Returns:
        A number in [-1, 1]; exactly 1 for identical pictures.

    Raises:
        ValueError: the shapes differ, one is not (H, W, 3) uint8, or a side is under 11 pixels.

    Source: Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error visibility to
        structural similarity, IEEE TIP 2004, eq. 13 and section III.C.
    """
    same_shape(prediction, target)
    height, width, channels = target.shape
    inner_height, inner_width = height - 2 * RADIUS, width - 2 * RADIUS
    if min(inner_height, inner_width) < 1:
        raise ValueError(f"SSIM needs {WINDOW}×{WINDOW} pixels or more, got {width}×{height}")

    def tile(corner: tuple[int, int]) -> float:
        top, left = corner
        window = np.s_[
            top : min(top + _TILE_ROWS, inner_height) + 2 * RADIUS,
            left : min(left + _TILE_COLUMNS, inner_width) + 2 * RADIUS,
        ]
        return _sum_over_tile(prediction[window], target[window])

    corners = product(range(0, inner_height, _TILE_ROWS), range(0, inner_width, _TILE_COLUMNS))
    with ThreadPoolExecutor(min(8, len(os.sched_getaffinity(0)))) as pool:
        total = math.fsum(pool.map(tile, corners))
    mean: float = total / (inner_height * inner_width * channels)
    return mean


def _sum_over_tile(x: EightBit, y: EightBit) -> float:
    """Sum of the index over the windows that lie inside an (h, w, 3) tile."""
    total, doubt = _sum_in(np.float32, x, y)
    if doubt > _ALLOWED_DOUBT:
        total, _ = _sum_in(np.float64, x, y)
    return total


def _sum_in(kind: _Kind, x: EightBit, y: EightBit) -> tuple[float, float]:
    """The sum, computed in floats of a kind, and by how much float32 may miss its mean."""
    depth = cv2.CV_32F if kind is np.float32 else cv2.CV_64F
    sums: _Float = np.asarray(cv2.add(x, y, dtype=depth), kind)
    differences: _Float = np.asarray(cv2.subtract(x, y, dtype=depth), kind)
    mean_s, variance_s, doubt_s = _moments(sums)
    mean_d, variance_d, doubt_d = _moments(differences)
    mean_s *= mean_s
    mean_d *= mean_d
    half, c1, c2 = kind(0.5), kind(_C1), kind(_C2)
    numerator = (mean_s - mean_d) * half + c1
    numerator *= (variance_s - variance_d) * half + c2
    denominator = (mean_s + mean_d) * half + c1
    denominator *= (variance_s + variance_d) * half + c2
    numerator /= denominator
    total: np.float64 = numerator.sum(dtype=np.float64)
    return float(total), doubt_s + doubt_d


def _moments(values: _Float) -> tuple[_Float, _Float, float]:
    """Gaussian-weighted mean and variance at every whole window of an (h, w, 3) tile.

    The third number is the part of the index that rounding may cost in windows that are flat and
    far from the tile's mean, where each rounds in the same direction; elsewhere it averages out.
    """
    centre = np.rint(cv2.mean(values)[:3]).astype(values.dtype)
    centred = _shifted(values, -centre)
    mean = _filtered(centred)
    centred *= centred
    variance = _filtered(centred)
    squared_mean = mean * mean
    variance -= squared_mean
    rounded = squared_mean * (variance < _NEARLY_FLAT)
    lost: np.float64 = rounded.mean(dtype=np.float64)
    return _shifted(mean, centre), variance, float(lost) * _ROUNDING / _C2


def _shifted(values: _Float, shift: _Float) -> _Float:
    """(h, w, 3) values plus a (3,) shift, in rows: NumPy is slow on an inner axis of three."""
    rows = values.reshape(len(values), -1)
    moved: _Float = rows + np.tile(shift, values.shape[1])
    return moved.reshape(values.shape)


def _filtered(values: _Float) -> _Float:
    kernel = _KERNEL.astype(values.dtype)
    smooth = cv2.sepFilter2D(values, -1, kernel, kernel)
    inside = smooth[RADIUS:-RADIUS, RADIUS:-RADIUS]
    return np.ascontiguousarray(inside, dtype=values.dtype)
