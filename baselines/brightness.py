"""A known camera response applied to pictures."""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from baselines.bracket import CameraResponse

# One entry for each 16-bit value; 255 divides 65535, so that 8-bit values hit theirs exactly too.
_LAST_ENTRY: Final = 65535


def at_exposure_ratio(images: Tensor, response: CameraResponse, ratio: float) -> Tensor:
    """What pictures would be at another exposure, not clipped above.

    Exact for 8-bit and 16-bit values; a value between two 16-bit ones takes the nearer.

    Args:
        images: any shape, floating point in [0, 1], display-referred.
        response: of the camera that took them.
        ratio: new exposure over the old one.

    Returns:
        The same shape, dtype and device; at least 0, finite.
    """
    brightness = np.arange(_LAST_ENTRY + 1, dtype=np.float64) / _LAST_ENTRY
    changed = np.nan_to_num(response.brightness_transform(brightness, ratio))
    table = torch.from_numpy(np.maximum(changed, 0.0)).to(images)
    entries = images.mul(_LAST_ENTRY).round_().clamp_(0, _LAST_ENTRY).to(torch.int32)
    return table.index_select(0, entries.flatten()).view_as(images)
