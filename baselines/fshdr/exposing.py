"""A prediction as the camera would have taken it, with a gradient."""

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor

from baselines.bracket import Bracket, CameraResponse
from baselines.conventions import at_ev, precise

_CELLS: Final = 4096


def exposed(picture: Tensor, ev: float, bracket: Bracket) -> Tensor:
    """A picture at EV 0 as an exposure of a bracket's camera, clipped to [0, 1].

    By the bracket's camera response where it is known, else by gamma 2.2.

    Args:
        picture: (B, 3, H, W), display-referred; differentiable.
        ev: of the exposure, relative to the ground truth.
        bracket: says which camera.

    Returns:
        (B, 3, H, W), float32 (float64 for such a picture).
    """
    picture = precise(picture).clamp(0, 1)
    if bracket.response is None:
        return at_ev(picture, 0.0, ev, bracket, "gamma").clamp(0, 1)
    table = _table(bracket.response, math.exp2(ev)).to(picture)
    place = picture * _CELLS
    cell = place.detach().floor().clamp(max=_CELLS - 1)
    below, above = (table[(cell + more).long()] for more in (0, 1))
    return torch.lerp(below, above, place - cell)


def _table(response: CameraResponse, ratio: float) -> Tensor:
    brightness = np.arange(_CELLS + 1, dtype=np.float64) / _CELLS
    changed = np.nan_to_num(response.brightness_transform(brightness, ratio))
    return torch.from_numpy(np.clip(changed, 0.0, 1.0))
