"""Pictures as float64 in [0, 1], or one sentence on why they are not pictures."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit_range(image: NDArray[Any]) -> NDArray[np.float64]:
    """A picture's values as float64 in [0, 1].

    Args:
        image: any shape; 8 or 16 bit unsigned integers (scaled by their maximum) or floats
            that already lie in [0, 1].

    Returns:
        float64 in [0, 1], the shape of `image`.

    Raises:
        ValueError: another type, or floats outside [0, 1], NaN among them.
    """
    if image.dtype in (np.uint8, np.uint16):
        return image / np.float64(np.iinfo(image.dtype).max)
    if not np.issubdtype(image.dtype, np.floating):
        raise ValueError(
            f"a picture holds 8 or 16 bit unsigned integers or floats in [0, 1], got {image.dtype}"
        )
    if image.size and not (image.min() >= 0 and image.max() <= 1):
        raise ValueError(
            "a floating-point picture must lie in [0, 1], "
            f"got {image.min():g} to {image.max():g}: scale or clip it first"
        )
    return image.astype(np.float64, copy=False)
