"""Quality while training, on generated scenes that no training run sees."""

import functools
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import torch
from torch import Tensor, nn

from baselines import Bracket
from dmef_bench.evaluation import psnr, ssim, to_eight_bit
from dmef_bench.training.generated import generated_sample
from dmef_bench.training.recipes import Recipe
from dmef_bench.training.samples import Sample, Track, validation_generator
from synth.exposure import DEFAULT_EVS

_TRACKS: Final[tuple[Track, ...]] = get_args(Track)


@dataclass(frozen=True)
class Quality:
    """How good 8-bit predictions are.

    Attributes:
        psnr: mean over scenes, in dB.
        ssim: mean over scenes.
    """

    psnr: float
    ssim: float


class HeldOutScenes:
    """A fixed set of generated crops, the same for every run, seed and method.

    Args:
        scenes: how many, on each track.
        side: of the square crops in pixels.
        track: how they are exposed: "camera", "both" for all scenes on either track, and "paper"
            for any other.

    Attributes:
        tracks: on which predictions are measured.
    """

    def __init__(self, scenes: int, side: int, track: str = "paper") -> None:
        self._count, self._side = scenes, side
        self.tracks = _TRACKS if track == "both" else (_one(track),)

    @functools.cached_property
    def _scenes(self) -> dict[Track, list[Sample]]:
        return {
            track: [
                generated_sample(self._side, validation_generator(n), track)
                for n in range(self._count)
            ]
            for track in self.tracks
        }

    def measure(
        self, recipe: Recipe, network: nn.Module, device: torch.device
    ) -> dict[Track, Quality]:
        """The quality of a network's predictions on each track."""
        network.eval()
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            return {
                track: mean([_quality(recipe, network, device, scene) for scene in scenes])
                for track, scenes in self._scenes.items()
            }


def mean(qualities: list[Quality]) -> Quality:
    """The mean of each figure."""
    count = len(qualities)
    return Quality(sum(q.psnr for q in qualities) / count, sum(q.ssim for q in qualities) / count)


def as_float(pixels: Tensor, device: torch.device) -> Tensor:
    """8-bit pixels on the device, float32 in [0, 1]."""
    return pixels.to(device, non_blocking=True).float() / 255


def _one(track: str) -> Track:
    return "camera" if track == "camera" else "paper"


def _quality(recipe: Recipe, network: nn.Module, device: torch.device, scene: Sample) -> Quality:
    images = as_float(torch.from_numpy(scene.images)[None], device)
    with torch.inference_mode():
        prediction = to_eight_bit(recipe.predict(network, Bracket(images, DEFAULT_EVS)))
    truth = np.ascontiguousarray(np.moveaxis(scene.target, 0, -1))
    return Quality(psnr(prediction, truth), ssim(prediction, truth))
