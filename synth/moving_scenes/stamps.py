"""Shapes made of many small leaves: bushes, treetops and litter, drawn once per process."""

from functools import cache

import cv2
import numpy as np

from synth.moving_scenes.arrays import Bytes
from synth.moving_scenes.outlines import draw_ellipse

TUFTS = 8
STAMPS = 13
STAMP_SIDE = 512


def stamp_mask(number: int, side: int) -> Bytes:
    """A shape made of many small leaves, (side, side) uint8.

    Args:
        number: 0 to TUFTS - 1 for the dense silhouettes of bushes and treetops, from there to
            STAMPS - 1 for loose litter that thins out from the middle.
        side: rows and columns.
    """
    size = STAMP_SIDE
    while size // 2 >= side and size > 16:
        size //= 2
    return np.asarray(cv2.resize(_stamps()[number][size], (side, side)), np.uint8)


@cache
def _stamps() -> tuple[dict[int, Bytes], ...]:
    """Each silhouette by its side, halved down to 16: shrinking by more than two is slow."""
    pyramids = []
    for number in range(STAMPS):
        draw = _tuft if number < TUFTS else _litter
        mask = draw(np.random.default_rng([number, 0x7F]))
        pyramid = {STAMP_SIDE: mask}
        for size in (256, 128, 64, 32, 16):
            mask = np.asarray(cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA))
            pyramid[size] = mask
        pyramids.append(pyramid)
    return tuple(pyramids)


def _litter(rng: np.random.Generator) -> Bytes:
    mask = np.zeros((STAMP_SIDE, STAMP_SIDE), np.uint8)
    count = 1500
    places = rng.normal(STAMP_SIDE / 2, 0.19 * STAMP_SIDE, (count, 2))
    radii = np.minimum(rng.uniform(size=count) ** -0.5, 7)
    for place, radius in zip(places, radii, strict=True):
        axes = (radius, radius * rng.uniform(0.3, 1))
        draw_ellipse(mask, place, axes, rng.uniform(0, 180), 255)
    return mask


def _tuft(rng: np.random.Generator) -> Bytes:
    mask = np.zeros((STAMP_SIDE, STAMP_SIDE), np.uint8)
    lobes = rng.normal(0, 76, (7, 2)) + STAMP_SIDE / 2
    for _ in range(1300):
        place = lobes[rng.integers(len(lobes))] + rng.normal(0, 42, 2)
        if np.hypot(*(place - STAMP_SIDE / 2)) > 0.45 * STAMP_SIDE:
            continue
        length = rng.uniform(5, 16)
        axes = (length, length * rng.uniform(0.25, 0.6))
        draw_ellipse(mask, place, axes, rng.uniform(0, 180), 255)
    return mask
