"""A photograph as a moving scene: the camera pans, zooms and turns, and objects pass by."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dmef_bench.training.samples import Frame

# Standard deviations of the camera's motion between two frames.
SHIFT, ZOOM, TURN = 0.06, 0.02, 1.5  # of the frame's shorter side; relative; degrees
MOST_OBJECTS = 3
# Their sides in those of the frame, and how softly they end in pixels.
OBJECT_SIDES, SOFTNESS = (0.1, 0.5), (1.0, 4.0)
# Their outline: a mean radius, and the deviation of its waves around it.
RADIUS, RADIUS_WAVE, WAVES = 0.7, 0.1, (2, 3, 5)
# Largest shrink of a photograph before it is cut.
MOST_SHRINK = 3.0


class PhotographInMotion:
    """Frames of a photograph seen by a moving camera, with things that move on their own.

    Args:
        view: (H, W, 3) uint8, centred in the frame at time 0; mirrored at its borders.
        height: of a frame in pixels.
        width: of a frame in pixels.
        generator: decides everything.
        objects_from: where the moving things take their texture from.
        speed: factor on every motion.

    Attributes:
        objects: the moving things, in the order they are painted.
    """

    def __init__(
        self,
        view: Frame,
        height: int,
        width: int,
        generator: np.random.Generator,
        *,
        objects_from: Frame,
        speed: float = 1.0,
    ) -> None:
        self._view, self._size = view, (width, height)
        shift = speed * SHIFT * min(height, width)
        self._velocity = generator.normal(0, shift, 2)
        self._zoom, self._turn = speed * generator.normal(0, (ZOOM, TURN))
        self.objects = [
            _Object(objects_from, height, width, 2 * shift, generator)
            for _ in range(generator.integers(MOST_OBJECTS + 1))
        ]

    def frame(self, time: float) -> Frame:
        """The picture at a time counted in frames; (height, width, 3) uint8."""
        width, height = self._size
        rows, columns = self._view.shape[:2]
        matrix = np.asarray(
            cv2.getRotationMatrix2D(
                ((columns - 1) / 2, (rows - 1) / 2), self._turn * time, 1 + self._zoom * time
            ),
            np.float64,
        )
        matrix[:, 2] += self._velocity * time - ((columns - width) // 2, (rows - height) // 2)
        picture = cv2.warpAffine(self._view, matrix, self._size, borderMode=cv2.BORDER_REFLECT)
        blended = picture.astype(np.float32)
        for thing in self.objects:
            thing.paint(blended, time)
        return np.rint(blended).astype(np.uint8)


class _Object:
    """A soft-edged blob cut from elsewhere in the photograph, crossing the frame."""

    def __init__(
        self,
        photograph: Frame,
        height: int,
        width: int,
        speed: float,
        generator: np.random.Generator,
    ) -> None:
        side = int(min(height, width) * generator.uniform(*OBJECT_SIDES))
        self._texture = random_view(photograph, side, generator).astype(np.float32)
        rows, columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
        angle = np.arctan2(rows, columns)
        radius = RADIUS + sum(
            generator.normal(0, RADIUS_WAVE) * np.cos(n * angle + generator.uniform(0, 2 * np.pi))
            for n in WAVES
        )
        softness = generator.uniform(*SOFTNESS) * 2 / side
        inside = (radius - np.hypot(rows, columns)) / softness
        self._mask: NDArray[np.float32] = np.clip(inside + 0.5, 0, 1).astype(np.float32)
        self._place = generator.uniform(-side / 2, (width - side / 2, height - side / 2), 2)
        self._velocity = generator.normal(0, speed, 2)

    def paint(self, picture: NDArray[np.float32], time: float) -> None:
        """Blend the object into (h, w, 3), where it is at that time."""
        x, y = self._place + time * self._velocity
        matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
        size = (picture.shape[1], picture.shape[0])
        texture = cv2.warpAffine(self._texture, matrix, size)
        alpha = cv2.warpAffine(self._mask, matrix, size)[..., None]
        # The warped texture is black outside; its own coverage keeps the soft edge from darkening.
        covered = cv2.warpAffine(np.ones_like(self._mask), matrix, size)[..., None]
        texture = texture / np.maximum(covered, 1e-3)
        picture += np.minimum(alpha, covered) * (texture - picture)


def random_view(photograph: Frame, side: int, generator: np.random.Generator) -> Frame:
    """A (side, side, 3) view of a photograph at a random place and a random shrink."""
    height, width = photograph.shape[:2]
    extent = min(round(side * MOST_SHRINK ** generator.uniform(0, 1)), height, width)
    top = int(generator.integers(height - extent + 1))
    left = int(generator.integers(width - extent + 1))
    cut = photograph[top : top + extent, left : left + extent]
    shrunk = cv2.resize(
        cut, (side, side), interpolation=cv2.INTER_AREA if extent > side else cv2.INTER_LINEAR
    )
    return shrunk.astype(np.uint8, copy=False)
