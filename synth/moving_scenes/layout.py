"""What a scene is a picture of: where its sky, ground, lamps and shadows are."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from synth.moving_scenes.materials import Colour

Kind = Literal["day", "close", "night"]


@dataclass(frozen=True)
class Layout:
    """The plan of a scene, in shares of the canvas.

    Attributes:
        kind: open air by day, no sky in sight, or lamps in the dark.
        horizon: row where the sky ends, in [0, 1]; 0 where there is none.
        sky_top: (3,) linear reflectance of the sky's upper end.
        sky_bottom: (3,) the same at the horizon; also the colour of haze.
        lit: light on things relative to the sky's, square root times 255.
        lamps: number of lamps.
        contrast: stops of standard deviation of the slow changes of light.
    """

    kind: Kind
    horizon: float
    sky_top: Colour
    sky_bottom: Colour
    lit: float
    lamps: int
    contrast: float


def draw_layout(rng: np.random.Generator) -> Layout:
    """A plan drawn at random."""
    kind: Kind = ("day", "close", "night")[int(rng.choice(3, p=[0.6, 0.22, 0.18]))]
    warm = rng.uniform(0, 1)
    if kind == "night":
        sky_top = np.array([0.004, 0.006, 0.012])
        sky_bottom = np.array([0.03, 0.026, 0.03]) * rng.uniform(0.5, 2)
    else:
        sky_top = np.array([0.25, 0.42, 0.75]) * (1 - 0.4 * warm) + 0.25 * warm
        sky_bottom = np.array([0.85, 0.85, 0.82]) - warm * np.array([0, 0.08, 0.2])
    return Layout(
        kind=kind,
        horizon=0.0 if kind == "close" else float(rng.uniform(0.18, 0.5)),
        sky_top=sky_top,
        sky_bottom=sky_bottom,
        lit=float(rng.uniform(100, 150)),
        lamps=int(rng.integers(5, 16) if kind == "night" else rng.integers(0, 4)),
        contrast=float(rng.uniform(0.4, 0.9)),
    )
