"""Three exposures on disk as one bracket that is read by rows."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
import torch
from torch import Tensor

from dmef_bench.errors import UsageError
from dmef_bench.picture_rows.rows import PictureRows, Rows

_SAMPLED_ROWS = 8


class BracketFiles:
    """Low, mid and high exposure; what `dmef_bench.ipl.fuse_stream` reads.

    Args:
        pictures: three of one size, open; closed together with this.

    Attributes:
        height: of the pictures; width likewise.
        dtype: uint16 where one of them has 16 bits, else uint8.
        held_bytes: the most memory the pictures take while they are read.
        colour_profile: of mid, or None.

    Raises:
        UsageError: two sizes differ; both files are named.
    """

    def __init__(self, pictures: Sequence[PictureRows]) -> None:
        self._pictures = tuple(pictures)
        first = self._pictures[0]
        for other in self._pictures[1:]:
            if (other.height, other.width) != (first.height, first.width):
                raise UsageError(
                    f"{first.path} is {first.width}×{first.height} and {other.path} is "
                    f"{other.width}×{other.height}; the exposures of a bracket need one size"
                )
        self.height, self.width = first.height, first.width
        self.dtype = max((p.dtype for p in self._pictures), key=lambda dtype: dtype.itemsize)
        self.colour_profile = self._pictures[1].colour_profile
        self.held_bytes = sum(picture.held_bytes for picture in self._pictures)

    def read(self, top: int, bottom: int) -> Tensor:
        """Rows top to bottom: (3, 3, bottom - top, W) float32 in [0, 1].

        Raises:
            IntegrityError: a file is damaged there.
        """
        rows = torch.empty(3, 3, bottom - top, self.width)
        for out, picture in zip(rows, self._pictures, strict=True):
            for first in range(top, bottom, picture.piece):
                last = min(first + picture.piece, bottom)
                goal = out[:, first - top : last - top].numpy()
                goal[...] = np.moveaxis(picture.read(first, last), -1, 0)
            out /= np.iinfo(picture.dtype).max
        return rows

    def sampled(self) -> list[Rows]:
        """A few rows of each picture, evenly spread: three (rows, W, 3)."""
        places = np.linspace(0, self.height - 1, min(self.height, _SAMPLED_ROWS), dtype=int)
        return [
            np.concatenate([picture.read(row, row + 1) for row in places.tolist()])
            for picture in self._pictures
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for picture in self._pictures:
            picture.__exit__(kind, error, traceback)
