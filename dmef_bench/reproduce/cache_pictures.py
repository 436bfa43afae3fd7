"""Pictures to measure an attention cache with: each comes with the one that follows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import torch

from baselines import Bracket
from dmef_bench.dataset import Dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.eight_bit import EightBit
from dmef_bench.evaluation.predicted_pixels import as_eight_bit
from synth.camera_response import camera_response
from synth.exposure import DEFAULT_EVS, synthesise_bracket
from synth.moving_scenes import MovingScene

_SECONDS: Final = 1 / 30
DEFAULT_SIZE: Final = (2160, 3840)
DEFAULT_COUNT: Final = 3


@dataclass(frozen=True)
class Shot:
    """A bracket with its ground truth.

    Attributes:
        bracket: images (1, 3, 3, H, W) float32 in [0, 1] on the CPU.
        truth: (H, W, 3) uint8.
    """

    bracket: Bracket
    truth: EightBit


class Shots(Protocol):
    """Pictures in pairs.

    Attributes:
        name: what they are, in a line.
        following: what the next picture is, in words.
        count: how many pairs.
    """

    name: str
    following: str
    count: int

    def pair(self, position: int) -> tuple[Shot, Shot]:
        """A picture and the one that comes next."""
        ...


class GeneratedShots:
    """Generated moving scenes; the next picture is the same scene 1/30 s later.

    Args:
        size: (height, width).
        count: scenes, seeds 0, 1, 2...
    """

    following = "the same scene 1/30 s later"

    def __init__(self, size: tuple[int, int], count: int) -> None:
        self._size, self.count = size, count
        self.name = f"{count} generated moving scenes of {size[1]}×{size[0]}"

    def pair(self, position: int) -> tuple[Shot, Shot]:
        """Scene number `position` and the same later."""
        scene = MovingScene(position, *self._size)
        frames = [scene.frame(n * _SECONDS) for n in range(-1, 3)]
        return _exposed(frames[:3]), _exposed(frames[1:])


class DatasetShots:
    """The test split of a dataset; the next picture is the next scene, the first after the last.

    Args:
        dataset: of display-referred scenes.
        limit: take only the first scenes.

    Raises:
        UsageError: fewer than two scenes, or a ground truth of light.
    """

    following = "the next scene of the split"

    def __init__(self, dataset: Dataset, limit: int | None) -> None:
        self._scenes = dataset.scenes("test")[:limit]
        self.count = len(self._scenes)
        if self.count < 2:
            raise UsageError(
                f"{dataset.path}: a cache needs a next picture, so at least two test scenes"
            )
        if self._scenes[0].linear:
            raise UsageError(
                f"{dataset.path}: its ground truth is light; this table takes display-referred "
                "scenes"
            )
        self.name = (
            f"{dataset.record.name}, test split, {self.count} scenes, digest {dataset.digest[:8]}"
        )

    def pair(self, position: int) -> tuple[Shot, Shot]:
        """Scene number `position` and the next."""
        both = [self._scenes[(position + n) % self.count] for n in (0, 1)]
        first, second = (
            Shot(scene.load_bracket(), as_eight_bit(scene.load_ground_truth())) for scene in both
        )
        return first, second


def _exposed(frames: Sequence[EightBit]) -> Shot:
    low, mid, high = synthesise_bracket(frames, DEFAULT_EVS, camera_response("sigmoid"))
    planes = torch.from_numpy(np.stack([low, mid, high])).permute(0, 3, 1, 2)
    images = planes[None].to(torch.float32).div_(255)
    return Shot(Bracket(images, DEFAULT_EVS), frames[1])
