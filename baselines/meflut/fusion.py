"""Fusion by weights of small pictures: guided upsampling, luma and chroma apart."""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

SMALL_SIDE: Final = 128
"""Shorter side of the pictures that are weighed, in pixels."""

_RADIUS: Final = 2
_REGULARISATION: Final = 1.0
_TINY: Final = 1e-8
# JPEG's luma and colour differences, the latter around 0.
_TO_YCC: Final = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)
_TO_RGB: Final = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))
# Pixels of a strip: small enough for a cache, large enough that threads seldom wait for each other.
_STRIP: Final = 2**18
# Means of whole blocks are cheap; the smooth resizing gets this many times the small size.
_POOLED: Final = 4


def small_luma(images: Tensor) -> Tensor:
    """Brightness of pictures brought to the small size; smaller pictures keep theirs.

    Args:
        images: (B, N, 3, H, W) in [0, 1].

    Returns:
        (B, N, h, w).
    """
    height, width = images.shape[-2:]
    short = min(height, width)
    small = images.flatten(0, 1)
    if short > SMALL_SIDE:
        small = functional.avg_pool2d(small, _whole_factor(height, width))
        size = (height * SMALL_SIDE // short, width * SMALL_SIDE // short)
        small = functional.interpolate(small, size, mode="bilinear", antialias=True)
    small = small.reshape(*images.shape[:3], *small.shape[-2:])
    return torch.einsum("bnchw,c->bnhw", small, images.new_tensor(_TO_YCC[0]))


def _whole_factor(height: int, width: int) -> int:
    """The largest by which both sides divide that leaves enough pixels for the smooth resizing."""
    largest = max(1, min(height, width) // (_POOLED * SMALL_SIDE))
    return next(k for k in range(largest, 0, -1) if height % k == 0 and width % k == 0)


def guided_lines(luma: Tensor, weights: Tensor) -> Tensor:
    """The guided filter's local lines: weight = slope × brightness + offset.

    Source: He and Sun, "Fast Guided Filter", arXiv 1505.00996, with the window and
    regularisation of MEFLUT.

    Args:
        luma: (B, N, h, w), the guide.
        weights: (B, N, h, w), what is filtered.

    Returns:
        (2, B, N, h, w): slope and offset.
    """
    mean_luma, mean_weight = _box(luma), _box(weights)
    covariance = _box(luma * weights) - mean_luma * mean_weight
    variance = _box(luma * luma) - mean_luma * mean_luma
    slope = covariance / (variance + _REGULARISATION)
    return torch.stack((slope, mean_weight - slope * mean_luma))


def weight_along(slope: Tensor, offset: Tensor, luma: Tensor) -> Tensor:
    """Weights by brightness, of one shape; above 0, not yet made to sum to 1."""
    return torch.addcmul(offset, slope, luma).abs_().add_(_TINY)


def fuse_by_lines(images: Tensor, lines: Tensor, by_strips: bool = True) -> Tensor:
    """The exposures' mean by the weights that brightness and `lines` give each pixel.

    Luma has those weights; a colour difference counts the more the further it is from grey.

    Args:
        images: (B, N, 3, H, W) in [0, 1], display-referred.
        lines: (2, B, N, h, w), see `guided_lines`.
        by_strips: a few rows at a time, which is faster on a processor; the same values.

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    batch, _, _, height, width = images.shape
    wide = _widened(lines, width)
    if not by_strips:
        return _fuse_rows(images, _tall(wide, height, slice(0, height)))
    fused = images.new_empty(batch, 3, height, width)
    for rows in _strips(height, width):
        for scene in range(batch):
            one = slice(scene, scene + 1)
            fused[one, :, rows] = _fuse_rows(
                images[one, ..., rows, :], _tall(wide[:, one], height, rows)
            )
    return fused


def _fuse_rows(images: Tensor, lines: Tensor) -> Tensor:
    flat = images.flatten(-2)
    channels = flat.new_tensor(_TO_YCC) @ flat
    luma, difference = channels[:, :, :1], channels[:, :, 1:]
    slope, offset = lines.flatten(-2)[..., None, :]
    weight = weight_along(slope, offset, luma)
    saturation = difference.abs().add_(_TINY)
    mixed = torch.cat(
        (
            (weight * luma).sum(1) / weight.sum(1),
            (saturation * difference).sum(1) / saturation.sum(1),
        ),
        1,
    )
    fused = (flat.new_tensor(_TO_RGB) @ mixed).clamp(0, 1)
    return fused.reshape(len(images), 3, *images.shape[-2:])


def _strips(height: int, width: int) -> Iterator[slice]:
    rows = max(1, _STRIP // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


def _box(x: Tensor) -> Tensor:
    """Mean of the window around each pixel, of what lies inside the picture."""
    return functional.avg_pool2d(
        x, 2 * _RADIUS + 1, stride=1, padding=_RADIUS, count_include_pad=False
    )


def _widened(lines: Tensor, width: int) -> Tensor:
    """(2, B, N, h, w) to (2, B, N, h, width), bilinear."""
    flat = lines.flatten(0, 1)
    wide = functional.interpolate(
        flat, (flat.shape[-2], width), mode="bilinear", align_corners=False
    )
    return wide.reshape(*lines.shape[:-1], width)


def _tall(wide: Tensor, height: int, rows: slice) -> Tensor:
    """Those rows of (2, B, N, h, W) brought to (2, B, N, height, W), bilinear."""
    last = wide.shape[-2] - 1
    row = torch.arange(rows.start, rows.stop, device=wide.device, dtype=wide.dtype)
    place = ((row + 0.5) * ((last + 1) / height) - 0.5).clamp(0, last)
    above = place.long()
    below = (above + 1).clamp(max=last)
    share = (place - above)[:, None]
    return torch.lerp(wide.index_select(-2, above), wide.index_select(-2, below), share)
