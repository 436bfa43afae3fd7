"""From radiance to the eight bits of a camera's picture: exposure, contrast and clipping."""

from dataclasses import dataclass

import numpy as np

from synth.moving_scenes.arrays import Bytes, Codes
from synth.moving_scenes.surface import FULL_SCALE


@dataclass(frozen=True)
class ToneCurve:
    """A camera's automatic exposure and tone curve, as one look-up table.

    Attributes:
        table: (65536,) uint8, the picture's value of each radiance code.
        white: radiance that just reaches 255.
    """

    table: Bytes
    white: float

    def __call__(self, codes: Codes) -> Bytes:
        """Develop radiance codes (H, W, 3) uint16 to a uint8 picture of the same shape."""
        picture = np.empty(codes.shape, np.uint8)
        rows = max(1, (1 << 16) // max(1, codes.shape[1]))
        for top in range(0, codes.shape[0], rows):
            strip = slice(top, top + rows)
            # With mode="clip" numpy gathers straight into `out`; no code is outside the table.
            np.take(self.table, codes[strip], out=picture[strip], mode="clip")
        return picture


def fit_tone_curve(rng: np.random.Generator, codes: Codes) -> ToneCurve:
    """Expose as a phone does: a little clipped, a little black, the median at a middle grey.

    Args:
        rng: source of chance for what is let clip.
        codes: (H, W, 3) uint16 radiance codes of the scene.
    """
    step = max(1, min(codes.shape[:2]) // 200)
    sample = codes[::step, ::step].astype(np.float64) / 65535 * np.sqrt(FULL_SCALE)
    brightest = (sample**2).max(axis=2)
    luminance = sample**2 @ [0.2126, 0.7152, 0.0722]
    bright = float(np.quantile(brightest, 1 - rng.uniform(0.006, 0.022)))
    black = float(min(np.quantile(luminance, rng.uniform(0.002, 0.02)), 0.05 * bright))
    middle = float(np.median(luminance))
    grey, steep = rng.uniform(0.3, 0.42), rng.uniform(0.15, 0.55)
    steps = np.linspace(0, 1, 4096)
    curve = (1 - steep) * steps + steep * steps * steps * (3 - 2 * steps)
    white = bright
    # The share near white is set for value 250, which depends on the exponent, and that on white.
    for _ in range(4):
        median = np.clip((middle - black) / (white - black), 1e-4, 0.9)
        exponent = np.clip(np.log(grey) / np.log(median), 0.32, 0.75)
        near_white = steps[np.searchsorted(curve, 249.5 / 255)] ** (1 / exponent)
        white = black + (bright - black) / float(near_white)
    radiance = (np.arange(65536) / 65535 * np.sqrt(FULL_SCALE)) ** 2
    exposed = np.clip((radiance - black) / (white - black), 0, 1)
    value = np.interp(exposed**exponent, steps, curve)
    return ToneCurve(np.round(255 * value).astype(np.uint8), white)
