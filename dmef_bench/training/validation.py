"""Quality while training, on generated scenes that no training run sees."""

import functools

import numpy as np
import torch
from torch import Tensor, nn

from baselines import Bracket
from dmef_bench.evaluation import psnr, to_eight_bit
from dmef_bench.training.generated import generated_sample
from dmef_bench.training.recipes import Recipe
from dmef_bench.training.samples import Sample, Track, validation_generator
from synth.exposure import DEFAULT_EVS


class HeldOutScenes:
    """A fixed set of generated crops, the same for every run, seed and method.

    Args:
        scenes: how many.
        side: of the square crops in pixels.
        track: how they are exposed.
    """

    def __init__(self, scenes: int, side: int, track: Track = "paper") -> None:
        self._count, self._side, self._track = scenes, side, track

    @functools.cached_property
    def _scenes(self) -> list[Sample]:
        return [
            generated_sample(self._side, validation_generator(n), self._track)
            for n in range(self._count)
        ]

    def psnr(self, recipe: Recipe, network: nn.Module, device: torch.device) -> float:
        """Mean over the scenes of the PSNR of 8-bit predictions, in dB."""
        network.eval()
        values = []
        with torch.inference_mode():
            for scene in self._scenes:
                images = as_float(torch.from_numpy(scene.images)[None], device)
                prediction = recipe.predict(network, Bracket(images, DEFAULT_EVS))
                truth = np.ascontiguousarray(np.moveaxis(scene.target, 0, -1))
                values.append(psnr(to_eight_bit(prediction), truth))
        return sum(values) / len(values)


def as_float(pixels: Tensor, device: torch.device) -> Tensor:
    """8-bit pixels on the device, float32 in [0, 1]."""
    return pixels.to(device, non_blocking=True).float() / 255
