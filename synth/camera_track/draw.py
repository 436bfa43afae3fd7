"""Draw the camera of a scene: its response, exposures, noise and JPEG quality."""

import hashlib
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from numpy.random import PCG64, SeedSequence

from synth.camera_response import (
    Beta,
    BetaGamma,
    CameraResponse,
    Preferred,
    Sigmoid,
    camera_response,
)
from synth.exposure import DEFAULT_EVS, MAX_EV
from synth.sensor_noise import SHOT_RANGE, SensorNoise, read_noise

DRAWN_MODELS: Final[tuple[type[CameraResponse], ...]] = (Sigmoid, Beta, BetaGamma, Preferred)
"""The families a response is drawn from, each as likely as the others.

Gamma is not among them: its f has no real inverse for any brightness below white, so a picture
has no linear light under it (see `synth.camera_response.Gamma`).
"""

# Standard deviations of the parameters, relative to the authors' values. The sigmoid's are those
# of Eilertsen et al. (SIGGRAPH Asia 2017, their virtual camera): n 0.9 ± 0.1, σ 0.6 ± 0.1, as the
# response curves of real cameras spread. The other families have none published.
_SPREAD: Final = {("sigmoid", "n"): 1 / 9, ("sigmoid", "sigma"): 1 / 6}
_OTHER_SPREAD: Final = 0.1
# Normal deviations are drawn within so many standard deviations.
_FURTHEST: Final = 2.0
_NORMAL: Final = NormalDist()


@dataclass(frozen=True)
class CameraOptions:
    """What cameras are drawn from.

    Attributes:
        evs: exposure values of low, mid and high relative to the ground truth; rising.
        ev_jitter: each of them is moved by up to so many stops, up or down.
        shot_noise: least and most shot noise (see `SensorNoise`) of the high exposure; None for no
            noise at all.
        jpeg: least and best JPEG quality, 1 to 100; None for no JPEG.

    Raises:
        ValueError: values that can't be used, in words.
    """

    evs: tuple[float, float, float] = DEFAULT_EVS
    ev_jitter: float = 0.3
    shot_noise: tuple[float, float] | None = SHOT_RANGE
    jpeg: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        low, mid, high = self.evs
        if not 0 <= 2 * self.ev_jitter < min(mid - low, high - mid):
            raise ValueError(
                f"a jitter of {self.ev_jitter:g} stops: exposures at {low:g}, {mid:g} and {high:g} "
                "EV must still rise when two of them are moved towards each other"
            )
        if not -MAX_EV <= low - self.ev_jitter < high + self.ev_jitter <= MAX_EV:
            raise ValueError(f"exposure values must lie within ±{MAX_EV:g} stops, got {self.evs}")
        if (
            self.shot_noise is not None
            and not 1e-6 <= self.shot_noise[0] <= self.shot_noise[1] <= 1
        ):
            raise ValueError(
                "shot noise is given as least and most, from 0.000001 to 1, "
                f"got {self.shot_noise[0]:g} and {self.shot_noise[1]:g}"
            )
        if self.jpeg is not None and not 1 <= self.jpeg[0] <= self.jpeg[1] <= 100:
            raise ValueError(
                "JPEG qualities are given as least and best, from 1 to 100, "
                f"got {self.jpeg[0]} and {self.jpeg[1]}"
            )


@dataclass(frozen=True)
class Camera:
    """The camera of one scene, all that its three exposures depend on.

    Attributes:
        key: seeds the noise; from `scene_key`.
        response: camera response model.
        evs: exposure values of low, mid and high relative to the ground truth.
        noise: of low, mid and high.
        jpeg_quality: 1 to 100; None for no JPEG.
    """

    key: int
    response: CameraResponse
    evs: tuple[float, float, float]
    noise: tuple[SensorNoise, SensorNoise, SensorNoise]
    jpeg_quality: int | None


def scene_key(seed: int, scene: str) -> int:
    """The key of a scene: 256 bits that depend on the dataset's seed and the scene's id alone.

    Args:
        seed: of the dataset.
        scene: an id that stays the same in any order, split and number of scenes, as the SHA-256
            of the video and the place in it.
    """
    text = f"camera track, seed {seed}, scene {scene}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def draw_camera(options: CameraOptions, key: int) -> Camera:
    """The camera that belongs to a key; other options leave what they do not concern as it was.

    The values are rounded to what a manifest shows, so that the manifest says exactly what was
    used.

    Args:
        options: what to draw from.
        key: from `scene_key`, or any integer from 0.
    """
    # Raw bits of PCG64 are the same in every version of NumPy; its distributions need not be.
    chances = [
        (int(word) >> 11) * 2.0**-53
        for word in PCG64(SeedSequence(key, spawn_key=(0,))).random_raw(11)
    ]
    which, jitter, noise, jpeg = chances[0], chances[1:4], chances[4:7], chances[7]
    low, mid, high = (
        round(ev + options.ev_jitter * (2 * chance - 1), 3)
        for ev, chance in zip(options.evs, jitter, strict=True)
    )
    quality = None
    if options.jpeg is not None:
        worst, best = options.jpeg
        quality = worst + int(jpeg * (best - worst + 1))
    return Camera(
        key=key,
        response=_response(DRAWN_MODELS[int(which * len(DRAWN_MODELS))], chances[8:]),
        evs=(low, mid, high),
        noise=_noise(options.shot_noise, (low, mid, high), noise),
        jpeg_quality=quality,
    )


def _response(model: type[CameraResponse], chances: list[float]) -> CameraResponse:
    authors = camera_response(model.name).parameters
    drawn = {}
    for (name, value), chance in zip(authors.items(), chances, strict=False):
        spread = _SPREAD.get((model.name, name), _OTHER_SPREAD)
        drawn[name] = round(value * (1 + spread * _normal(chance)), 4)
    return camera_response(model.name, **drawn)


def _noise(
    shot_range: tuple[float, float] | None, evs: tuple[float, float, float], chances: list[float]
) -> tuple[SensorNoise, SensorNoise, SensorNoise]:
    """A brighter exposure is got partly by time and partly by gain, which raises the noise."""
    if shot_range is None:
        none = SensorNoise(0.0, 0.0)
        return none, none, none
    least, most = shot_range
    of_high = least * (most / least) ** chances[0]
    by_gain, deviation = chances[1], _normal(chances[2])

    def at(ev: float) -> SensorNoise:
        # Gain can't fall below the sensor's lowest, where all that is left is time.
        shot = max(least, of_high * 2 ** (by_gain * (ev - evs[2])))
        return SensorNoise(_rounded(shot), _rounded(read_noise(shot, deviation)))

    return at(evs[0]), at(evs[1]), at(evs[2])


def _normal(chance: float) -> float:
    """A standard normal deviate within ±2 from a uniform one in [0, 1)."""
    tail = _NORMAL.cdf(-_FURTHEST)
    return _NORMAL.inv_cdf(tail + chance * (1 - 2 * tail))


def _rounded(value: float) -> float:
    """Four significant digits."""
    return round(value, 3 - math.floor(math.log10(value)))
