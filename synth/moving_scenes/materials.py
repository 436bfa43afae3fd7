"""What leaves are made of: a colour ramp indexed by a grey texture."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.moving_scenes.arrays import Bytes
from synth.moving_scenes.textures import NAMES, TILE, texture_atlas

Colour: TypeAlias = NDArray[np.float64]

RAMPS = 40
_GRAIN = 0.3

# Reflectances (linear RGB) of common stuff: bark, soil, brick, concrete, foliage, grass, dry
# grass, slate, sand, plaster, skin, asphalt.
_NATURAL = np.array([
    [0.16, 0.11, 0.07], [0.12, 0.08, 0.05], [0.30, 0.13, 0.09], [0.36, 0.35, 0.33],
    [0.07, 0.13, 0.04], [0.14, 0.22, 0.06], [0.40, 0.33, 0.18], [0.14, 0.16, 0.19],
    [0.46, 0.38, 0.27], [0.66, 0.63, 0.57], [0.48, 0.30, 0.22], [0.08, 0.08, 0.085],
])  # fmt: skip


@dataclass(frozen=True)
class Material:
    """A textured surface.

    Attributes:
        ramp: (256, 1, 3) uint8 RGB, square root of reflectance for each texture value.
        texture: a tile of the atlas.
        magnification: pixels of the picture for a pixel of the tile.
        angle: radians the texture is turned by.
    """

    ramp: Bytes
    texture: Bytes
    magnification: float
    angle: float

    def patch(self, height: int, width: int, offset: tuple[float, float]) -> Bytes:
        """(height, width, 3) uint8 RGB, square root of reflectance.

        Args:
            height: rows in pixels.
            width: columns in pixels.
            offset: where in the tile the patch begins, both in [0, 1).
        """
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        across = abs(cosine) * width + abs(sine) * height
        down = abs(sine) * width + abs(cosine) * height
        room = 2 * TILE - 2
        step = min(1 / self.magnification, room / max(across, down))
        x = 1 + step * across / 2 + offset[0] * (room - step * across)
        y = 1 + step * down / 2 + offset[1] * (room - step * down)
        turn = step * np.array([[cosine, -sine], [sine, cosine]])
        start = [x, y] - turn @ [width / 2, height / 2]
        grey = cv2.warpAffine(
            self.texture, np.column_stack([turn, start]), (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        if max(height, width) <= 2 * TILE:
            # However soft or magnified a texture is, real surfaces go on having detail.
            grain = texture_atlas()[0][:height, :width]
            grey = cv2.addWeighted(grey, 1.0, grain, _GRAIN, -128 * _GRAIN)
        return np.asarray(cv2.applyColorMap(grey, self.ramp), np.uint8)


class Palette:
    """The colours of one scene: a few hues that go together, as ramps ready for use."""

    def __init__(self, rng: np.random.Generator, haze: Colour) -> None:
        """Draw the palette.

        Args:
            rng: source of chance.
            haze: (3,) linear reflectance that far things fade to.
        """
        self._haze = haze
        hues = _NATURAL[rng.choice(len(_NATURAL), 6, replace=False)]
        accents = rng.uniform(0.2, 0.75, (2, 3)) ** 2
        accents = 0.55 * accents + 0.45 * accents.mean(axis=1, keepdims=True)
        pool = np.concatenate([hues, hues, accents])
        picks = pool[rng.integers(0, len(pool), RAMPS)]
        brightness = np.exp2(rng.normal(0, 0.75, (RAMPS, 1)))
        tint = np.exp2(rng.normal(0, 0.16, (RAMPS, 3)))
        self.colours = np.clip(picks * brightness * tint, 0.012, 0.85)
        self._contrast = rng.uniform(0.65, 1.4, RAMPS)
        partners = pool[rng.integers(0, len(pool), RAMPS)]
        self._light_tint = 0.75 * self.colours + 0.25 * partners

    @cached_property
    def near(self) -> list[Bytes]:
        """Ramps at full contrast."""
        return self._ramps(haze=0.0)

    @cached_property
    def far(self) -> list[Bytes]:
        """The same ramps seen through haze."""
        return self._ramps(haze=0.2)

    def _ramps(self, *, haze: float) -> list[Bytes]:
        value = np.linspace(0, 1, 256)[None, :, None]
        exponent = 2.6 * self._contrast[:, None, None] * (value - 0.5)
        colour = self.colours[:, None] * (1 - value) + self._light_tint[:, None] * value
        reflectance = (1 - haze) * colour * np.exp2(2 * exponent) + haze * self._haze
        # Nothing reflects more than it gets: bend towards 1 rather than clip to a flat patch.
        reflectance /= np.cbrt(1 + reflectance**3)
        codes = np.round(255 * np.sqrt(reflectance)).astype(np.uint8)
        return list(codes[:, :, None, :])


def random_material(
    rng: np.random.Generator, ramps: list[Bytes], size: float, names: tuple[str, ...] = NAMES
) -> Material:
    """A material for a leaf of `size` pixels, its texture among `names`."""
    name = names[int(rng.integers(len(names)))]
    upright = name in ("bricks", "facade", "grass")
    return Material(
        ramp=ramps[int(rng.integers(len(ramps)))],
        texture=texture_atlas()[NAMES.index(name)],
        magnification=float(np.exp2(rng.uniform(-0.6, 0.2 + 0.08 * np.log2(1 + size)))),
        angle=float(rng.normal(0, 0.04) if upright else rng.uniform(0, 2 * np.pi)),
    )
