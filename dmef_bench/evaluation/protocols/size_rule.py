"""Bring pictures to a size a method takes, and back."""

import numpy as np
import torch
from torch import Tensor


def reflect_to(images: Tensor, height: int, width: int) -> Tensor:
    """Extend (..., h, w) images at the bottom and the right to (..., height, width).

    The border pixel itself is not repeated; where more is needed than the picture has, it is
    reflected again.
    """
    rows, columns = images.shape[-2:]
    if rows < height:
        images = images.index_select(-2, _reflected(rows, height, images.device))
    if columns < width:
        images = images.index_select(-1, _reflected(columns, width, images.device))
    return images


def crop_to(images: Tensor, height: int, width: int) -> Tensor:
    """The top left (..., height, width) of (..., h, w) images."""
    return images[..., :height, :width]


def _reflected(length: int, wanted: int, device: torch.device) -> Tensor:
    indices = np.pad(np.arange(length), (0, wanted - length), mode="reflect")
    return torch.from_numpy(indices).to(device)
