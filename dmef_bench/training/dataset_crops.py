"""Training samples from the train split of a built dataset."""

import copy
import functools
from pathlib import Path
from typing import Any

import numpy as np

from dmef_bench.dataset import Scene, open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.picture_files import to_eight_bits
from dmef_bench.training.samples import PICTURES_AT_ONCE, Frame, Sample, SampleKey, named

# A scene serves this many steps in a row: decoding its four 4K pictures takes seconds.
_STEPS_A_SCENE = 16


class DatasetCrops:
    """Random crops, turned and mirrored, of the scenes a dataset keeps for training.

    Args:
        path: of a built dataset.
        crop: side of the square crops in pixels.
        track: which exposures, where the dataset has several; None for its first.

    Raises:
        UsageError: no training scene, one smaller than the crop, or scenes of different EVs.
    """

    def __init__(self, path: Path, crop: int, track: str | None = None) -> None:
        dataset = open_dataset(path)
        self._crop, self._digest = crop, dataset.digest
        self.track = dataset.chosen_track(track)
        self._scenes = dataset.scenes("train", self.track)
        if not self._scenes:
            raise UsageError(f"{path}: no scenes in its train split; build it from more videos")
        for scene in self._scenes:
            if min(scene.record.height, scene.record.width) < crop:
                raise UsageError(
                    f"{path}: scene {scene.id} is {scene.record.width}×{scene.record.height}, "
                    f"smaller than samples of {crop}×{crop}; give a smaller --crop"
                )
            if scene.evs != self._scenes[0].evs:
                raise UsageError(
                    f"{path}: its scenes have different EVs, a batch can't hold both; build a "
                    "camera track to train on with --ev-jitter 0"
                )
        self.evs = self._scenes[0].evs
        responses = {scene.response for scene in self._scenes}
        self.response = responses.pop() if len(responses) == 1 else None
        self._pictures = functools.lru_cache(PICTURES_AT_ONCE)(self._read)

    def sample(self, key: SampleKey) -> Sample:
        """The sample of that key."""
        number = key.picture(len(self._scenes), _STEPS_A_SCENE)
        images, target = self._pictures(number)
        generator = key.generator()
        top = int(generator.integers(target.shape[-2] - self._crop + 1))
        left = int(generator.integers(target.shape[-1] - self._crop + 1))
        window = (..., slice(top, top + self._crop), slice(left, left + self._crop))
        turns, flip = int(generator.integers(4)), bool(generator.integers(2))

        def oriented(pixels: Frame) -> Frame:
            turned = np.rot90(pixels[window], turns, axes=(-2, -1))
            return np.ascontiguousarray(turned[..., ::-1] if flip else turned)

        return Sample(oriented(images), oriented(target))

    def divide(self, count: int) -> "tuple[DatasetCrops, DatasetCrops]":
        """Crops of the first `count` scenes alone, and of the others alone.

        Raises:
            UsageError: there are no others.
        """
        if count >= len(self._scenes):
            raise UsageError(
                f"--labelled {count}: the train split has {len(self._scenes)} scenes, and at "
                "least one has to stay unlabelled"
            )
        return self._only(self._scenes[:count]), self._only(self._scenes[count:])

    def _only(self, scenes: list[Scene]) -> "DatasetCrops":
        part = copy.copy(self)
        part._scenes = scenes
        part._pictures = functools.lru_cache(PICTURES_AT_ONCE)(part._read)
        return part

    def description(self) -> dict[str, Any]:
        """What the data is."""
        return {"kind": "dataset", "crop": self._crop, "digest": self._digest} | named(self.track)

    def _read(self, number: int) -> tuple[Frame, Frame]:
        """(3, 3, H, W) exposures and (3, H, W) ground truth of a scene."""
        scene = self._scenes[number]
        exposures = [
            to_eight_bits(scene.load_exposure(exposure)) for exposure in ("low", "mid", "high")
        ]
        truth = np.moveaxis(scene.load_picture("gt"), -1, 0)
        return np.moveaxis(np.stack(exposures), -1, 1), truth
