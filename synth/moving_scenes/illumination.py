"""The light that falls on a scene: slow changes and large soft shadows."""

import cv2
import numpy as np

from synth.moving_scenes import outlines
from synth.moving_scenes.arrays import Floats
from synth.moving_scenes.layout import Layout
from synth.moving_scenes.textures import power_noise


def draw_illumination(
    rng: np.random.Generator, layout: Layout, height: int, width: int, unit: float
) -> Floats:
    """Square root of illumination (height, width): slow changes and large soft shadows."""
    step = 4 if min(height, width) >= 512 else 2
    rows, columns = -(-height // step), -(-width // step)
    slow = power_noise(rng, 128, 1.7)
    coarse = cv2.resize(slow[:64, :96], (columns, rows), interpolation=cv2.INTER_CUBIC)
    ramp = np.linspace(-1, 1, columns)[None, :] * rng.normal(0, 0.4)
    stops = layout.contrast * coarse + ramp.astype(np.float32)
    shadow = np.zeros((rows, columns), np.uint8)
    for _ in range(int(rng.integers(2, 6))):
        centre = rng.uniform(0, 1, 2) * [columns, rows]
        reach = min(unit / step * 0.4, 0.7 * max(rows, columns)) * rng.uniform(0.3, 1)
        points = (outlines.polygon(rng) * [1.6, 0.8]) * reach + centre
        shadow = np.maximum(shadow, outlines.filled(points, rows, columns))
    soft = cv2.GaussianBlur(shadow, (0, 0), max(1.0, 0.004 * unit / step))
    stops -= soft * np.float32(rng.uniform(1.6, 3.2) / 255)
    if layout.horizon:
        below = (np.linspace(0, 1, rows) - layout.horizon + 0.1) / 0.25
        stops *= np.clip(below, 0.1, 1).astype(np.float32)[:, None]
    gain = np.exp2(np.float32(0.5) * np.minimum(stops, 2.2))
    return np.asarray(cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR))
