"""Periodic grey textures: the small-scale detail every leaf is covered with.

The atlas does not depend on a scene's seed: it is drawn once per process from fixed seeds, so that
a scene looks the same whatever was made before it.
"""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np

from synth.moving_scenes.arrays import Bytes, Floats
from synth.moving_scenes.outlines import FRACTION_BITS, draw_ellipse

TILE = 512


@cache
def texture_atlas() -> tuple[Bytes, ...]:
    """All textures, each (2 * TILE, 2 * TILE) uint8 around 128: the tile twice in each direction.

    Any window of TILE pixels or less therefore lies in one piece. The arrays are read-only.
    """
    tiles = [
        _finish(draw(np.random.default_rng([number, 0x7E]))) for number, draw in enumerate(_DRAWERS)
    ]
    for tile in tiles:
        tile.setflags(write=False)
    return tuple(tiles)


def power_noise(rng: np.random.Generator, size: int, exponent: float) -> Floats:
    """Periodic noise (size, size) whose amplitude falls as frequency ** -exponent; std 1."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * frequency**-exponent
    noise = np.fft.irfft2(spectrum, s=(size, size))
    return np.asarray(noise / noise.std(), np.float32)


def _finish(values: Floats) -> Bytes:
    """Sharpen, centre on 128, keep within 8 bits and repeat twice.

    Leaves and the camera resample the texture; the sharpening makes up for what that blurs.
    """
    twice = np.tile(np.asarray(values, np.float32), (2, 2))
    sharp = 2.0 * twice - np.asarray(cv2.GaussianBlur(twice, (0, 0), 1.2))
    return np.asarray(np.clip(128 + sharp - values.mean(), 0, 255), np.uint8)


def _softened(values: Floats) -> Floats:
    """Take the jaggedness off edges, across the seams of the tile too."""
    padded = np.pad(values, 4, mode="wrap")
    return np.asarray(cv2.GaussianBlur(padded, (0, 0), 0.6)[4:-4, 4:-4], np.float32)


def _grain(rng: np.random.Generator) -> Floats:
    return 30 * power_noise(rng, TILE, 1.05)


def _smooth(rng: np.random.Generator) -> Floats:
    return 38 * power_noise(rng, TILE, 1.25)


def _plaster(rng: np.random.Generator) -> Floats:
    fine = power_noise(rng, TILE, 0.6)
    return 16 * power_noise(rng, TILE, 1.4) + 12 * fine * np.abs(power_noise(rng, TILE, 1.0))


def _marble(rng: np.random.Generator) -> Floats:
    folded = np.abs(power_noise(rng, TILE, 1.5))
    return 70 * np.sqrt(folded) + 8 * power_noise(rng, TILE, 0.7)


def _wood(rng: np.random.Generator) -> Floats:
    rows = np.arange(TILE, dtype=np.float32)[:, None] * np.float32(2 * np.pi / TILE)
    fibres = cv2.blur(np.tile(power_noise(rng, TILE, 0.3), (1, 3)), (61, 1))[:, TILE : 2 * TILE]
    rings = np.sin(11 * rows + 2.2 * power_noise(rng, TILE, 1.7))
    return 26 * rings + 75 * fibres + 6 * power_noise(rng, TILE, 0.6)


def _cloth(rng: np.random.Generator) -> Floats:
    axis = np.arange(TILE, dtype=np.float32) * np.float32(2 * np.pi / TILE)
    weave = np.sin(64 * axis)[None, :] * np.sin(64 * axis)[:, None]
    stripes = np.sign(np.sin(8 * axis))[None, :] + 0.5 * np.sign(np.sin(5 * axis))[:, None]
    return np.asarray(14 * weave + 22 * stripes + 14 * power_noise(rng, TILE, 1.2))


def _bricks(rng: np.random.Generator) -> Floats:
    height, width = 32, 64
    tones = rng.normal(0, 17, (TILE // height, TILE // width))
    wall = np.kron(tones, np.ones((height, width))).astype(np.float32)
    wall[:, ::width] = wall[:, 1::width] = wall[:, 2::width] = 52
    wall[height - 2 :: height] = -30
    for row in range(1, TILE // height, 2):
        course = slice(row * height, (row + 1) * height)
        wall[course] = np.roll(wall[course], width // 2, axis=1)
    wall[::height] = wall[1::height] = wall[2::height] = 52
    return _softened(wall) + 12 * power_noise(rng, TILE, 0.7) + 8 * power_noise(rng, TILE, 1.5)


def _facade(rng: np.random.Generator) -> Floats:
    cell = 64
    wall = 24 + 6 * power_noise(rng, TILE, 1.0)
    for top in range(0, TILE, cell):
        for left in range(0, TILE, cell):
            glass = rng.normal(-55, 22)
            fade = np.linspace(-14, 14, 38, dtype=np.float32)[:, None]
            wall[top + 14 : top + 52, left + 16 : left + 48] = glass + fade
            wall[top + 12 : top + 14, left + 14 : left + 50] = -20
            wall[top + 52 : top + 55, left + 13 : left + 51] = 70
            wall[top + 14 : top + 52, left + 31 : left + 33] = 40
    return _softened(wall) + 4 * power_noise(rng, TILE, 0.6)


def _leaves(rng: np.random.Generator) -> Floats:
    """Dead leaves in the small: discs of power-law radii, each of one tone."""
    canvas = np.full((TILE, TILE), 128, np.uint8)
    radii = np.sort((rng.uniform(size=1800) * (1 / 9 - 1 / 4900) + 1 / 4900) ** -0.5)[::-1]
    order = np.argsort(rng.uniform(size=radii.size) - 0.5 * np.linspace(0, 1, radii.size)[::-1])
    for radius in radii[order]:
        _wrapped_ellipse(canvas, rng.uniform(0, TILE, 2), (radius, radius), 0, rng.normal(128, 45))
    return canvas + 9 * power_noise(rng, TILE, 0.8)


def _foliage(rng: np.random.Generator) -> Floats:
    """Overlapping small leaves, the nearer the lighter, with dark gaps."""
    canvas = np.full((TILE, TILE), 30, np.uint8)
    count = 2600
    for near in np.linspace(0, 1, count):
        length = rng.uniform(5, 15)
        tone = 40 + 120 * near + rng.normal(0, 22)
        axes = (length, length * rng.uniform(0.3, 0.6))
        _wrapped_ellipse(canvas, rng.uniform(0, TILE, 2), axes, rng.uniform(0, 180), tone)
    return canvas + 6 * power_noise(rng, TILE, 0.6)


def _grass(rng: np.random.Generator) -> Floats:
    canvas = np.full((TILE, TILE), 90, np.uint8)
    strokes = 1800
    foot = rng.uniform(0, TILE, (strokes, 2))
    lean = np.stack([rng.normal(0, 9, strokes), -rng.uniform(14, 46, strokes)], axis=1)
    tones = np.clip(rng.normal(128, 48, strokes), 0, 255).tolist()
    for shift in ((0, 0), (0, TILE), (TILE, 0), (-TILE, 0)):
        starts = np.round((foot + shift) * 16).astype(int).tolist()
        ends = np.round((foot + lean + shift) * 16).astype(int).tolist()
        for start, end, tone in zip(starts, ends, tones, strict=True):
            cv2.line(canvas, start, end, tone, 1, cv2.LINE_AA, FRACTION_BITS)
    return canvas + 9 * power_noise(rng, TILE, 1.1)


def _pebbles(rng: np.random.Generator) -> Floats:
    """Cells around random points, bright in the middle and dark in the joints."""
    tile = np.full((TILE, TILE), 255, np.uint8)
    tile[tuple(rng.integers(0, TILE, (2, 420)))] = 0
    seeds = np.tile(tile, (3, 3))
    distance, labels = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    middle = (slice(TILE, 2 * TILE), slice(TILE, 2 * TILE))
    rows, columns = np.nonzero(seeds == 0)
    numbers = labels[rows, columns]
    tones = np.zeros(numbers.max() + 1, np.float32)
    # One point has a label in each of the nine repetitions: all get the tone of its place.
    tones[numbers] = rng.normal(0, 26, (TILE, TILE))[rows % TILE, columns % TILE]
    joints = np.asarray(cv2.GaussianBlur(distance, (0, 0), 1.0))[middle]
    return np.asarray(tones[labels[middle]] - 5 * joints + 8 * power_noise(rng, TILE, 0.7))


def _wrapped_ellipse(
    canvas: Bytes, centre: np.ndarray, axes: tuple[float, float], angle: float, tone: float
) -> None:
    """Draw an anti-aliased ellipse on a periodic canvas."""
    reach = max(axes) + 1
    size = canvas.shape[0]
    shifts_x = [0, size] if centre[0] < reach else [0, -size] if centre[0] > size - reach else [0]
    shifts_y = [0, size] if centre[1] < reach else [0, -size] if centre[1] > size - reach else [0]
    for dx in shifts_x:
        for dy in shifts_y:
            draw_ellipse(
                canvas, centre + np.array([dx, dy]), axes, angle, float(np.clip(tone, 0, 255))
            )


_DRAWERS: tuple[Callable[[np.random.Generator], Floats], ...] = (
    _grain, _smooth, _plaster, _marble, _wood, _cloth, _bricks, _facade, _leaves, _foliage,
    _grass, _pebbles,
)  # fmt: skip
NAMES = tuple(draw.__name__.removeprefix("_") for draw in _DRAWERS)
