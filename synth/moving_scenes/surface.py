"""A picture under construction: reflectance and light, painted leaf by leaf."""

from dataclasses import dataclass

import cv2
import numpy as np

from synth.moving_scenes.arrays import Bytes, Codes, Floats

# A stored code is the square root of radiance: products stay products, and 16 bits cover
# radiance from 1 / 2**28 to FULL_SCALE with finer steps where the eye sees them.
FULL_SCALE = 16.0

_SHARPENING = 1.5


@dataclass
class Surface:
    """Planes of one size that leaves are painted on.

    Attributes:
        colour: (H, W, 3) uint8 RGB, square root of reflectance times 255.
        light: (H, W) uint8, square root of received light times 255.
        cover: (H, W) uint8 opacity of all that was painted, or None where the ground shows.
    """

    colour: Bytes
    light: Bytes
    cover: Bytes | None = None

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.light.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.light.shape[1])

    def paint(self, mask: Bytes, left: int, top: int, colour: Bytes, light: Bytes) -> None:
        """Lay a leaf over what is there.

        Args:
            mask: (h, w) opacity; the leaf lies wholly inside the surface.
            left: column of the leaf's first pixel.
            top: row of the leaf's first pixel.
            colour: (h, w, 3) as `Surface.colour`.
            light: (h, w) as `Surface.light`.
        """
        height, width = mask.shape
        window = (slice(top, top + height), slice(left, left + width))
        weight = np.multiply(mask, np.float32(1 / 255), dtype=np.float32)
        rest = np.float32(1) - weight
        self.colour[window] = cv2.blendLinear(colour, self.colour[window], weight, rest)
        self.light[window] = cv2.blendLinear(light, self.light[window], weight, rest)
        if self.cover is not None:
            np.maximum(self.cover[window], mask, out=self.cover[window])

    def shade(self, mask: Bytes, left: int, top: int, depth: int, strength: float) -> None:
        """Darken by the soft shadow that a leaf with `mask` throws to the lower right.

        Args:
            mask: (h, w) opacity of the leaf, inside the surface.
            left: column of the leaf's first pixel.
            top: row of the leaf's first pixel.
            depth: how far the shadow falls, in pixels.
            strength: share of the light taken away where the shadow is full, in [0, 1].
        """
        step = 4 if depth >= 8 else 2
        small = cv2.resize(mask, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
        margin = 2 * depth // step + 1
        padded = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
        reach = 2 * (depth // step // 2) + 3
        soft = cv2.blur(cv2.blur(padded, (reach, reach)), (reach, reach))
        keep = cv2.resize(
            cv2.addWeighted(soft, -strength, soft, 0.0, 255.0),
            None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR,
        )  # fmt: skip
        x, y = left - margin * step + depth, top - margin * step + depth
        x0, y0 = max(x, 0), max(y, 0)
        x1 = min(x + keep.shape[1], self.width)
        y1 = min(y + keep.shape[0], self.height)
        if x1 <= x0 or y1 <= y0:
            return
        window = (slice(y0, y1), slice(x0, x1))
        cut = keep[y0 - y : y1 - y, x0 - x : x1 - x]
        self.light[window] = cv2.multiply(self.light[window], cut, scale=1 / 255)

    def codes(self, gain: Floats) -> Codes:
        """Square root of radiance over `FULL_SCALE`, (H, W, 3) uint16.

        Args:
            gain: (H, W) float32 square root of the illumination; 1 for full light.
        """
        # As cameras do; it also makes up for the resampling of every frame.
        soft = cv2.GaussianBlur(self.colour, (3, 3), 0.9)
        sharp = cv2.addWeighted(self.colour, 1 + _SHARPENING, soft, -_SHARPENING, 0.0)
        result = np.empty(self.colour.shape, np.uint16)
        scale = np.float32(65535 / np.sqrt(FULL_SCALE) / 255 / 255)
        rows = max(1, (1 << 18) // max(1, self.width))
        for top in range(0, self.height, rows):
            strip = slice(top, top + rows)
            lit = cv2.multiply(self.light[strip], gain[strip], scale=float(scale), dtype=cv2.CV_32F)
            product = cv2.multiply(sharp[strip], cv2.merge([lit, lit, lit]), dtype=cv2.CV_16U)
            result[strip] = product
        return result
