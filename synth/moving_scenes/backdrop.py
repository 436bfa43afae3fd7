"""What lies behind the leaves: sky, ground, and houses and trees on the horizon."""

import cv2
import numpy as np

from synth.moving_scenes import outlines
from synth.moving_scenes.layout import Layout
from synth.moving_scenes.leaves import (
    Leaf,
    flat_shading,
    paint,
)
from synth.moving_scenes.materials import Palette, random_material
from synth.moving_scenes.outlines import Outline
from synth.moving_scenes.stamps import TUFTS
from synth.moving_scenes.surface import Surface
from synth.moving_scenes.textures import NAMES, TILE, texture_atlas

_GROUNDS = ("grain", "smooth", "plaster", "grass", "leaves", "marble")


def paint_backdrop(
    rng: np.random.Generator, layout: Layout, palette: Palette, height: int, width: int
) -> Surface:
    """Sky with clouds above the horizon, one material below it."""
    surface = Surface(
        np.empty((height, width, 3), np.uint8), np.full((height, width), int(layout.lit), np.uint8)
    )
    end = round(layout.horizon * height)
    if end:
        _paint_sky(rng, layout, surface, end)
    ground = random_material(rng, palette.near, height, _GROUNDS)
    for top in range(end, height, TILE):
        for left in range(0, width, TILE):
            window = surface.colour[top : top + TILE, left : left + TILE]
            rows, columns = window.shape[:2]
            grey = np.ascontiguousarray(ground.texture[:rows, :columns])
            window[:] = cv2.applyColorMap(grey, ground.ramp)
    return surface


def _paint_sky(rng: np.random.Generator, layout: Layout, surface: Surface, end: int) -> None:
    """Fill the first `end` rows: clouds on a gradient, brightest around the sun.

    Everything here is smooth, so that it is computed at a quarter of the size.
    """
    rows, columns = -(-end // 4), -(-surface.width // 4)
    size = (surface.width, end)
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    across = np.linspace(0, 1, columns, dtype=np.float32)[None, :]

    side = min(TILE, 64 + max(end, surface.width) // 8)
    start = int(rng.integers(0, TILE))
    texture = texture_atlas()[NAMES.index("smooth")][start : start + side, :side]
    clouds = cv2.resize(texture, (columns, rows), interpolation=cv2.INTER_LINEAR)
    threshold = np.float32(rng.uniform(90, 170))
    amount = np.clip((clouds - threshold) / np.float32(122), 0, 0.9)[:, :, None]
    plain = layout.sky_top + (layout.sky_bottom - layout.sky_top) * down[:, :, None]
    white = np.float32(np.sqrt(0.93 if layout.kind == "day" else 0.03))
    sky = np.sqrt(plain).astype(np.float32)
    sky = np.float32(255) * (sky + (white - sky) * amount)
    surface.colour[:end] = cv2.resize(sky, size, interpolation=cv2.INTER_LINEAR)

    sun = (np.float32(rng.uniform(0.1, 0.9)), np.float32(rng.uniform(-0.3, 0.8)))
    squash = np.float32(end / surface.width)
    distance = np.sqrt((across - sun[0]) ** 2 + ((down - sun[1]) * squash) ** 2)
    light = 150 + 105 * np.exp(np.float32(-3.2) * distance)
    surface.light[:end] = cv2.resize(light, size, interpolation=cv2.INTER_LINEAR)


def paint_skyline(
    rng: np.random.Generator, layout: Layout, palette: Palette, surface: Surface, unit: float
) -> None:
    """Houses and trees that stand on the horizon, pale with distance."""
    base = layout.horizon * surface.height
    reach = min(unit, 2.5 * surface.height)
    count = int(np.clip(8 * surface.width / reach, 4, 60))
    for place in rng.permutation(count):
        radius = reach * float(rng.uniform(0.05, 0.17))
        house = rng.uniform() < 0.55
        outline: Outline | int
        if house:
            outline = outlines.rounded_rectangle(float(rng.uniform(0.45, 1.6)), 0.02, 0)
            outline = outline / np.abs(outline).max()
            names: tuple[str, ...] = ("facade", "bricks", "plaster", "facade")
        else:
            outline = int(rng.integers(TUFTS))
            names = ("foliage", "grass", "leaves", "grain")
        paint(
            surface,
            Leaf(
                x=(place + float(rng.uniform())) * surface.width / count,
                y=base - radius * float(rng.uniform(0, 0.8)),
                radius=radius,
                outline=outline,
                material=random_material(rng, palette.far, radius, names),
                offset=(float(rng.uniform()), float(rng.uniform())),
                shading=flat_shading(rng, layout.lit * float(rng.uniform(0.6, 1.2))),
                lift=0.0,
            ),
        )


def paint_fields(
    rng: np.random.Generator, layout: Layout, palette: Palette, surface: Surface, unit: float
) -> None:
    """Flat patches of ground, the farther the flatter."""
    horizon = layout.horizon * surface.height
    for near in np.sort(rng.uniform(0.02, 1, 16)).tolist():
        radius = min(0.6 * unit, 0.7 * surface.width) * float(rng.uniform(0.2, 0.6))
        flatness = 0.12 + 0.4 * near
        paint(
            surface,
            Leaf(
                x=float(rng.uniform(0, surface.width)),
                y=horizon + near * (surface.height - horizon) + flatness * radius,
                radius=radius,
                outline=outlines.blob(rng) * [1, flatness],
                material=random_material(rng, palette.near, radius, _GROUNDS),
                offset=(float(rng.uniform()), float(rng.uniform())),
                shading=flat_shading(rng, layout.lit * float(rng.uniform(0.7, 1.1))),
                lift=0.0,
            ),
        )
