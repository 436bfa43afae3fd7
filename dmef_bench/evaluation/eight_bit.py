"""A prediction as it would be saved: 8 bit, and what makes it no picture at all."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

EightBit = NDArray[np.uint8]


def to_eight_bit(picture: Tensor) -> EightBit:
    """Round one picture to what a PNG of it would hold.

    Values outside [0, 1] are clipped, then round(255 v), halves to even.

    Args:
        picture: (1, 3, H, W) finite floats, nominally in [0, 1], on any device.

    Returns:
        (H, W, 3) uint8 RGB, contiguous.
    """
    levels = picture[0].to(torch.float32).clamp(0, 1).mul_(255).round_().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())


def same_shape(prediction: EightBit, target: EightBit) -> None:
    """Refuse a pair that a metric can't compare.

    Raises:
        ValueError: the shapes differ, or one is not (H, W, 3) uint8.
    """
    for name, picture in (("prediction", prediction), ("target", target)):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(
                f"the {name} is {picture.dtype} of shape {picture.shape}; (H, W, 3) uint8 is needed"
            )
    if prediction.shape != target.shape:
        raise ValueError(
            f"the prediction is {prediction.shape[1]}×{prediction.shape[0]}, "
            f"the target {target.shape[1]}×{target.shape[0]}"
        )
