"""A crop fused as it would be inside its whole picture: DRTM sees the picture, not the crop."""

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from dmef_bench.ipl.model import FIB, IPL


def gain_in_context(network: "IPL", inputs: Tensor, context: Tensor, place: Tensor) -> Tensor:
    """The gain map of a crop, with DRTM's maps made from a small copy of the whole picture.

    The copy passes the same blocks beside the crop. Every block's DRTM computes its map from the
    copy's features, and scales the crop's features by the part of the map where the crop lies. A
    crop that is the whole picture, with itself as the copy, gets the gain of `IPL.gain`.

    Args:
        network: an IPL.
        inputs: (B, 9, h, w) the crops' exposures.
        context: (B, 9, H, W) the whole pictures' exposures, reduced to any size.
        place: (B, 4) top, left, height and width of the crop as shares of the whole picture.

    Returns:
        (B, 3, h, w).
    """
    cells, around = network.whole_cells(inputs), network.whole_cells(context)
    there = _places(inputs, cells, context, around, place, network.config.factor)
    features: Tensor = network.down(cells)
    around = network.down(around)
    total: Tensor | None = None
    for block in network.blocks:
        features, around = _through(cast("FIB", block), features, around, there)
        if network.config.final == "sum":
            total = features if total is None else total + features
    gain: Tensor = network.up(features if total is None else total)
    return gain[..., : inputs.shape[-2], : inputs.shape[-1]]


def _through(
    block: "FIB", features: Tensor, around: Tensor, there: Tensor
) -> tuple[Tensor, Tensor]:
    """Crop and whole picture through one block."""
    features, around = block.daem(features), block.daem(around)
    if block.drtm is None:
        return features, around
    rolled = block.drtm.context(around)
    map_there = functional.grid_sample(
        rolled.float(), there, mode="bilinear", padding_mode="border", align_corners=False
    ).to(rolled.dtype)
    scaled, scaled_around = features * map_there, block.drtm.scale(around, rolled)
    if not block.residual:
        return scaled, scaled_around
    return features + scaled, around + scaled_around


def _places(
    inputs: Tensor, cells: Tensor, context: Tensor, around: Tensor, place: Tensor, factor: int
) -> Tensor:
    """(B, h / r, w / r, 2) where the crop's features lie in the map, from -1 to 1."""
    axes = []
    for axis, (begin, share) in ((-1, (1, 3)), (-2, (0, 2))):
        pixels = factor * (torch.arange(cells.shape[axis] // factor, device=place.device) + 0.5)
        within = place[:, begin, None] + pixels / inputs.shape[axis] * place[:, share, None]
        # The map covers the copy with the border that fills up its last cells.
        axes.append(2 * within * context.shape[axis] / around.shape[axis] - 1)
    columns, rows = axes
    height, width = rows.shape[1], columns.shape[1]
    return torch.stack(
        [columns[:, None].expand(-1, height, -1), rows[:, :, None].expand(-1, -1, width)], -1
    )
