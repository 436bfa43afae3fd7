"""What is kept of a method's result: 8-bit display values, or linear light."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.conventions import GAMMA
from dmef_bench.dataset import Scene
from dmef_bench.evaluation.eight_bit import EightBit, to_eight_bit
from dmef_bench.evaluation.linear_light import Light, mu_law
from dmef_bench.linear_files import encode_light
from dmef_bench.picture_files import encode_png

Pixels = EightBit | Light
"""(H, W, 3): uint8 display values, or float32 linear light."""

ToPixels = Callable[[Tensor], Pixels]

LIGHT_OUTPUT: Final = f"display values clipped to [0, 1], then ^{GAMMA}"
"""How a result is made linear light, as a run records it."""


def to_light(picture: Tensor) -> Light:
    """One display-referred picture as linear light: clipped to [0, 1], then ^2.2.

    The inverse of what `baselines.conventions.in_dataset_space` does with the light a network
    predicts, so such a network is measured on its own values.

    Args:
        picture: (1, 3, H, W) finite floats, nominally in [0, 1], on any device.

    Returns:
        (H, W, 3) float32 RGB, contiguous.
    """
    light = picture[0].to(torch.float32).clamp(0, 1).pow(GAMMA)
    return np.ascontiguousarray(light.permute(1, 2, 0).cpu().numpy())


def to_pixels(scene: Scene) -> ToPixels:
    """How a result for this scene is kept."""
    return to_light if scene.linear else to_eight_bit


def shown(pixels: Pixels) -> EightBit:
    """Pixels as a page shows them: light compressed by the μ-law (5000), rounded to 8 bits."""
    if is_light(pixels):
        levels: NDArray[np.float64] = np.rint(255 * mu_law(as_light(pixels)).clip(0, 1))
        return levels.astype(np.uint8)
    return as_eight_bit(pixels)


def encode_pixels(pixels: Pixels) -> tuple[str, bytes]:
    """Suffix and bytes of a file that keeps every value: PNG, or float32 TIFF."""
    if is_light(pixels):
        return ".tif", encode_light(as_light(pixels))
    return ".png", encode_png(as_eight_bit(pixels))


def as_eight_bit(pixels: Pixels) -> EightBit:
    """Display values as they are.

    Raises:
        ValueError: linear light, which display-referred metrics have nothing to say on.
    """
    if is_light(pixels):
        raise ValueError(f"8-bit display values are due, not {pixels.dtype}")
    return pixels.astype(np.uint8, copy=False)


def as_light(pixels: Pixels) -> Light:
    """Linear light as it is.

    Raises:
        ValueError: display values.
    """
    if not is_light(pixels):
        raise ValueError("linear light is due, not 8-bit display values")
    return pixels.astype(np.float32, copy=False)


def is_light(pixels: Pixels) -> bool:
    """Whether these are linear light."""
    return pixels.dtype != np.uint8
