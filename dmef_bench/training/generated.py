"""Training samples from generated moving scenes: no download, no disk."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmef_bench.training.samples import (
    Frame,
    Sample,
    SampleKey,
    Track,
    bracket_sample,
    named,
    response_of,
)
from synth.exposure import DEFAULT_EVS
from synth.moving_scenes import MovingScene

# Seconds between the frames of a bracket: from 60 frames/s to three of 30 frames/s.
SPACING = (1 / 60, 1 / 10)
# How many times the crop's height the whole scene may be high: a crop then shows anything from a
# whole scene to what a window of that size shows of a 4K picture.
WIDEST = 12.0
# A power of the frames' values: scenes from low-key to high-key.
TONE = (0.6, 1.6)


class GeneratedScenes:
    """Crops of `synth.moving_scenes`, every sample a scene of its own.

    Args:
        crop: side of the square crops in pixels.
        track: how they are exposed.
    """

    evs = DEFAULT_EVS

    def __init__(self, crop: int, track: Track = "paper") -> None:
        self._crop, self.track, self.response = crop, track, response_of(track)

    def sample(self, key: SampleKey) -> Sample:
        """The sample of that key."""
        return generated_sample(self._crop, key.generator(), self.track)

    def description(self) -> dict[str, Any]:
        """What the data is."""
        return {"kind": "generated", "crop": self._crop} | named(self.track)


def generated_sample(crop: int, generator: np.random.Generator, track: Track = "paper") -> Sample:
    """(crop, crop) of a random moving scene, toned and exposed."""
    whole = crop * WIDEST ** generator.uniform(0, 1)
    scene = MovingScene(int(generator.integers(2**31)), crop, crop, scene_height=whole)
    start, spacing = generator.uniform(0, 2), generator.uniform(*SPACING)
    channels = generator.permutation(3)
    tone = tone_curve(generator)

    def frame(number: int) -> Frame:
        picture: Frame = tone[scene.frame(start + number * spacing)[..., channels]]
        return picture

    return bracket_sample((frame(0), frame(1), frame(2)), generator, track)


def tone_curve(generator: np.random.Generator) -> NDArray[np.uint8]:
    """(256,) look-up table of a random power law, the same for all frames of a sample."""
    power = float(np.exp(generator.uniform(*np.log(TONE))))
    return np.rint(255 * np.linspace(0, 1, 256) ** power).astype(np.uint8)
