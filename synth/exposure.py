"""Other exposures of a picture, and the bracket of a moving scene made with them."""

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.camera_response import CameraResponse
from synth.unit_range import unit_range

DEFAULT_EVS = (-1.5, 0.5, 2.5)
"""Exposure values of low, mid and high relative to the ground truth; k = 2**EV."""

MAX_EV = 32.0
"""More stops, up or down, than any scene has; keeps every model's powers in float64."""

_Value = TypeVar("_Value", bound=np.uint8 | np.floating[Any])


def expose(image: NDArray[_Value], ev: float, response: CameraResponse) -> NDArray[_Value]:
    """The picture as the camera would have taken it with `ev` stops more light.

    The brightness transform g(B, 2**ev), clipped to [0, 1]. An 8-bit picture goes through a
    table of 256 entries (see `exposure_table`); a float picture is transformed value by value
    in float64 and not rounded to 8 bit.

    Args:
        image: (H, W) or (H, W, C), display-referred; uint8, or floating point in [0, 1].
        ev: stops of light relative to `image`; 0 leaves it as it is.
        response: the camera's response model.

    Returns:
        The shape and dtype of `image`.

    Raises:
        ValueError: `ev` is not within ±32, or `image` is of another shape, type or range.
    """
    if image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"expose takes an (H, W) or (H, W, C) picture, got shape {image.shape}")
    if image.dtype == np.uint8:
        rows = np.ascontiguousarray(image).reshape(-1, image.shape[-1])
        exposed = cv2.LUT(rows, exposure_table(ev, response))
        return cast(NDArray[_Value], exposed.reshape(image.shape))
    if not np.issubdtype(image.dtype, np.floating):
        raise ValueError(
            f"expose takes 8-bit pictures or floats in [0, 1], got {image.dtype}: convert it first"
        )
    return _exposed(unit_range(image), ev, response).astype(image.dtype, copy=False)


def exposure_table(ev: float, response: CameraResponse) -> NDArray[np.uint8]:
    """What each 8-bit value becomes at `ev`: floor(255·clip(g(value/255, 2**ev), 0, 1) + ½).

    Rounded to the nearest integer with halves up, as MATLAB's im2uint8 does.

    Returns:
        (256,) uint8.

    Raises:
        ValueError: `ev` is not within ±32.
    """
    exposed = _exposed(np.arange(256) / 255, ev, response)
    return np.floor(255 * exposed + 0.5).astype(np.uint8)


def synthesise_bracket(
    frames: Sequence[NDArray[np.uint8]],
    evs: tuple[float, float, float],
    response: CameraResponse,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Low exposure of the first frame, mid of the second, high of the third.

    Args:
        frames: three (H, W, 3) uint8 RGB pictures of one clip, in the order of time.
        evs: exposure values of low, mid and high; rising.
        response: the camera's response model.

    Returns:
        Three (H, W, 3) uint8 pictures: low, mid, high.

    Raises:
        ValueError: not three frames of one size and of 8 bit, or EVs that do not rise.
    """
    shapes = [frame.shape for frame in frames]
    if len(frames) != 3 or any(
        frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape != shapes[0] or shapes[0][2] != 3
        for frame in frames
    ):
        raise ValueError(
            "a bracket is made of three (H, W, 3) uint8 frames of one size, got "
            + ", ".join(f"{frame.shape} {frame.dtype}" for frame in frames)
        )
    if not evs[0] < evs[1] < evs[2]:
        raise ValueError(f"the exposure values of a bracket must rise from low to high, got {evs}")
    low, mid, high = (expose(frame, ev, response) for frame, ev in zip(frames, evs, strict=True))
    return low, mid, high


def _exposed(B: NDArray[np.float64], ev: float, response: CameraResponse) -> NDArray[np.float64]:
    if not abs(ev) <= MAX_EV:
        raise ValueError(f"an exposure value must lie within ±{MAX_EV:g} stops, got {ev}")
    brightness = response.brightness_transform(B, 2.0**ev)
    return np.clip(brightness, 0, 1, out=brightness)
