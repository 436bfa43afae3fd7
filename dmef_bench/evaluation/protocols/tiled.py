"""Protocol `tiled`: native resolution in overlapping tiles whose seams are blended."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from baselines import Bracket
from dmef_bench.evaluation.protocols.base import Fuse, Protocol, ProtocolName


@dataclass(frozen=True)
class TiledProtocol(Protocol):
    """What a user of a method that can't take 4K would do.

    Tiles of one size are spread evenly, so that neighbours share at least `overlap` pixels. In
    the middle of what they share the older tile passes into the newer one by a raised cosine,
    over half of `overlap`; the borders of a tile, where it knows too little of its surroundings,
    are not used. Where both agree nothing changes, so a method that looks at single pixels gives
    exactly what `native` gives.

    Attributes:
        tile: height and width of a tile in pixels (the picture's own where it is smaller).
        overlap: pixels shared by neighbours, at most half a tile.
    """

    tile: int = 512
    overlap: int = 64
    name: ClassVar[ProtocolName] = "tiled"

    def __post_init__(self) -> None:
        if not 0 <= 2 * self.overlap <= self.tile or self.tile < 1:
            raise ValueError(
                f"tiles of {self.tile} pixels can't overlap by {self.overlap}: "
                "an overlap from 0 to half a tile is needed"
            )

    @property
    def resolution(self) -> tuple[int, int]:
        """The tile."""
        return self.tile, self.tile

    def call_size(self, height: int, width: int) -> tuple[int, int]:
        """The tile, never larger than the picture."""
        return min(height, self.tile), min(width, self.tile)

    def calls(self, height: int, width: int) -> int:
        """The number of tiles."""
        return len(self._starts(height)) * len(self._starts(width))

    def predict(self, bracket: Bracket, fuse: Fuse) -> Tensor:
        """Tile by tile, left to right, then row of tiles by row of tiles."""
        height, width = bracket.size
        rows, columns = self.call_size(height, width)
        batch = bracket.images.shape[0]
        picture = bracket.images.new_empty(batch, 3, height, width)
        row = bracket.images.new_empty(batch, 3, rows, width)
        for top in self._starts(height):
            for left in self._starts(width):
                tile = fuse(
                    bracket.map(
                        lambda images, top=top, left=left: images[  # type: ignore[misc]
                            ..., top : top + rows, left : left + columns
                        ]
                    )
                )
                self._lay(row, tile, left, dim=-1)
            self._lay(picture, row, top, dim=-2)
        return picture

    def _starts(self, length: int) -> list[int]:
        """Where the tiles begin along a side."""
        room = length - self.tile
        if room <= 0:
            return [0]
        steps = math.ceil(room / (self.tile - self.overlap))
        return [round(step * room / steps) for step in range(steps + 1)]

    def _lay(self, canvas: Tensor, tile: Tensor, start: int, dim: int) -> None:
        """Put a tile on the canvas, whose left (or upper) part holds its neighbour already."""
        length = tile.shape[dim]
        if start == 0:
            canvas.narrow(dim, 0, length).copy_(tile)
            return
        starts = self._starts(canvas.shape[dim])
        shared = starts[starts.index(start) - 1] + length - start
        ramp = self.overlap // 2
        seam = (shared - ramp) // 2  # counted from the tile's own start
        if ramp:
            weights = _raised_cosine(ramp, tile).reshape(-1, *[1] * (-1 - dim))
            canvas.narrow(dim, start + seam, ramp).lerp_(tile.narrow(dim, seam, ramp), weights)
        rest = seam + ramp
        canvas.narrow(dim, start + rest, length - rest).copy_(tile.narrow(dim, rest, length - rest))


def _raised_cosine(length: int, like: Tensor) -> Tensor:
    """(length,) weights of the newer tile, from near 0 to near 1."""
    steps = torch.arange(length, device=like.device, dtype=like.dtype) + 0.5
    return 0.5 - 0.5 * torch.cos(steps * (math.pi / length))
