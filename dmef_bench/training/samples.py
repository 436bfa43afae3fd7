"""Training samples: what a source yields, and batches that depend on nothing but their step."""

from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from synth.camera_response import CameraResponse, camera_response
from synth.camera_track import CameraOptions, camera_bracket, draw_camera
from synth.exposure import DEFAULT_EVS, synthesise_bracket

Track = Literal["paper", "camera"]

# All samples of a batch have the same EVs, so these stay where they are.
_CAMERAS: Final = CameraOptions(DEFAULT_EVS, ev_jitter=0.0)
_TRAINING, _VALIDATION = 0, 1
Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class SampleKey:
    """Names one sample of a training run; the same key gives the same sample everywhere.

    Attributes:
        seed: of the run.
        step: training step, from 0.
        slot: place in the batch.
    """

    seed: int
    step: int
    slot: int

    def generator(self) -> np.random.Generator:
        """A random generator that only this key has."""
        key = (_TRAINING, self.step, self.slot)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))


def validation_generator(index: int) -> np.random.Generator:
    """A random generator for held-out scene `index`, unlike any `SampleKey`'s."""
    return np.random.default_rng(np.random.SeedSequence(0, spawn_key=(_VALIDATION, index)))


@dataclass(frozen=True)
class Sample:
    """A training crop.

    Attributes:
        images: (3, 3, h, w) uint8: exposure from low to high, RGB, height, width.
        target: (3, h, w) uint8: the ground truth.
    """

    images: Frame
    target: Frame


class Source(Protocol):
    """Where samples come from."""

    @property
    def evs(self) -> tuple[float, float, float]:
        """Exposure values of low, mid and high relative to the ground truth, in every sample."""
        ...

    @property
    def track(self) -> str:
        """How every sample's exposures are made."""
        ...

    def sample(self, key: SampleKey) -> Sample:
        """The sample of that key; the same whoever asks, in whichever order."""
        ...

    def description(self) -> dict[str, Any]:
        """JSON that says what the data is; a resumed run must find the same."""
        ...


def response_of(track: Track) -> CameraResponse | None:
    """The camera response of every bracket on a track; None where each has its own."""
    return camera_response("sigmoid") if track == "paper" else None


def known_response(source: Source) -> CameraResponse | None:
    """The camera response of all samples of a source, from its attribute `response` if it has one.

    None where they differ or it isn't known; a source need not say.
    """
    found: CameraResponse | None = getattr(source, "response", None)
    return found


def bracket_sample(
    frames: tuple[Frame, Frame, Frame], generator: np.random.Generator, track: Track = "paper"
) -> Sample:
    """Expose three frames (H, W, 3) as on a track, with a random flip and quarter turn.

    The ground truth is the second frame. On the camera track every sample has a camera of its own,
    whose EVs are not jittered.
    """
    turns, flip = int(generator.integers(4)), bool(generator.integers(2))

    def oriented(image: Frame) -> Frame:
        turned = np.rot90(image, turns)
        return np.moveaxis(turned[:, ::-1] if flip else turned, -1, 0)

    if track == "camera":
        exposures = camera_bracket(frames, draw_camera(_CAMERAS, int(generator.integers(2**63))))
    else:
        exposures = synthesise_bracket(frames, DEFAULT_EVS, camera_response("sigmoid"))
    images = np.stack([oriented(exposure) for exposure in exposures])
    return Sample(images, np.ascontiguousarray(oriented(frames[1])))


def named(track: str) -> dict[str, str]:
    """The track in a source's description, which says nothing of the paper's."""
    return {"track": track} if track == "camera" else {}


class Batches(Dataset[tuple[Tensor, Tensor]]):
    """Batch number `step` as tensors (B, 3, 3, h, w) and (B, 3, h, w), both uint8."""

    def __init__(self, source: Source, seed: int, batch: int, steps: int) -> None:
        self._source, self._seed, self._batch, self._steps = source, seed, batch, steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        samples = [
            self._source.sample(SampleKey(self._seed, step, slot)) for slot in range(self._batch)
        ]
        return (
            torch.from_numpy(np.stack([sample.images for sample in samples])),
            torch.from_numpy(np.stack([sample.target for sample in samples])),
        )
