"""Leaf outlines: polygons of unit radius around the origin."""

from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.moving_scenes.arrays import Bytes

Outline: TypeAlias = NDArray[np.float64]

FRACTION_BITS = 4
"""Places are given to OpenCV in sixteenths of a pixel."""


def ellipse(aspect: float, angle: float) -> Outline:
    """An ellipse (48, 2) whose longer half axis is 1 and whose shorter one is `aspect`."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return rotated(np.stack([np.cos(turn), aspect * np.sin(turn)], axis=1), angle)


def rounded_rectangle(aspect: float, corner: float, angle: float) -> Outline:
    """A rectangle (32, 2) with half sides 1 and `aspect`; `corner` in [0, 1] of the shorter one."""
    radius = corner * min(1.0, aspect)
    turn = np.linspace(0, np.pi / 2, 8)
    arc = radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    inner = np.array([1 - radius, aspect - radius])
    quarters = []
    for quarter, signs in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        quarters.append(rotated(arc, quarter * np.pi / 2) + inner * signs)
    return rotated(np.concatenate(quarters), angle)


def polygon(rng: np.random.Generator) -> Outline:
    """A straight-edged star-shaped polygon with three to eight corners."""
    corners = int(rng.integers(3, 9))
    turn = 2 * np.pi * (np.arange(corners) + rng.uniform(-0.35, 0.35, corners)) / corners
    reach = rng.uniform(0.6, 1, corners)
    points = np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None]
    return rotated(points, float(rng.uniform(0, 2 * np.pi)))


def blob(rng: np.random.Generator) -> Outline:
    """A smooth closed curve (64, 2): a circle with a few low harmonics."""
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    order = np.arange(2, 7)
    waves = np.cos(np.outer(turn, order) + rng.uniform(0, 2 * np.pi, order.size))
    reach = 1 + waves @ (rng.normal(0, 0.16, order.size) / np.sqrt(order - 1))
    points = np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None]
    return np.asarray(points / np.abs(reach).max())


def rotated(points: Outline, angle: float) -> Outline:
    """Turn `points` (N, 2) by `angle` radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]))


def filled(points: Outline, height: int, width: int) -> Bytes:
    """Anti-aliased mask (height, width) of the polygon `points` given in pixels."""
    mask = np.zeros((height, width), np.uint8)
    fixed = np.round(points * (1 << FRACTION_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, FRACTION_BITS)
    return mask


def draw_ellipse(
    canvas: Bytes, centre: np.ndarray, axes: tuple[float, float], angle: float, tone: float
) -> None:
    """Draw an anti-aliased filled ellipse, placed to a sixteenth of a pixel."""
    fine = 1 << FRACTION_BITS
    at = (round(centre[0] * fine), round(centre[1] * fine))
    halves = (round(axes[0] * fine), round(axes[1] * fine))
    cv2.ellipse(canvas, at, halves, angle, 0, 360, tone, -1, cv2.LINE_AA, FRACTION_BITS)


@cache
def outline_pool() -> tuple[tuple[Outline, float], ...]:
    """Outlines to choose from, each with its roundness: 1 for a disc, 0 for what has corners.

    They do not depend on a scene's seed: drawing 3000 of them afresh would take longer than
    painting them.
    """
    rng = np.random.default_rng(0x1EAF)
    pool: list[tuple[Outline, float]] = []
    for _ in range(40):
        aspect = float(rng.uniform(0.35, 1))
        pool.append((ellipse(aspect, float(rng.uniform(0, np.pi))), aspect))
        pool.append((blob(rng), 0.75))
        pool.append((polygon(rng), 0.0))
        aspect = float(np.exp(rng.uniform(np.log(0.06), np.log(0.9))))
        angle = float(rng.normal(0, 0.12) + np.pi / 2 * rng.integers(2))
        corner = float(rng.uniform(0.02, 0.5))
        pool.append((rounded_rectangle(aspect, corner, angle), 0.0))
    for outline, _ in pool:
        outline.setflags(write=False)
    return tuple(pool)
