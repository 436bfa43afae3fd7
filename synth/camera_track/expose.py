"""Take the exposures of a scene with its camera.

A picture has 256 values, so a camera makes of each of them one of 256 distributions. They are
computed once a picture, exactly, and laid out as a table of 65,536 equally likely results a value;
each value of the picture then takes one of its own, chosen by 16 random bits. That draws from the
very distribution that simulating every pixel in floating point would, but for probabilities below
1/65,536, and only integers decide the outcome.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import PCG64, SeedSequence
from numpy.typing import NDArray

from synth.camera_response import CameraResponse
from synth.camera_track.draw import Camera
from synth.sensor_noise import SensorNoise

Picture = NDArray[np.uint8]

_RESULTS = 1 << 16
# Values worked on at once: their indices stay in the processor's cache.
_STRIP = 1 << 18


def camera_bracket(frames: Sequence[Picture], camera: Camera) -> tuple[Picture, Picture, Picture]:
    """Low exposure of the first frame, mid of the second, high of the third.

    Args:
        frames: three (H, W, 3) uint8 RGB pictures of one size, in the order of time.
        camera: from `draw_camera`.

    Returns:
        Three (H, W, 3) uint8 pictures: low, mid, high.

    Raises:
        ValueError: not three such frames.
    """
    if len(frames) != 3 or any(frame.shape != frames[0].shape for frame in frames):
        raise ValueError(
            "a bracket is made of three frames of one size, got "
            + ", ".join(f"{frame.shape}" for frame in frames)
        )
    low, mid, high = (camera_exposure(frame, camera, place) for place, frame in enumerate(frames))
    return low, mid, high


def camera_exposure(frame: Picture, camera: Camera, place: int) -> Picture:
    """One exposure of a bracket: light, more or less of it, noise, response, 8 bit, JPEG.

    The frame's linear light is taken to be what the inverse of the camera's own response gives.

    Args:
        frame: (H, W, 3) uint8 RGB.
        camera: from `draw_camera`.
        place: 0 for low, 1 for mid, 2 for high.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: not such a frame.
    """
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or frame.size == 0:
        raise ValueError(f"a frame is (H, W, 3) uint8, got {frame.shape} {frame.dtype}")
    table = _results(camera.response, camera.evs[place], camera.noise[place])
    values = np.ascontiguousarray(frame).reshape(-1)
    exposed = np.empty_like(values)
    bits = PCG64(SeedSequence(camera.key, spawn_key=(1 + place,)))
    for start in range(0, values.size, _STRIP):
        strip = slice(start, start + _STRIP)
        index = values[strip].astype(np.intp)
        chance = bits.random_raw(-(-index.size // 4)).astype("<u8", copy=False).view("<u2")
        index *= _RESULTS
        index += chance[: index.size]
        np.take(table, index, out=exposed[strip], mode="clip")  # "clip" needs no second buffer
    picture = exposed.reshape(frame.shape)
    return picture if camera.jpeg_quality is None else _through_jpeg(picture, camera.jpeg_quality)


def transitions(response: CameraResponse, ev: float, noise: SensorNoise) -> NDArray[np.float64]:
    """The probability that an 8-bit value becomes at most another one.

    Returns:
        (256, 256) in [0, 1]: row by the value before, column by the value after.
    """
    light, limits = light_and_limits(response)
    # No limit lies above 1, so clipping at saturation is in there already; so is clipping at 0.
    at_most = np.ones((256, 256))
    at_most[:, :255] = noise.below(light * 2.0**ev, limits)
    return at_most


def light_and_limits(
    response: CameraResponse,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The light of every 8-bit value, and the light where one value turns into the next.

    It is counted in units of the sensor's saturation, which is taken to be the light of white:
    f⁻¹(1), or where f only tends to 1, the least light that is rounded to white.

    Returns:
        (256,) light, and (255,) limits: light from limits[n - 1] on and below limits[n] is n.
    """
    white = response.inverse_response(1.0)
    if not np.isfinite(white):
        white = response.inverse_response(254.5 / 255)
    light = np.minimum(response.inverse_response(np.arange(256) / 255) / white, 1.0)
    return light, response.inverse_response((np.arange(255) + 0.5) / 255) / white


def _results(response: CameraResponse, ev: float, noise: SensorNoise) -> Picture:
    """(256 · 65536,) uint8: the equally likely results of each value, in rising order."""
    edges = np.floor(_RESULTS * transitions(response, ev, noise) + 0.5).astype(np.intp)
    counts = np.diff(np.maximum.accumulate(edges, axis=1), axis=1, prepend=0)
    return np.repeat(np.tile(np.arange(256, dtype=np.uint8), 256), counts.reshape(-1))


def _through_jpeg(picture: Picture, quality: int) -> Picture:
    """What is left of a picture after JPEG at 4:2:0."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY, quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    ]  # fmt: skip
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"OpenCV can't encode a picture of shape {picture.shape} as JPEG")
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
