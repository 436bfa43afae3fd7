"""Training crops that know the whole picture they are cut from.

IPL's DRTM squeezes a whole picture to one small map. Trained on crops alone it only ever sees
crops, squeezed far less than the pictures it will be used on. Here a crop comes with a small copy
of the picture around it and with its place in there.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from baselines import Bracket
from dmef_bench.training.samples import (
    Batch,
    BatchSource,
    Sample,
    SampleKey,
    Source,
    Stream,
    known_response,
    random_generator,
)
from synth.camera_response import CameraResponse

WHOLE: Final = 4
"""Sides of a crop that the side of its whole picture is long."""

CONTEXT_SIDE: Final = 192
"""Largest side of the small copy in pixels: a feature of it for every place of DRTM's map."""


@dataclass(frozen=True, kw_only=True)
class CropInContext(Bracket):
    """A bracket that is a crop of a larger one.

    Attributes:
        context: (B, 3, 3, h, w) in [0, 1]: the larger bracket, reduced.
        place: (B, 4) float32: top, left, height and width of the crop as shares of it.
    """

    context: Tensor
    place: Tensor


class InContext:
    """Crops of the samples of a source, each with a small copy of the whole sample.

    Args:
        source: gives the whole pictures; squares, no smaller than the crops.
        crop: side of the crops in pixels.
    """

    def __init__(self, source: Source, crop: int) -> None:
        self._source, self._crop = source, crop
        self.evs, self.track, self.response = source.evs, source.track, known_response(source)

    def sample(self, key: SampleKey) -> Sample:
        """The sample of that key."""
        whole = self._source.sample(key)
        images, target = torch.from_numpy(whole.images), torch.from_numpy(whole.target)
        top, left = _corner(key, images.shape[-1], self._crop)
        rows, columns = slice(top, top + self._crop), slice(left, left + self._crop)
        return Sample(
            np.ascontiguousarray(whole.images[..., rows, columns]),
            np.ascontiguousarray(whole.target[..., rows, columns]),
            _reduced(images).numpy(),
            _place(top, left, self._crop, target.shape[-1]),
        )

    def description(self) -> dict[str, Any]:
        """What the data is."""
        return _described(self._source.description(), self._crop)


class InContextOnDevice:
    """The same of batches that are made on the device."""

    def __init__(self, source: BatchSource, crop: int) -> None:
        self._source, self._crop = source, crop
        self.evs, self.track = source.evs, source.track

    @property
    def response(self) -> CameraResponse | None:
        """Of all brackets; None where each has its own."""
        return self._source.response

    def batch(self, seed: int, step: int, samples: int) -> Batch:
        """The batch of a training step."""
        whole = self._source.batch(seed, step, samples)
        side, crop = whole.target.shape[-1], self._crop
        corners = [_corner(SampleKey(seed, step, slot), side, crop) for slot in range(samples)]

        def cut(pixels: Tensor) -> Tensor:
            return torch.stack(
                [
                    one[..., top : top + crop, left : left + crop]
                    for one, (top, left) in zip(pixels, corners, strict=True)
                ]
            )

        places = torch.tensor([_place(*corner, crop, side) for corner in corners])
        return whole._replace(
            images=cut(whole.images),
            target=cut(whole.target),
            context=_reduced(whole.images),
            place=places.to(whole.target.device),
        )

    def description(self) -> dict[str, Any]:
        """What the data is."""
        return _described(self._source.description(), self._crop)


def _corner(key: SampleKey, whole: int, crop: int) -> tuple[int, int]:
    """Top and left of a sample's crop."""
    generator = random_generator(key.seed, Stream.PLACE, key.step, key.slot)
    top, left = (int(corner) for corner in generator.integers(whole - crop + 1, size=2))
    return top, left


def _place(top: int, left: int, crop: int, whole: int) -> tuple[float, float, float, float]:
    return top / whole, left / whole, crop / whole, crop / whole


def _reduced(images: Tensor) -> Tensor:
    """(..., 3, 3, H, W) uint8 to at most `CONTEXT_SIDE` on their sides, by the areas' means."""
    if images.shape[-1] <= CONTEXT_SIDE:
        return images.contiguous()
    planes = images.flatten(0, -4).float()
    small = functional.adaptive_avg_pool2d(planes, CONTEXT_SIDE).round().to(torch.uint8)
    return small.view(*images.shape[:-2], *small.shape[-2:])


def _described(whole: dict[str, Any], crop: int) -> dict[str, Any]:
    return {"kind": "in context", "crop": crop, "context": CONTEXT_SIDE, "whole": whole}
