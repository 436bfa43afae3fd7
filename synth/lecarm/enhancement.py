"""The four steps of LECARM's enhancement."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.camera_response import CameraResponse, Sigmoid
from synth.lecarm.illumination import Solver, smooth_illumination
from synth.lecarm.resize import imresize
from synth.unit_range import unit_range

Floats = NDArray[np.float64]

RATIO_MAX = 7.0
"""The brightest exposure ratio LECARM gives a pixel."""


def enhance(
    image: NDArray[Any], model: CameraResponse | None = None, solver: Solver = "pcg"
) -> Floats:
    """Brighten a dark picture pixel by pixel, as the camera would have with more light.

    The illumination map, smoothed at half size, says how much light each pixel lacks; the
    model's brightness transform gives it that light.

    Args:
        image: (H, W, 3) RGB; uint8, uint16, or floating point in [0, 1].
        model: camera response model; LECARM's default, `Sigmoid()`, if None.
        solver: "pcg" as the authors' MATLAB (it stops early), "direct" for the exact solution,
            which takes several times longer at 4K (benchmarks/results/exposure.json); see
            `smooth_illumination`.

    Returns:
        (H, W, 3) float64, not clipped, like the authors' function: clip it to [0, 1] to show it.

    Raises:
        ValueError: `image` is not such a picture, or there is no such solver.

    Source: Ren, Ying, Li, Li, "LECARM", IEEE TCSVT 2019, and the authors' LECARM.m.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"LECARM enhances an (H, W, 3) RGB picture, got shape {image.shape}")
    picture = unit_range(image)
    T0 = brightest_channel(picture)
    half_size = (-(-T0.shape[0] // 2), -(-T0.shape[1] // 2))
    half = imresize(T0, half_size, scale=0.5)
    S = smooth_illumination(half, solver)
    T = imresize(S, (T0.shape[0], T0.shape[1]))
    K = exposure_ratio(T)
    return (Sigmoid() if model is None else model).brightness_transform(picture, K[..., None])


def brightest_channel(picture: Floats) -> Floats:
    """The first guess at the illumination: the maximum of R, G and B, (H, W, 3) to (H, W)."""
    red, green, blue = np.moveaxis(picture, 2, 0)
    brightest: Floats = np.maximum(np.maximum(red, green), blue)
    return brightest


def exposure_ratio(T: Floats) -> Floats:
    """K = min(1/T, 7): the exposure that makes the illumination one, within reason.

    Bicubic resizing can leave T a little below zero beside hard edges, where the authors'
    formula turns negative; such a pixel is as dark as they get and receives 7.

    Args:
        T: (H, W) illumination.

    Returns:
        (H, W) float64 in (0, 7].
    """
    return 1 / np.maximum(T, 1 / RATIO_MAX)
