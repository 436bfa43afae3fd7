"""Pictures of moving things, put together once and laid over every frame."""

from dataclasses import dataclass

import cv2
import numpy as np

from synth.moving_scenes.arrays import Codes
from synth.moving_scenes.lamps import add_lamp
from synth.moving_scenes.leaves import Leaf, ball_shading, flat_shading, paint
from synth.moving_scenes.materials import Material, Palette, random_material
from synth.moving_scenes.motion import Matrix, ObjectPath, pose
from synth.moving_scenes.outlines import Outline
from synth.moving_scenes.surface import Surface


@dataclass(frozen=True)
class Sprite:
    """A picture of a thing and its path.

    Attributes:
        planes: (h, w, 4) uint16: radiance codes times opacity, and the share (of 65535) of what
            lies behind that is hidden by the thing or taken by its shadow.
        path: where it is when.
    """

    planes: Codes
    path: ObjectPath

    def blend_into(self, frame: Codes, frame_to_canvas: Matrix, time_seconds: float) -> None:
        """Lay the thing over `frame` (H, W, 3), in place."""
        rows, columns = self.planes.shape[:2]
        to_canvas = self.path.to_canvas(time_seconds) @ pose(-columns / 2, -rows / 2, 0)
        to_frame = np.linalg.inv(frame_to_canvas) @ to_canvas
        corners = to_frame @ [[0, columns, columns, 0], [0, 0, rows, rows], [1, 1, 1, 1]]
        x0, y0 = np.maximum(np.floor(corners[:2].min(axis=1)).astype(int), 0).tolist()
        x1, y1 = np.ceil(corners[:2].max(axis=1)).astype(int).tolist()
        window = frame[y0 : max(y1, 0), x0 : max(x1, 0)]
        if window.size == 0:
            return
        back = np.linalg.inv(to_frame) @ pose(x0, y0, 0)
        over = cv2.warpAffine(
            self.planes, back[:2], (window.shape[1], window.shape[0]),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )  # fmt: skip
        seen = np.float32(1) - over[:, :, 3] * np.float32(1 / 65535)
        behind = cv2.multiply(window, cv2.merge([seen, seen, seen]), dtype=cv2.CV_16U)
        window[:] = cv2.add(behind, np.ascontiguousarray(over[:, :, :3]))


class Bench:
    """A square surface of side 3 radii on which a thing is put together around the middle."""

    def __init__(
        self, rng: np.random.Generator, palette: Palette, lit: float, radius: float
    ) -> None:
        """Clear the bench.

        Args:
            rng: source of chance.
            palette: colours of the scene.
            lit: light on the thing, square root times 255.
            radius: of the thing in pixels.
        """
        self.radius = radius
        self.lit = lit
        self._rng = rng
        self._palette = palette
        self._lamps: list[tuple[float, float, float]] = []
        self._gain = float(rng.uniform(0.8, 1.25))
        side = round(3 * radius) + 4
        self._cover = np.zeros((side, side), np.uint8)
        self._surface = Surface(
            np.full((side, side, 3), 60, np.uint8),
            np.full((side, side), int(lit), np.uint8),
            self._cover,
        )

    def material(self, *names: str) -> Material:
        """A material of the scene's palette, its texture among `names`."""
        return random_material(self._rng, self._palette.near, self.radius, names)

    def add(
        self, x: float, y: float, size: float, outline: Outline | int, material: Material,
        *, ball: bool = False, level: float = 1.0,
    ) -> None:  # fmt: skip
        """Paint a part at (x, y) with `size`, all in radii of the thing, y downwards."""
        middle = self._surface.width / 2
        lit = self.lit * level
        shading = (ball_shading() * (lit / 255)).astype(np.uint8) if ball else None
        leaf = Leaf(
            x=middle + x * self.radius,
            y=middle + y * self.radius,
            radius=size * self.radius,
            outline=outline,
            material=material,
            offset=(float(self._rng.uniform()), float(self._rng.uniform())),
            shading=flat_shading(self._rng, lit) if shading is None else shading,
            lift=0.08,
        )
        paint(self._surface, leaf)

    def add_lamp(self, x: float, y: float, size: float) -> None:
        """Switch on a lamp at (x, y), all in radii of the thing."""
        self._lamps.append((x, y, size))

    def planes(self, *, mirrored: bool) -> Codes:
        """The finished thing as of `Sprite.planes`."""
        side = self._surface.width
        codes = self._surface.codes(np.full((side, side), self._gain, np.float32))
        middle = side / 2
        for x, y, size in self._lamps:
            place = (middle + x * self.radius, middle + y * self.radius)
            add_lamp(codes, *place, size * self.radius, np.array([9, 8, 6.5], np.float32))
        soft = cv2.GaussianBlur(self._cover, (0, 0), 0.7)
        opacity = soft * np.float32(1 / 255)
        fall = max(1, round(0.1 * self.radius))
        shadow = cv2.warpAffine(soft, np.array([[1.0, 0, fall], [0, 1, fall]]), (side, side))
        shadow = cv2.GaussianBlur(shadow, (0, 0), 0.45 * fall + 0.5) * np.float32(0.4 / 255)
        hidden = 1 - (1 - opacity) * (1 - shadow)
        colour = codes * opacity[:, :, None]
        planes = np.dstack([colour, hidden * 65535]).astype(np.uint16)
        return np.ascontiguousarray(planes[:, ::-1]) if mirrored else planes
