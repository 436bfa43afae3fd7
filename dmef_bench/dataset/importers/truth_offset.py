"""Does a ground truth have the brightness that its mid exposure says?"""

from typing import Final

import numpy as np

from dmef_bench.linear_files import Light
from dmef_bench.picture_files import Picture

_WELL_EXPOSED: Final = (0.1, 0.9)
_FEWEST_PIXELS: Final = 64


def truth_offset(light: Light, mid: Picture, ev: float) -> float | None:
    """EV by which the ground truth is brighter than the mid exposure says.

    The median, over pixels whose channels all lie in 0.1 to 0.9, of
    log2(sum of the truth's channels / sum of mid^2.2 / 2^ev).

    Args:
        light: (H, W, 3) ground truth.
        mid: (H, W, 3) uint8 or uint16.
        ev: of `mid` relative to the ground truth.

    Returns:
        Rounded to a thousandth; None with fewer than 64 such pixels.
    """
    values = mid.astype(np.float32) / np.float32(np.iinfo(mid.dtype).max)
    least, most = _WELL_EXPOSED
    good = ((values > least) & (values < most)).all(axis=2) & (light.sum(axis=2) > 0)
    if np.count_nonzero(good) < _FEWEST_PIXELS:
        return None
    expected = (values[good].astype(np.float64) ** 2.2).sum(axis=1) / 2.0**ev
    ratio = np.median(np.log2(light[good].astype(np.float64).sum(axis=1) / expected))
    return round(float(ratio), 3)
