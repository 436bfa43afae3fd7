"""A moving scene: a seed in, a frame for any moment out."""

import cv2
import numpy as np

from synth.moving_scenes.arrays import Bytes, Codes, Floats
from synth.moving_scenes.layout import draw_layout
from synth.moving_scenes.materials import Palette
from synth.moving_scenes.motion import draw_camera
from synth.moving_scenes.objects import draw_object
from synth.moving_scenes.surface import FULL_SCALE
from synth.moving_scenes.tone import fit_tone_curve
from synth.moving_scenes.world import paint_world

SMALLEST_SIDE = 32
LARGEST_SIDE = 16384


class MovingScene:
    """A generated scene with natural-image statistics, a panning camera and moving things.

    The same arguments give the same bytes for every frame, whatever was made before and in
    whatever order frames are asked for (with the same versions of numpy and OpenCV on the same kind
    of processor).

    Args:
        seed: any whole number from 0 on.
        height: rows of a frame, 32 to 16384.
        width: columns of a frame, 32 to 16384.
        scene_height: height in pixels that the whole scene would have; sizes and speeds follow from
            it. The default is `height`; 2160 with a 256 × 256 frame gives what a 256 × 256 window
            of a 4K picture shows.
        objects: number of moving things; the default draws three to eight.
        motion: factor on every speed; 0 for a still scene.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self, seed: int, height: int, width: int, *, scene_height: float | None = None,
        objects: int | None = None, motion: float = 1.0,
    ) -> None:  # fmt: skip
        unit = float(height if scene_height is None else scene_height)
        _check(seed, height, width, unit, objects, motion)
        self.seed, self.height, self.width = seed, height, width
        rng = np.random.default_rng([seed, 0x5CE1E])
        layout = draw_layout(rng)
        palette = Palette(rng, layout.sky_bottom)
        self._camera = draw_camera(rng, height, width, unit, motion)
        margin = self._camera.margin
        rows, columns = height + 2 * margin, width + 2 * margin
        self._canvas = paint_world(rng, layout, palette, rows, columns, unit)
        inner = slice(margin, -margin)
        self._tone = fit_tone_curve(rng, self._canvas[inner, inner])
        # Last, so that the number of moving things changes nothing behind them.
        number = int(rng.integers(3, 9)) if objects is None else objects
        self._objects = [
            draw_object(rng, palette, layout, (columns, rows), unit, motion) for _ in range(number)
        ]

    def frame(self, time_seconds: float) -> Bytes:
        """The picture a camera takes at a moment.

        Args:
            time_seconds: any time, also negative.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        return self._tone(self._codes(time_seconds))

    def radiance(self, time_seconds: float) -> Floats:
        """What the camera looks at, before exposure, tone curve and clipping.

        Args:
            time_seconds: any time, also negative.

        Returns:
            (H, W, 3) float32 linear RGB from 0; `frame` shows 1 and more as white.
        """
        code = self._codes(time_seconds).astype(np.float32)
        return code * code * np.float32(FULL_SCALE / 65535**2 / self._tone.white)

    def _codes(self, time_seconds: float) -> Codes:
        to_canvas = self._camera.to_canvas(time_seconds)
        frame = cv2.warpAffine(
            self._canvas, to_canvas[:2], (self.width, self.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        codes = np.asarray(frame, np.uint16)
        for thing in self._objects:
            thing.blend_into(codes, to_canvas, time_seconds)
        return codes


def _check(
    seed: int, height: int, width: int, unit: float, objects: int | None, motion: float
) -> None:
    if seed < 0:
        raise ValueError(f"the seed of a moving scene must be 0 or more, not {seed}")
    if min(height, width) < SMALLEST_SIDE or max(height, width) > LARGEST_SIDE:
        raise ValueError(
            f"a moving scene has {SMALLEST_SIDE} to {LARGEST_SIDE} rows and columns, "
            f"not {height} × {width}"
        )
    if not height / 4 <= unit <= 64 * height:
        raise ValueError(
            f"scene_height must lie between a quarter and 64 times the frame's {height} rows, "
            f"not at {unit:g}"
        )
    if objects is not None and not 0 <= objects <= 64:
        raise ValueError(f"a moving scene has 0 to 64 moving things, not {objects}")
    if not 0 <= motion <= 10:
        raise ValueError(f"motion must lie between 0 and 10, not at {motion:g}")
