"""Where the camera looks and where things are at any time: smooth, endless, without state."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class CameraPath:
    """A camera that pans along an ellipse while it zooms and rolls a little.

    Attributes:
        height: rows of the frame.
        width: columns of the frame.
        pan: (2,) half axes of the ellipse in pixels, x then y.
        rate: radians of the ellipse a second.
        phase: where on the ellipse time 0 is.
        zoom: largest relative change of size.
        roll: largest turn in radians.
    """

    height: int
    width: int
    pan: tuple[float, float]
    rate: float
    phase: float
    zoom: float
    roll: float

    @property
    def margin(self) -> int:
        """Pixels that the canvas needs around the frame on every side."""
        reach = (self.zoom + self.roll) * max(self.height, self.width) / 2
        return int(np.ceil(max(self.pan) + 1.1 * reach)) + 3

    def to_canvas(self, time_seconds: float) -> Matrix:
        """(3, 3) matrix from pixels of the frame to pixels of the canvas."""
        turn = self.phase + self.rate * time_seconds
        slow = 0.7 * turn
        angle = self.roll * np.sin(slow + 1.0)
        size = 1 + self.zoom * np.sin(slow)
        middle = self.margin + np.array([self.width, self.height]) / 2
        pan = np.array(self.pan) * [np.cos(turn), np.sin(turn)]
        x, y = (middle + pan).tolist()
        return pose(x, y, angle, size) @ pose(-self.width / 2, -self.height / 2, 0)


@dataclass(frozen=True)
class ObjectPath:
    """A thing that crosses the canvas in a straight line and comes in again on the other side.

    Attributes:
        start: (2,) place on the canvas at time 0, x then y.
        velocity: (2,) pixels a second.
        span: (2,) width and height of the canvas.
        reach: how far the thing extends from its place, in pixels.
        angle: radians at time 0.
        spin: radians a second.
        sway: largest turn of its swinging to and fro, in radians.
        bob: how far it goes up and down, in pixels.
        step_rate: radians of swinging and bobbing a second.
    """

    start: tuple[float, float]
    velocity: tuple[float, float]
    span: tuple[float, float]
    reach: float
    angle: float = 0.0
    spin: float = 0.0
    sway: float = 0.0
    bob: float = 0.0
    step_rate: float = 0.0

    def to_canvas(self, time_seconds: float) -> Matrix:
        """(3, 3) matrix from pixels relative to the thing's middle to pixels of the canvas."""
        place = np.array(self.start) + time_seconds * np.array(self.velocity)
        place = (place + self.reach) % (np.array(self.span) + 2 * self.reach) - self.reach
        swing = np.sin(self.step_rate * time_seconds + self.start[0])
        angle = self.angle + self.spin * time_seconds + self.sway * swing
        return pose(float(place[0]), float(place[1] - self.bob * abs(swing)), angle)


def pose(x: float, y: float, angle: float, size: float = 1.0) -> Matrix:
    """(3, 3) matrix that scales, then turns, then moves to (x, y)."""
    cosine, sine = size * np.cos(angle), size * np.sin(angle)
    return np.array([[cosine, -sine, x], [sine, cosine, y], [0, 0, 1]])


def draw_camera(
    rng: np.random.Generator, height: int, width: int, unit: float, motion: float
) -> CameraPath:
    """A camera path drawn at random.

    Args:
        rng: source of chance.
        height: rows of the frame.
        width: columns of the frame.
        unit: height in pixels of the whole scene.
        motion: factor on all speeds.
    """
    reach = min(0.1 * unit, 0.35 * min(height, width))
    speed = unit * rng.uniform(0.06, 0.13)
    flat = rng.uniform(0.3, 0.6)
    # Near the ellipse's long sides, so that a clip does not begin with a standstill.
    phase = rng.choice([1, 3]) * np.pi / 2 + rng.normal(0, 0.35)
    return CameraPath(
        height=height,
        width=width,
        pan=(float(reach), float(flat * reach)),
        rate=float(rng.choice([-1, 1]) * motion * min(speed / reach, 2.5)),
        phase=float(phase),
        zoom=float(rng.uniform(0.005, 0.02)),
        roll=float(rng.uniform(0.002, 0.012)),
    )
