"""Training samples: what a source yields, and batches that depend on nothing but their step."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal, NamedTuple, Protocol, runtime_checkable

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
Frame = NDArray[np.uint8]


class Stream(IntEnum):
    """Random numbers of one seed that have nothing to do with each other."""

    TRAINING = 0
    VALIDATION = 1
    DEVICE_BATCH = 2
    DEVICE_PICTURES = 3
    CAMERAS = 4
    PLACE = 5


def random_generator(seed: int, stream: Stream, *key: int) -> np.random.Generator:
    """A random generator that only this seed, stream and key have."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(stream), *key)))


PICTURES_AT_ONCE: Final = 8
"""Decoded pictures that a source keeps."""


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
        return random_generator(self.seed, Stream.TRAINING, self.step, self.slot)

    def picture(self, count: int, steps: int) -> int:
        """Which of `count` pictures it is cut from.

        One serves so many steps in a row, and a batch holds `PICTURES_AT_ONCE` at most, so that
        large pictures are decoded once for many crops.
        """
        turn = SampleKey(self.seed, self.step // steps, self.slot % PICTURES_AT_ONCE)
        return int(turn.generator().integers(count))


def validation_generator(index: int) -> np.random.Generator:
    """A random generator for held-out scene `index`, unlike any `SampleKey`'s."""
    return random_generator(0, Stream.VALIDATION, index)


@dataclass(frozen=True)
class Sample:
    """A training crop.

    Attributes:
        images: (3, 3, h, w) uint8: exposure from low to high, RGB, height, width.
        target: (3, h, w) uint8: the ground truth.
        context: (3, 3, H, W) uint8: a small copy of the bracket that this is a crop of; None where
            there is none.
        place: top, left, height and width of the crop as shares of that.
    """

    images: Frame
    target: Frame
    context: Frame | None = None
    place: tuple[float, float, float, float] | None = None


class Batch(NamedTuple):
    """The samples of a training step.

    Attributes:
        images: (B, 3, 3, h, w) uint8: exposure from low to high, RGB, height, width.
        target: (B, 3, h, w) uint8: the ground truth.
        evs: exposure values of all these samples; None for those that the source says.
        context: (B, 3, 3, H, W) uint8: small copies of the brackets that these are crops of; None
            where there are none.
        place: (B, 4) float32: top, left, height and width of the crops as shares of those.
    """

    images: Tensor
    target: Tensor
    evs: tuple[float, float, float] | None = None
    context: Tensor | None = None
    place: Tensor | None = None


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


@runtime_checkable
class BatchSource(Protocol):
    """What makes whole batches where they are needed."""

    @property
    def evs(self) -> tuple[float, float, float]:
        """Exposure values around which those of the batches lie."""
        ...

    @property
    def track(self) -> str:
        """How every sample's exposures are made."""
        ...

    @property
    def response(self) -> CameraResponse | None:
        """The camera response of all samples; None where each has its own."""
        ...

    def batch(self, seed: int, step: int, samples: int) -> Batch:
        """The batch of a step; the same whenever it is asked for."""
        ...

    def description(self) -> dict[str, Any]:
        """As `Source.description`."""
        ...


def response_of(track: Track) -> CameraResponse | None:
    """The camera response of every bracket on a track; None where each has its own."""
    return camera_response("sigmoid") if track == "paper" else None


def known_response(source: Source | BatchSource) -> CameraResponse | None:
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
    return {"track": track} if track in ("camera", "both") else {}


class Batches(Dataset[Batch]):
    """Batch number `step` of a source's samples, of its first places or of a range of them."""

    def __init__(self, source: Source, seed: int, batch: int | range, steps: int) -> None:
        self._source, self._seed, self._steps = source, seed, steps
        self._slots = batch if isinstance(batch, range) else range(batch)

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> Batch:
        samples = [self._source.sample(SampleKey(self._seed, step, n)) for n in self._slots]
        contexts = [sample.context for sample in samples if sample.context is not None]
        return Batch(
            torch.from_numpy(np.stack([sample.images for sample in samples])),
            torch.from_numpy(np.stack([sample.target for sample in samples])),
            context=torch.from_numpy(np.stack(contexts)) if contexts else None,
            place=torch.tensor([sample.place for sample in samples]) if contexts else None,
        )
