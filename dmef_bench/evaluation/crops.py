"""Choose the two places of a scene that show most of a fusion method."""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from dmef_bench.evaluation.eight_bit import EightBit

SIDE: Final = 256
# Pixels a side that are looked at together: fast, and deaf to noise and to motion under a pixel.
_BLOCK: Final = 8
_CLIPPED_LOW, _CLIPPED_HIGH = 1, 254

_Map = NDArray[np.float32]


@dataclass(frozen=True)
class Crop:
    """A rectangle in pixels, and why it was chosen."""

    x: int
    y: int
    width: int
    height: int
    what: Literal["clipped", "motion"]


def choose_crops(
    low: EightBit, mid: EightBit, high: EightBit, truth: EightBit
) -> tuple[Crop, Crop]:
    """Where the reference is most clipped, and, elsewhere, where the scene moves most.

    Args:
        low: (H, W, 3) uint8, of frame 1; mid of frame 2 and high of frame 3 alike.
        mid: the reference.
        high: the brightest.
        truth: frame 2 unaltered.

    Returns:
        Two crops of 256×256 pixels (of the picture's size where it is smaller) that do not
        overlap where there is room for that.
    """
    clipped = _place(_clipped(mid, truth), truth, "clipped", None)
    return clipped, _place(_motion(low, high, truth), truth, "motion", clipped)


def _clipped(mid: EightBit, truth: EightBit) -> _Map:
    """Share of values that the reference has lost and the truth has not, by block."""
    lost = (mid >= _CLIPPED_HIGH) | (mid <= _CLIPPED_LOW)
    kept = (truth < _CLIPPED_HIGH) & (truth > _CLIPPED_LOW)
    # What is clipped in both has no texture to bring back: it counts little.
    return _blocks((lost & kept).astype(np.float32) + 0.05 * lost)


def _motion(low: EightBit, high: EightBit, truth: EightBit) -> _Map:
    """How much frames 1 and 3 differ from frame 2 at equal exposure, by block."""
    return np.maximum(_difference(truth, low), _difference(truth, high))


def _difference(truth: EightBit, exposure: EightBit) -> _Map:
    """|exposure - truth given the exposure's tones|, in shares of the exposure's own contrast."""
    toned = _tones_of(exposure, truth)
    weight = ((exposure > _CLIPPED_LOW) & (exposure < _CLIPPED_HIGH)).astype(np.float32)
    moved = cv2.absdiff(toned, exposure).astype(np.float32) * weight
    return _blocks(moved) / (float(exposure.std()) + 1.0)


def _tones_of(wanted: EightBit, picture: EightBit) -> EightBit:
    """`picture` with each channel's levels mapped so that its histogram becomes `wanted`'s."""
    matched = np.empty_like(picture)
    for channel in range(3):
        given, sought = (
            np.cumsum(np.bincount(one[..., channel].ravel(), minlength=256))
            for one in (picture, wanted)
        )
        table = np.searchsorted(sought, given).clip(0, 255).astype(np.uint8)
        matched[..., channel] = table[picture[..., channel]]
    return matched


def _blocks(values: NDArray[np.floating]) -> _Map:
    """(ceil(H/8), ceil(W/8)) means over blocks and channels."""
    height, width = values.shape[:2]
    size = (-(-width // _BLOCK), -(-height // _BLOCK))
    small = cv2.resize(values.mean(axis=2), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


def _place(
    interest: _Map, picture: EightBit, what: Literal["clipped", "motion"], taken: Crop | None
) -> Crop:
    """The window with the largest sum of interest that leaves `taken` alone if it can."""
    height, width = picture.shape[:2]
    rows, columns = (min(SIDE // _BLOCK, length) for length in interest.shape)
    total = cv2.integral(interest)
    sums = (
        total[rows:, columns:] - total[:-rows, columns:]
        - total[rows:, :-columns] + total[:-rows, :-columns]
    )  # fmt: skip
    if taken is not None:
        tops, lefts = np.indices(sums.shape) * _BLOCK
        apart = (abs(tops - taken.y) >= taken.height) | (abs(lefts - taken.x) >= taken.width)
        if apart.any():
            sums = np.where(apart, sums, -np.inf)
    top, left = np.unravel_index(np.argmax(sums), sums.shape)
    crop_height, crop_width = min(SIDE, height), min(SIDE, width)
    return Crop(
        x=min(int(left) * _BLOCK, width - crop_width),
        y=min(int(top) * _BLOCK, height - crop_height),
        width=crop_width,
        height=crop_height,
        what=what,
    )
