"""Pictures and features read at fractional positions."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


def sample(x: Tensor, positions: Tensor, padding: Literal["zeros", "border"] = "zeros") -> Tensor:
    """Bilinear values of a picture at positions counted in pixels.

    Args:
        x: (B, C, H, W) floating point.
        positions: (B, h, w, 2): column, then row; 0 is the centre of the first pixel.
        padding: what lies outside: zeros, or the nearest value of the border.

    Returns:
        (B, C, h, w), computed in float32 at least: half precision can't number a wide picture's
        pixels.
    """
    exact = torch.promote_types(x.dtype, torch.float32)
    size = positions.new_tensor((x.shape[-1], x.shape[-2]), dtype=exact)
    grid = (2 * positions.to(exact) + 1) / size - 1
    values = functional.grid_sample(
        x.to(exact), grid, mode="bilinear", padding_mode=padding, align_corners=False
    )
    return values.to(x.dtype)


def pixel_grid(height: int, width: int, like: Tensor) -> Tensor:
    """(height, width, 2): column and row of every pixel, in float32 at least."""
    exact = torch.promote_types(like.dtype, torch.float32)
    rows = torch.arange(height, device=like.device, dtype=exact)
    columns = torch.arange(width, device=like.device, dtype=exact)
    row, column = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack((column, row), -1)


def warp(x: Tensor, flow: Tensor, padding: Literal["zeros", "border"] = "zeros") -> Tensor:
    """A picture seen along a flow.

    Args:
        x: (B, C, H, W).
        flow: (B, 2, H, W) in pixels, column then row: where each result pixel lies in `x`.
        padding: see `sample`.

    Returns:
        (B, C, H, W).
    """
    height, width = x.shape[-2:]
    positions = pixel_grid(height, width, flow) + flow.permute(0, 2, 3, 1)
    return sample(x, positions, padding)
