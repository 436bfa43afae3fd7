"""Pictures of any sizes in the device's memory, sampled anywhere at any size."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

TIMES: Final = 3
"""Moments of a bracket: the pictures of a scene are its frames at these, of a photograph one."""

# Halving stops before a side falls below this.
_SMALLEST = 8

_PerLayer = TypeVar("_PerLayer")


@dataclass(frozen=True)
class Layer:
    """Where points are sampled from; all tensors have the points' shape or one that broadcasts.

    Attributes:
        start: (int64) first pixel in the pool.
        height, width: (int64) of the layer.
        pitch: size of its pixels in pixels of the picture.
        reach: how far from a point, in its own pixels, it is sampled in each direction.
    """

    start: Tensor
    height: Tensor
    width: Tensor
    pitch: Tensor
    reach: Tensor

    def each(self, index: Tensor) -> "Layer":
        """The layers of those indices along the first dimension."""
        return Layer(
            self.start[index], self.height[index], self.width[index],
            self.pitch[index], self.reach[index],
        )  # fmt: skip

    def over(self, dimensions: int) -> "Layer":
        """The same layers for points with that many further dimensions."""
        shape = (..., *(None,) * dimensions)
        return Layer(
            self.start[shape], self.height[shape], self.width[shape],
            self.pitch[shape], self.reach[shape],
        )  # fmt: skip


class PicturePool:
    """All pictures and their halvings in one tensor, so that one batch can sample many of them.

    Args:
        pictures: (frames, H, W, 3) uint8 each, of one frame or of `TIMES`.
        device: where they lie.

    Attributes:
        device: where they lie.
        sizes: (pictures, 2) float64 on the CPU: height and width.

    Raises:
        ValueError: another shape or type, or no picture at all.
    """

    def __init__(self, pictures: Iterable[NDArray[np.uint8]], device: torch.device) -> None:
        self.device = device
        pixels: list[Tensor] = []
        starts: list[list[list[int]]] = []
        shapes: list[list[tuple[int, int]]] = []
        total = 0
        for picture in pictures:
            layers = _halved(torch.from_numpy(_checked(picture)).to(device))
            shapes.append([(layer.shape[1], layer.shape[2]) for layer in layers])
            frames = range(TIMES) if len(picture) == TIMES else (0,) * TIMES
            begun = []
            for layer in layers:
                size = layer.shape[1] * layer.shape[2]
                begun.append([total + size * frame for frame in frames])
                pixels.append(_packed(layer))
                total += size * len(layer)
            starts.append(begun)
        if not pixels:
            raise ValueError("a pool needs at least one picture")
        self._pixels = torch.cat(pixels)
        self.sizes = torch.tensor([layers[0] for layers in shapes], dtype=torch.float64)
        depth = max(len(layers) for layers in shapes)
        self._depths = torch.tensor([len(layers) for layers in shapes])
        self._starts = torch.tensor([_filled(one, depth) for one in starts])
        self._shapes = torch.tensor([_filled(one, depth) for one in shapes])

    @property
    def bytes(self) -> int:
        """What the pictures take in the device's memory."""
        return self._pixels.numel() * self._pixels.element_size()

    def layer(self, picture: Tensor, time: Tensor, shrink: Tensor) -> Layer:
        """What to sample so that `shrink` pixels become one, free of aliasing.

        A halving of the picture is chosen that is left to be shrunk by less than two; every point
        is then the mean of four samples around it. That is exact for 1, 2, 4...

        Args:
            picture: number in the pool; on the CPU, as all arguments, which have one shape.
            time: 0 to `TIMES` - 1.
            shrink: > 0; below 1 enlarges.
        """
        level = shrink.log2().floor().long().clamp_min(0).minimum(self._depths[picture] - 1)
        pitch = 2.0**level
        reach = (shrink / pitch - 1).clamp(0, 1) / 2
        shape = self._shapes[picture, level]
        return Layer(
            self._starts[picture, level, time].to(self.device),
            shape[..., 0].to(self.device),
            shape[..., 1].to(self.device),
            pitch.float().to(self.device),
            reach.float().to(self.device),
        )

    def sample(self, layer: Layer, x: Tensor, y: Tensor) -> Tensor:
        """Colours at points.

        Args:
            layer: from `layer`, broadcastable with the points.
            x: (...) float32, distance from the picture's left edge in its pixels; mirrored outside.
            y: likewise from the upper edge.

        Returns:
            (..., 3) float32, 0 to 255.
        """
        x, y = x / layer.pitch - 0.5, y / layer.pitch - 0.5
        return (
            self._bilinear(layer, x - layer.reach, y - layer.reach)
            + self._bilinear(layer, x + layer.reach, y - layer.reach)
            + self._bilinear(layer, x - layer.reach, y + layer.reach)
            + self._bilinear(layer, x + layer.reach, y + layer.reach)
        ) / 4

    def _bilinear(self, layer: Layer, x: Tensor, y: Tensor) -> Tensor:
        left, top = x.floor(), y.floor()
        right, lower = (x - left)[..., None], (y - top)[..., None]
        left, top = left.long(), top.long()
        columns = [_mirrored(left + near, layer.width) for near in (0, 1)]
        rows = [layer.start + _mirrored(top + near, layer.height) * layer.width for near in (0, 1)]
        upper = torch.lerp(self._at(rows[0] + columns[0]), self._at(rows[0] + columns[1]), right)
        under = torch.lerp(self._at(rows[1] + columns[0]), self._at(rows[1] + columns[1]), right)
        return torch.lerp(upper, under, lower)

    def _at(self, index: Tensor) -> Tensor:
        return self._pixels[index].view(torch.uint8).view(*index.shape, 4)[..., :3].float()


def _checked(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    right = picture.dtype == np.uint8 and picture.ndim == 4 and picture.shape[-1] == 3
    if not right or len(picture) not in (1, TIMES):
        raise ValueError(
            f"a picture of the pool is (1 or {TIMES} frames, H, W, 3) uint8, "
            f"got {picture.shape} {picture.dtype}"
        )
    return picture


def _halved(picture: Tensor) -> list[Tensor]:
    """(frames, H, W, 3) uint8 and its halvings, each pixel the mean of four."""
    layers = [picture]
    while min(layers[-1].shape[1:3]) >= 2 * _SMALLEST:
        planes = layers[-1].permute(0, 3, 1, 2).float()
        half = functional.avg_pool2d(planes, 2).round().to(torch.uint8)
        layers.append(half.permute(0, 2, 3, 1))
    return layers


def _packed(layer: Tensor) -> Tensor:
    """(frames, H, W, 3) uint8 as (pixels,) int32, so that a pixel is fetched at once."""
    return functional.pad(layer, (0, 1)).contiguous().view(torch.int32).reshape(-1)


def _filled(layers: list[_PerLayer], depth: int) -> list[_PerLayer]:
    """The last one repeated; it is never chosen."""
    return layers + layers[-1:] * (depth - len(layers))


def _mirrored(index: Tensor, length: Tensor) -> Tensor:
    """Indices inside, with the border pixel repeated: ... 1 0 | 0 1 2 ..."""
    index = index.remainder(2 * length)
    return index.minimum(2 * length - 1 - index)
