"""How the stored picture must be turned to be shown upright.

Frames are extracted as stored and turned afterwards, in RGB: turning a 4:2:0 picture first, as
ffmpeg does on its own, moves its colour samples against its brightness.
"""

import math
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dmef_bench.video.clip import Orientation, bits_of, is_rgb
from dmef_bench.video.container import Demuxer
from dmef_bench.video.decode import decode
from dmef_bench.video.ffmpeg import Filter
from dmef_bench.video.rejected import Rejected
from dmef_bench.video.showinfo import FrameInfo

# Degrees; as much as ffmpeg itself allows.
_ANGLE_TOLERANCE = 1
_BOTH = (False, True)
_TURNS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


def orient(picture: NDArray[np.uint8], orientation: Orientation) -> NDArray[np.uint8]:
    """The (H, W, ...) picture as it is to be shown."""
    turned = cv2.flip(picture, 1) if orientation.mirrored else picture
    if orientation.turns:
        turned = cv2.rotate(turned, _TURNS[orientation.turns])
    # OpenCV drops a last axis of one.
    turned = turned.reshape(*turned.shape[:2], *picture.shape[2:])
    return np.ascontiguousarray(turned).astype(np.uint8, copy=False)


def find_orientation(
    path: Path, demuxer: Demuxer, frame: FrameInfo, tags: Mapping[str, str]
) -> Orientation:
    """From the display matrix of the first frame, else from the old `rotate` tag of the stream.

    showinfo states a matrix's angle and hides a mirror in it, so that the first frame is also
    decoded upright by ffmpeg, and the way from one to the other is looked for.

    Args:
        path: the video.
        demuxer: of it.
        frame: its first frame.
        tags: of its stream, names in lower case; used where the frame has no display matrix.

    Raises:
        Rejected: "rotation": not by quarter turns.
    """
    if frame.angle is None:
        return _from_tag(tags.get("rotate", "0"))
    stated = round(frame.angle / 90)
    if abs(frame.angle - 90 * stated) <= _ANGLE_TOLERANCE:
        stored, upright = (_one_plane(path, demuxer, frame, autorotate=flag) for flag in _BOTH)
        for mirrored, extra in product(_BOTH, range(4)):
            orientation = Orientation((stated + extra) % 4, mirrored)
            if orient(stored, orientation).tobytes() == upright.tobytes():
                return orientation
    raise _no_quarter_turn(frame.angle)


def _from_tag(text: str) -> Orientation:
    try:
        clockwise = float(text)
    except ValueError:
        return Orientation()
    if clockwise % 90:
        raise _no_quarter_turn(clockwise)
    return Orientation(turns=int(-clockwise // 90) % 4)


def _no_quarter_turn(degrees: float) -> Rejected:
    return Rejected("rotation", f"it is to be shown turned by {degrees:g}°, no quarter turn")


def _one_plane(
    path: Path, demuxer: Demuxer, frame: FrameInfo, *, autorotate: bool
) -> NDArray[np.uint8]:
    """The first frame's brightness (green, of RGB) as (H, W, bytes a sample), copied exactly."""
    plane = Filter("extractplanes", {"planes": "g" if is_rgb(frame.pixel_format) else "y"})
    shape = frame.height, frame.width, 1 if bits_of(frame.pixel_format) == 8 else 2
    decoded = decode(
        path,
        demuxer,
        [plane],
        count=1,
        bytes_each=math.prod(shape),
        autorotate=autorotate,
        threads=1,
    )
    return np.frombuffer(decoded.pictures[0], np.uint8).reshape(shape)
