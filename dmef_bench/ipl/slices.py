"""Slice Cyclic Scanner: blocks along one dimension, each read by the same local extractor.

All blocks of a dimension are computed at once; a block only matters through what is taken over
its extent: its channels, and (in the equation reading) its mean. Only an attention cache meets the
blocks one by one.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Dimension = Literal["C", "W", "H"]


def block_means(features: Tensor, dimension: Dimension, size: int) -> Tensor:
    """Global average pooling of every block, spread over the block's extent.

    Args:
        features: (B, C, H, W).
        dimension: the sliced dimension.
        size: length of a block along it; the last block may be shorter.

    Returns:
        F_m of eq. 1, a mean for each channel of each block, broadcastable to `features`:
        (B, C, 1, 1) for "C", (B, C, 1, W) for "W", (B, C, H, 1) for "H".
    """
    if dimension == "C":
        return features.mean((-2, -1), keepdim=True)
    across = -2 if dimension == "W" else -1
    return line_block_means(features.mean(across), size).unsqueeze(across)


def line_block_means(lines: Tensor, size: int) -> Tensor:
    """Means of blocks from the means of their columns or rows, spread over them again.

    Args:
        lines: (B, C, L), a mean for each of the L columns or rows of a picture.
        size: length of a block; the last block may be shorter.

    Returns:
        (B, C, L).
    """
    means = functional.avg_pool1d(lines, size, ceil_mode=True, count_include_pad=False)
    return means.repeat_interleave(size, -1)[..., : lines.shape[-1]]


def scan(
    features: Tensor, dimension: Dimension, size: int, weigh: Callable[[Tensor], Tensor]
) -> Tensor:
    """F_w of every block of one dimension (eq. 2), put together again.

    Args:
        features: (B, C, H, W).
        dimension: the sliced dimension.
        size: length of a block along it; divides C for "C".
        weigh: maps blocks (N, c, h, w) to weights of the same shape, each pixel by itself.

    Returns:
        (B, C, H, W) weights. Since `weigh` looks at one pixel at a time, cutting the width or the
        height and joining again changes nothing, and is not done.
    """
    if dimension != "C":
        return weigh(features)
    batch, channels, height, width = features.shape
    blocks = features.reshape(batch * (channels // size), size, height, width)
    return torch.reshape(weigh(blocks), features.shape)


def scan_each(
    features: Tensor, dimension: Dimension, size: int, read: Callable[[int, int, Tensor], Tensor]
) -> Tensor:
    """F_LFE of every block of one dimension, one block at a time, as an attention cache needs it.

    Args:
        features: (B, C, H, W).
        dimension: the sliced dimension.
        size: length of a block along it; the last block may be shorter.
        read: maps number of the picture in the batch, number of the block, and the block
            (1, c, h, w) to its features of the same shape.

    Returns:
        (B, C, H, W), the features put together again.
    """
    axis = {"C": 1, "H": 2, "W": 3}[dimension]
    return torch.cat(
        [
            torch.cat(
                [
                    read(number, n, block)
                    for n, block in enumerate(torch.split(picture, size, axis))
                ],
                axis,
            )
            for number, picture in enumerate(torch.split(features, 1))
        ]
    )
