"""Sources of light in the picture, far brighter than white, with a glow around them."""

import numpy as np

from synth.moving_scenes.arrays import Codes, Floats
from synth.moving_scenes.layout import Layout
from synth.moving_scenes.surface import FULL_SCALE


def light_lamps(rng: np.random.Generator, layout: Layout, codes: Codes, unit: float) -> None:
    """Add lamps far brighter than white, each with a glow around it."""
    height, width = codes.shape[:2]
    for _ in range(layout.lamps):
        radius = min(unit, 3 * height) * float(rng.uniform(0.003, 0.012))
        x = float(rng.uniform(0, width))
        y = float(rng.uniform(0, max(layout.horizon, 0.7) * height))
        colour = np.array([1, rng.uniform(0.75, 1), rng.uniform(0.45, 0.95)], np.float32)
        add_lamp(codes, x, y, radius, colour * np.float32(rng.uniform(4, FULL_SCALE)))


def add_lamp(codes: Codes, x: float, y: float, radius: float, radiance: Floats) -> None:
    """Add a glowing disc at (x, y) to radiance codes, in place.

    Args:
        codes: (H, W, 3) uint16 as of `Surface.codes`.
        x: column of its centre.
        y: row of its centre.
        radius: of the disc, in pixels; the glow reaches twelve times as far.
        radiance: (3,) of the disc, up to `FULL_SCALE`.
    """
    reach = 12 * radius + 2
    x0, y0 = max(int(x - reach), 0), max(int(y - reach), 0)
    window = codes[y0 : int(y + reach) + 1, x0 : int(x + reach) + 1]
    if window.size == 0:
        return
    rows = np.arange(window.shape[0], dtype=np.float32)[:, None] + np.float32(y0 - y)
    columns = np.arange(window.shape[1], dtype=np.float32)[None, :] + np.float32(x0 - x)
    distance = np.sqrt(rows * rows + columns * columns)
    disc = np.clip(np.float32(radius + 0.5) - distance, 0, 1)
    edge = np.clip(1 - distance / np.float32(reach), 0, 1)
    glow = np.float32(0.03) * edge * edge / (1 + (distance / np.float32(1.5 * radius)) ** 2)
    scale = np.float32(65535 / np.sqrt(FULL_SCALE))
    linear = (window / scale) ** 2 + np.maximum(disc, glow)[:, :, None] * radiance
    window[:] = np.minimum(np.sqrt(linear) * scale, 65535).astype(np.uint16)
