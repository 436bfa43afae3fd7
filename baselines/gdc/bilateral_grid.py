"""A cross-bilateral filter on a coarse grid of row, column and guide brightness.

Source: Chen, Paris and Durand, "Real-time edge-aware image processing with the bilateral grid",
SIGGRAPH 2007, doi 10.1145/1276377.1276506. One cell is one sigma in each direction.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

Floats = NDArray[np.float64]

_PADDING: Final = 3
_BLUR: Final = np.exp(-0.5 * np.array([-1.0, 0.0, 1.0]) ** 2)


@dataclass(frozen=True)
class BilateralGrid:
    """Cell sizes and shape of the grid of one guide picture.

    Attributes:
        height, width: of the picture in pixels.
        darkest, brightest: range of the guide over the whole picture.
    """

    height: int
    width: int
    darkest: float
    brightest: float

    @property
    def sigma_space(self) -> float:
        """Pixels a cell: a sixteenth of the shorter side, at least one."""
        return max(min(self.height, self.width) / 16.0, 1.0)

    @property
    def sigma_range(self) -> float:
        """Brightness a cell: a tenth of the guide's range (1 for a guide of one brightness)."""
        return 0.1 * (self.brightest - self.darkest) or 1.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells along rows, columns and brightness, with a margin on all sides."""
        lengths = (
            (self.height - 1) / self.sigma_space,
            (self.width - 1) / self.sigma_space,
            (self.brightest - self.darkest) / self.sigma_range,
        )
        rows, columns, depth = (int(length) + 1 + 2 * _PADDING for length in lengths)
        return rows, columns, depth

    def positions(self, guide: Floats, top: int) -> tuple[Floats, Floats, Floats]:
        """Grid coordinates of the rows, columns and values of a strip (h, W) from row `top`."""
        rows = np.arange(top, top + len(guide)) / self.sigma_space + _PADDING
        columns = np.arange(self.width) / self.sigma_space + _PADDING
        return rows, columns, (guide - self.darkest) / self.sigma_range + _PADDING

    def splat(
        self, values: Floats, defined: Floats, guide: Floats, top: int
    ) -> tuple[slice, Floats]:
        """Add up a strip's values, and how many were defined, in the cells nearest to them.

        Args:
            values: (h, W), 0 where undefined.
            defined: (h, W), 1 or 0.
            guide: (h, W) brightness.
            top: row of the picture the strip starts at.

        Returns:
            The rows of the grid the strip touches, and its (2, those rows, columns, depth) sums
            and counts.
        """
        rows, columns, depths = (
            np.floor(position + 0.5).astype(np.intp) for position in self.positions(guide, top)
        )
        touched = slice(rows[0], rows[-1] + 1)
        shape = (touched.stop - touched.start, *self.shape[1:])
        cells = depths + (((rows - rows[0]) * shape[1])[:, None] + columns) * shape[2]
        sums_and_counts: Floats = np.empty((2, *shape))
        for array, into in zip((values, defined), sums_and_counts, strict=True):
            into[:] = np.bincount(cells.ravel(), array.ravel(), into.size).reshape(shape)
        return touched, sums_and_counts

    def smooth(self, sums_and_counts: Floats) -> Floats:
        """Blur sums and counts alike and divide them: (rows, columns, depth), 0 where empty."""
        for axis in (1, 2, 3):
            sums_and_counts = correlate1d(sums_and_counts, _BLUR, axis=axis, mode="constant")
        sums, counts = sums_and_counts
        averages: Floats = np.zeros_like(sums)
        np.divide(sums, counts, out=averages, where=counts > 0.0)
        return averages

    def slice(self, smoothed: Floats, guide: Floats, top: int) -> Floats:
        """Read a strip (h, W) back by trilinear interpolation; never negative."""
        rows, columns, depths = self.positions(guide, top)
        row, column, deep = (np.floor(p).astype(np.intp) for p in (rows, columns, depths))
        below = (rows - row)[:, None, None]
        table = smoothed[row] * (1.0 - below) + smoothed[row + 1] * below
        _, width, depth = self.shape
        cells = deep + ((np.arange(len(guide)) * width)[:, None] + column) * depth
        flat = table.ravel()
        right, nearer = columns - column, depths - deep
        farther = 1.0 - nearer
        left_side = np.take(flat, cells) * farther
        left_side += np.take(flat, cells + 1) * nearer
        cells += depth
        right_side = np.take(flat, cells) * farther
        right_side += np.take(flat, cells + 1) * nearer
        result: Floats = left_side * (1.0 - right) + right_side * right
        return result
