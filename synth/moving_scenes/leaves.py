"""Dead leaves: random opaque shapes of power-law sizes laid over each other.

Source: Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 2001: with radii falling
as r ** -3 the picture has the statistics of natural ones at every scale.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from synth.moving_scenes import outlines
from synth.moving_scenes.arrays import Bytes
from synth.moving_scenes.materials import Material
from synth.moving_scenes.outlines import Outline
from synth.moving_scenes.stamps import stamp_mask
from synth.moving_scenes.surface import Surface

SHADOW_FROM = 7.0
"""Radius in pixels from which a leaf throws a shadow."""

_DOWN = np.array([[1.0, 1.0], [-1.0, -1.0]])
_ACROSS = np.array([[1.0, -1.0], [1.0, -1.0]])


@dataclass(frozen=True)
class Leaf:
    """One leaf to be painted.

    Attributes:
        x: column of its centre.
        y: row of its centre.
        radius: in pixels.
        outline: polygon of unit radius, or the number of a stamp.
        material: what it is made of.
        offset: where its texture begins, two numbers in [0, 1).
        shading: small (n, m) uint8 map of the light it receives, stretched over the leaf.
        lift: height above what lies below, as a share of the radius: length of its shadow;
            0 for none.
    """

    x: float
    y: float
    radius: float
    outline: Outline | int
    material: Material
    offset: tuple[float, float]
    shading: Bytes
    lift: float = 0.14


def power_law_radii(rng: np.random.Generator, count: int, low: float, high: float) -> np.ndarray:
    """`count` radii in [low, high] with density r ** -3."""
    share = rng.uniform(size=count)
    return np.asarray((low**-2 - share * (low**-2 - high**-2)) ** -0.5)


def smallest_radius(area: float, count: int, high: float, coverage: float) -> float:
    """Lower end of the power law at which `count` leaves cover `area` `coverage` times.

    The mean of r ** 2 is 2 r0 ** 2 ln(high / r0) / (1 - (r0 / high) ** 2).
    """
    wanted = coverage * area / (np.pi * count)
    candidates = np.geomspace(high / 400, high / 1.05, 400)
    ratio = high / candidates
    mean_square = 2 * candidates**2 * np.log(ratio) / (1 - ratio**-2)
    return float(candidates[min(int(np.searchsorted(mean_square, wanted)), 399)])


def paint(surface: Surface, leaf: Leaf) -> None:
    """Paint the part of `leaf` that falls on `surface`, with its shadow."""
    outline = leaf.outline
    if isinstance(outline, int):
        low, high = np.array([-1, -1]), np.array([1, 1])
    else:
        low, high = outline.min(axis=0), outline.max(axis=0)
    left, top = int(leaf.x + low[0] * leaf.radius) - 2, int(leaf.y + low[1] * leaf.radius) - 2
    right, bottom = int(leaf.x + high[0] * leaf.radius) + 2, int(leaf.y + high[1] * leaf.radius) + 2
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(right, surface.width), min(bottom, surface.height)
    if x1 <= x0 or y1 <= y0:
        return
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    if isinstance(outline, int):
        mask = stamp_mask(outline, max(right - left, bottom - top))[inside]
    else:
        corner = np.array([leaf.x - x0, leaf.y - y0])
        mask = outlines.filled(outline * leaf.radius + corner, y1 - y0, x1 - x0)
    whole = cv2.resize(leaf.shading, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    light = np.asarray(whole, np.uint8)[inside]
    colour = leaf.material.patch(y1 - y0, x1 - x0, leaf.offset)
    if leaf.lift and leaf.radius >= SHADOW_FROM:
        depth = max(2, round(leaf.lift * leaf.radius))
        surface.shade(mask, x0, y0, depth, 0.55)
    surface.paint(mask, x0, y0, colour, light)


@cache
def ball_shading() -> Bytes:
    """Light on a ball lit from the upper left, (48, 48) uint8 with 255 the brightest."""
    axis = np.linspace(-1, 1, 48)
    x, y = np.meshgrid(axis, axis)
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0.04, 1))
    lambert = np.clip(-0.5 * x - 0.62 * y + 0.6 * z, 0, 1)
    shading = np.round(255 * np.sqrt(0.1 + 0.9 * lambert)).astype(np.uint8)
    shading.setflags(write=False)
    return shading


def flat_shading(rng: np.random.Generator, level: float) -> Bytes:
    """Light on a plane tilted at random, (2, 2) uint8 around `level` (0 to 255)."""
    slope = rng.normal(0, 0.16, 2)
    corners = 1 + slope[0] * _DOWN + slope[1] * _ACROSS
    return np.asarray(np.clip(level * corners, 6, 255), np.uint8)
