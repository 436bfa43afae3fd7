"""What each exposure's pixels are worth by their gradients, before any smoothing."""

from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Rows a pixel's weight depends on above and below it: 2 by the gradient, 9 by the local mean.
HALO: Final = 11
_MEAN_SIZE: Final = 19
_ORIENTATION_SIGMA: Final = 0.2
_WELL_EXPOSED: Final = (0.1, 0.9)

_SMOOTH: Final = (
    np.exp(-0.5 * np.arange(-2.0, 3.0) ** 2) / np.exp(-0.5 * np.arange(-2.0, 3.0) ** 2).sum()
)
# The derivative is the central difference of the sampled Gaussian, one-sided at its two ends.
_DERIVE: Final = np.gradient(_SMOOTH)
_ONE: Final = np.ones(1)


def luminance(planes: Floats) -> Floats:
    """Brightness .213 R + .715 G + .072 B of (N, 3, H, W) pictures, as (N, H, W)."""
    result: Floats = 0.213 * planes[:, 0] + 0.715 * planes[:, 1] + 0.072 * planes[:, 2]
    return result


def gradient(brightness: Floats) -> tuple[Floats, Floats]:
    """Magnitude and orientation in [-pi, pi] of the gradient of an (H, W) picture.

    Correlation with the derivative of a 5x5 Gaussian of sigma 1, border replicated. Where the
    picture is flat it has no orientation; both are exactly 0 there, where a plain correlation
    leaves the orientation to rounding. Opposite pixels are subtracted before they are weighted.
    """
    height, width = brightness.shape
    around = cv2.copyMakeBorder(brightness, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    rows, columns = around[:, 2:-2], around[2:-2]
    along_x = _DERIVE[4] * (columns[:, 4:] - columns[:, :width])
    along_x += _DERIVE[3] * (columns[:, 3:-1] - columns[:, 1:-3])
    along_y = _DERIVE[4] * (rows[4:] - rows[:height])
    along_y += _DERIVE[3] * (rows[3:-1] - rows[1:-3])
    along_x = cv2.sepFilter2D(along_x, -1, _ONE, _SMOOTH, borderType=cv2.BORDER_REPLICATE)
    along_y = cv2.sepFilter2D(along_y, -1, _SMOOTH, _ONE, borderType=cv2.BORDER_REPLICATE)
    along_y[along_y == 0.0] = 0.0  # -0 becomes +0; between them atan2 jumps from -pi to pi
    # torch's atan2 is vectorised, NumPy's takes four times as long.
    orientation = torch.atan2(torch.from_numpy(along_y), torch.from_numpy(along_x)).numpy()
    return np.asarray(cv2.magnitude(along_x, along_y), np.float64), orientation


def visibility(magnitudes: Floats) -> Floats:
    """V: each exposure's share of the gradient magnitudes (N, H, W); 0 where all are flat."""
    result: Floats = magnitudes / (magnitudes.sum(axis=0) + 1e-25)
    return result


def agreement(orientations: Floats) -> Floats:
    """S: how well each exposure's gradient directions (N, H, W) agree with the others'.

    The distance of two exposures is the 19x19 mean of the absolute difference of their
    orientations, not wrapped at 2 pi; S sums a Gaussian of it over all other exposures.
    """
    result = np.zeros_like(orientations)
    for first in range(len(orientations)):
        for second in range(first + 1, len(orientations)):
            distance = cv2.blur(
                cv2.absdiff(orientations[first], orientations[second]),
                (_MEAN_SIZE, _MEAN_SIZE),
                borderType=cv2.BORDER_REPLICATE,
            )
            similarity = cv2.exp(distance * distance * (-0.5 / _ORIENTATION_SIGMA**2))
            result[first] += similarity
            result[second] += similarity
    return result


def static_weights(brightness: Floats) -> tuple[Floats, Floats]:
    """Weights for a scene without motion: the visibility alone.

    Args:
        brightness: (N, H, W) of all exposures.

    Returns:
        Weights (N, H, W) in [0, 1] and where they are defined (H, W), 1 everywhere.
    """
    magnitudes = np.stack([gradient(one)[0] for one in brightness])
    return visibility(magnitudes), np.ones(brightness.shape[1:])


def dynamic_weights(brightness: Floats) -> tuple[Floats, Floats]:
    """Weights for a scene with motion: visibility times consistency, made to sum to 1.

    The consistency is S where .1 < brightness < .9 and 0 elsewhere. Where no exposure has any,
    or all are flat, the weights are undefined: 0 here, and 0 in the second array.

    Args:
        brightness: (N, H, W) of all exposures.

    Returns:
        Weights (N, H, W) in [0, 1] and where they are defined (H, W), 0 or 1.
    """
    gradients = [gradient(one) for one in brightness]
    lowest, highest = _WELL_EXPOSED
    weights = visibility(np.stack([magnitude for magnitude, _ in gradients]))
    weights *= agreement(np.stack([orientation for _, orientation in gradients]))
    weights *= (brightness > lowest) & (brightness < highest)
    total = weights.sum(axis=0)
    defined = total > 0.0
    np.divide(weights, total, out=weights, where=defined)
    return weights, defined.astype(np.float64)
