"""The still part of a scene, painted once on a canvas larger than the frame."""

import numpy as np

from synth.moving_scenes.arrays import Codes
from synth.moving_scenes.backdrop import paint_backdrop, paint_fields, paint_skyline
from synth.moving_scenes.illumination import draw_illumination
from synth.moving_scenes.lamps import light_lamps
from synth.moving_scenes.layout import Layout
from synth.moving_scenes.leaves import (
    Leaf,
    ball_shading,
    flat_shading,
    paint,
    power_law_radii,
    smallest_radius,
)
from synth.moving_scenes.materials import Palette, random_material
from synth.moving_scenes.outlines import Outline, outline_pool
from synth.moving_scenes.stamps import STAMP_SIDE, STAMPS, TUFTS
from synth.moving_scenes.surface import Surface

COVERAGE = 3.0
"""How many leaves lie over each other on average."""


def paint_world(
    rng: np.random.Generator, layout: Layout, palette: Palette, height: int, width: int, unit: float
) -> Codes:
    """Radiance codes (height, width, 3) of everything that stands still.

    Args:
        rng: source of chance.
        layout: plan of the scene.
        palette: its colours.
        height: rows of the canvas.
        width: columns of the canvas.
        unit: height in pixels of the whole scene: what sizes are shares of.
    """
    surface = paint_backdrop(rng, layout, palette, height, width)
    if layout.kind != "close":
        paint_skyline(rng, layout, palette, surface, unit)
    _paint_leaves(rng, layout, palette, surface, unit)
    _scatter_litter(rng, layout, palette, surface)
    codes = surface.codes(draw_illumination(rng, layout, height, width, unit))
    light_lamps(rng, layout, codes, unit)
    return codes


def _paint_leaves(
    rng: np.random.Generator, layout: Layout, palette: Palette, surface: Surface, unit: float
) -> None:
    height, width = surface.height, surface.width
    high = min(0.17 * unit, 0.5 * min(height, width))
    area = height * width * (1 - layout.horizon)
    count = 110 + round(area / 2600)
    low = smallest_radius(area, count, high, COVERAGE)
    radii = power_law_radii(rng, count, low, high)
    columns = rng.uniform(0, width, count)
    horizon = layout.horizon * height
    above = rng.uniform(size=count) < 0.012
    rows = np.where(above, rng.uniform(0, horizon, count), rng.uniform(horizon, height, count))
    # Large leaves tend to come first, so that they don't bury what is small.
    rank = rng.uniform(size=count) - 0.45 * np.log(radii / low) / np.log(high / low)
    if horizon:
        paint_fields(rng, layout, palette, surface, unit)
        near = np.clip((rows - horizon) / (height - horizon), 0, 1)
        radii *= 0.45 + 0.9 * near
        rank += 1.2 * near
    order = np.argsort(rank)
    balls = [
        np.round(ball_shading() * (layout.lit * k / 255)).astype(np.uint8) for k in (0.8, 1.15)
    ]
    for x, y, radius in np.stack([columns, rows, radii], axis=1)[order].tolist():
        in_sky = y < horizon
        outline, round_enough = _choose_outline(rng)
        far = in_sky or (horizon > 0 and (y - horizon) < 0.12 * height)
        level = layout.lit * float(np.exp2(rng.normal(-0.1, 0.35)))
        paint(
            surface,
            Leaf(
                x=x,
                y=y,
                radius=radius,
                outline=outline,
                material=random_material(rng, palette.far if far else palette.near, radius),
                offset=(float(rng.uniform()), float(rng.uniform())),
                shading=balls[int(rng.integers(2))] if round_enough else flat_shading(rng, level),
                lift=0.0 if in_sky else 0.14,
            ),
        )


def _choose_outline(rng: np.random.Generator) -> tuple[Outline | int, bool]:
    """An outline or stamp, and whether it is round enough to be shaded as a ball."""
    if rng.uniform() < 0.26:
        return int(rng.integers(TUFTS)), False
    outline, roundness = outline_pool()[int(rng.integers(len(outline_pool())))]
    return outline, rng.uniform() < roundness - 0.1


def _scatter_litter(
    rng: np.random.Generator, layout: Layout, palette: Palette, surface: Surface
) -> None:
    """The small end of the power law, too many leaves to paint one by one."""
    horizon = layout.horizon * surface.height
    area = (surface.height - horizon) * surface.width
    for _ in range(1 + round(1.2 * area / STAMP_SIDE**2)):
        x, y = rng.uniform(0, surface.width), rng.uniform(horizon, surface.height)
        size = float(np.exp2(rng.uniform(-1.0, 0.2)))
        paint(
            surface,
            Leaf(
                x=float(x),
                # Litter reaches half its radius upwards before it thins out.
                y=float(y + (0.4 * size * STAMP_SIDE / 2 if horizon else 0)),
                radius=size * STAMP_SIDE / 2,
                outline=int(rng.integers(TUFTS, STAMPS)),
                material=random_material(rng, palette.near, 1, ("leaves", "foliage", "smooth")),
                offset=(float(rng.uniform()), float(rng.uniform())),
                shading=flat_shading(rng, layout.lit * float(rng.uniform(0.8, 1.3))),
                lift=0.008,
            ),
        )
