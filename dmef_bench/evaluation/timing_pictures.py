"""Pictures to time methods with: brackets of two moments of a generated scene, at any size."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import torch

from baselines import Bracket
from dmef_bench.evaluation.eight_bit import EightBit
from dmef_bench.exposure_values import EVs
from dmef_bench.picture_files import Picture
from synth.camera_response import camera_response
from synth.moving_scenes import MovingScene

EVS: Final[EVs] = (-1.5, 0.5, 2.5)
# A scene is generated at no more rows than this, then enlarged: its content sets how well a PNG
# packs, not how long a method takes.
_ROWS: Final = 540
_FRAME_SECONDS: Final = 1 / 30
SMALLEST_SIDE: Final = 32


def timing_bracket(height: int, width: int, number: int) -> list[EightBit]:
    """Low, mid and high exposure of the frames around moment `number` of one scene.

    Args:
        height: of the pictures, at least 32.
        width: of the pictures, at least 32.
        number: 0, 1, 2...; neighbours are 1/30 s apart.

    Returns:
        Three (H, W, 3) uint8 RGB with faint noise, the same each time.
    """
    scale = min(1.0, _ROWS / height)
    small = (max(SMALLEST_SIDE, round(height * scale)), max(SMALLEST_SIDE, round(width * scale)))
    scene = MovingScene(0, *small)
    rng = np.random.default_rng(number)
    noise = rng.integers(-2, 3, (height, width, 1), dtype=np.int16)
    pictures = []
    for moment, ev in enumerate(EVS, start=3 * number):
        frame = cv2.resize(
            scene.frame(moment * _FRAME_SECONDS), (width, height), interpolation=cv2.INTER_CUBIC
        )
        levels = np.rint(np.minimum(np.arange(256) * 2.0**ev, 255)).astype(np.int16)
        pictures.append(np.clip(levels[frame] + noise, 0, 255).astype(np.uint8))
    return pictures


def as_bracket(pictures: Sequence[Picture]) -> Bracket:
    """A bracket of float32 in [0, 1] on the CPU from three (H, W, 3) uint8, for `Method.fuse`."""
    planes = torch.stack([torch.from_numpy(picture) for picture in pictures])
    images = planes.permute(0, 3, 1, 2)[None].to(torch.float32).div_(255)
    return Bracket(images, EVS, camera_response("sigmoid"))
