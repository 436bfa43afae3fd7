"""PSNR and SSIM of linear light: as it is, μ-law compressed, and PU21 encoded."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from dmef_bench.evaluation.structural_similarity import RADIUS, SIGMA, WINDOW

Light = NDArray[np.float32]
_Values = NDArray[np.float64]

MU: Final = 5000.0
PEAK_LUMINANCE: Final = 1000.0
"""cd/m² that linear 1 is shown at for PU21; an assumption, stated in the definition."""

_COMPARED = (
    "linear RGB in which 1 is where EV 0 saturates, neither scaled nor aligned to the ground "
    "truth; predictions are display-referred values^2.2"
)
PSNR_L: Final = f"{_COMPARED}; peak 1, one mean squared error over pixels and channels"
PSNR_MU: Final = "as PSNR-l, of log(1 + 5000 x)/log(5001)"
SSIM_L: Final = (
    "of linear values clipped to [0, 1]; Wang et al. 2004, Gaussian window 11×11 with "
    "sigma 1.5, population covariance, K1 0.01, K2 0.03, peak 1, mean over the windows inside the "
    "picture and over R, G, B"
)
SSIM_MU: Final = "as SSIM-l, of log(1 + 5000 x)/log(5001) clipped to [0, 1]"
PSNR_PU21: Final = (
    "each channel at 1000 cd/m² for linear 1, clipped to 0.005 to 10000 cd/m², encoded "
    "by PU21 (banding and glare); peak 256"
)

# Rows of the picture that are filtered at once: nine float64 bands of them stay small at 4K.
_BAND: Final = 256
_C1, _C2 = 0.01**2, 0.03**2
_PU21: Final = (
    0.353487901, 0.3734658629, 8.277049286e-05, 0.9062562627, 0.09150303166, 0.9099517204,
    596.3148142,
)  # fmt: skip
_PU21_PEAK: Final = 256.0
_DARKEST, _BRIGHTEST = 0.005, 10000.0


def mu_law(light: NDArray[np.floating]) -> _Values:
    """log(1 + 5000 x) / log(1 + 5000) of linear light, at least 0; 1 stays 1.

    Source: Kalantari and Ramamoorthi, SIGGRAPH 2017, eq. 5.
    """
    compressed: _Values = np.log1p(MU * light.astype(np.float64)) / math.log1p(MU)
    return compressed


def pu21(luminance: NDArray[np.floating]) -> _Values:
    """Perceptually uniform values, 0 to about 595, of luminance in cd/m².

    Source: Mantiuk and Azimi, "PU21: A novel perceptually uniform encoding for adapting existing
        quality metrics for HDR", Picture Coding Symposium 2021, with the parameters the authors
        publish for banding and glare (github.com/gfxdisp/pu21, of 2020-02-06).
    """
    p1, p2, p3, p4, p5, p6, p7 = _PU21
    power = np.clip(luminance.astype(np.float64), _DARKEST, _BRIGHTEST) ** p4
    encoded: _Values = p7 * (((p1 + p2 * power) / (1 + p3 * power)) ** p5 - p6)
    return np.maximum(encoded, 0.0)


def psnr_of(prediction: NDArray[np.floating], target: NDArray[np.floating], peak: float) -> float:
    """10 log10(peak² / MSE) in dB over all values; `inf` for equal ones.

    Args:
        prediction: any shape.
        target: the same shape.
        peak: the value that counts as full signal.

    Raises:
        ValueError: the shapes differ.
    """
    if prediction.shape != target.shape:
        raise ValueError(f"the shapes {prediction.shape} and {target.shape} differ")
    error = float(np.mean(np.square(prediction.astype(np.float64) - target.astype(np.float64))))
    return math.inf if error == 0 else 10.0 * math.log10(peak * peak / error)


def psnr_pu21(prediction: Light, target: Light) -> float:
    """PSNR in dB of PU21 values of (H, W, 3) linear light, with peak 256 as the authors take it."""
    return psnr_of(pu21(PEAK_LUMINANCE * prediction), pu21(PEAK_LUMINANCE * target), _PU21_PEAK)


def ssim_of(prediction: NDArray[np.floating], target: NDArray[np.floating]) -> float:
    """Structural similarity of (H, W, 3) values, clipped to [0, 1], in float64.

    Equal to scikit-image's `structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, channel_axis=-1, data_range=1)`.

    Raises:
        ValueError: the shapes differ, or a side is under 11 pixels.
    """
    if prediction.shape != target.shape or min(target.shape[:2]) < WINDOW:
        raise ValueError(
            f"SSIM needs two pictures of one size, {WINDOW}×{WINDOW} or more, "
            f"got {prediction.shape} and {target.shape}"
        )
    height, width, channels = target.shape
    inner = height - 2 * RADIUS
    total = 0.0
    for top in range(0, inner, _BAND):
        rows = slice(top, min(top + _BAND, inner) + 2 * RADIUS)
        x = prediction[rows].astype(np.float64).clip(0, 1)
        y = target[rows].astype(np.float64).clip(0, 1)
        total += _sum_over_windows(x, y)
    mean: float = total / (inner * (width - 2 * RADIUS) * channels)
    return mean


def _sum_over_windows(x: _Values, y: _Values) -> float:
    mean_x, mean_y = _filtered(x), _filtered(y)
    variance_x = _filtered(x * x) - mean_x * mean_x
    variance_y = _filtered(y * y) - mean_y * mean_y
    covariance = _filtered(x * y) - mean_x * mean_y
    index = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    index /= (mean_x * mean_x + mean_y * mean_y + _C1) * (variance_x + variance_y + _C2)
    return float(index.sum())


def _filtered(values: _Values) -> _Values:
    weights = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / SIGMA) ** 2)
    kernel = weights / weights.sum()
    smooth = cv2.sepFilter2D(values, cv2.CV_64F, kernel, kernel)
    return np.asarray(smooth[RADIUS:-RADIUS, RADIUS:-RADIUS], dtype=np.float64)
