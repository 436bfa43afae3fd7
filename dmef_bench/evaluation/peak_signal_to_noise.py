"""Peak signal-to-noise ratio of 8-bit RGB pictures."""

import math

import cv2

from dmef_bench.evaluation.eight_bit import EightBit, same_shape

DEFINITION = "RGB, 8 bit, peak 255, one mean squared error over all pixels and channels"


def psnr(prediction: EightBit, target: EightBit) -> float:
    """10 log10(255² / MSE) in dB, the MSE taken over every pixel and channel at once.

    Args:
        prediction: (H, W, 3) uint8.
        target: (H, W, 3) uint8.

    Returns:
        Decibels; `inf` for identical pictures.

    Raises:
        ValueError: the shapes differ, or one is not (H, W, 3) uint8.
    """
    same_shape(prediction, target)
    squared = cv2.norm(prediction, target, cv2.NORM_L2SQR)
    if squared == 0:
        return math.inf
    return 10 * math.log10(255**2 * target.size / squared)
