"""Pictures of any size in bounded memory ("infinite pixels"): bands of rows, on a CPU.

What a band can't know of the picture is gathered first: the contexts of the DRTMs, which need the
features at no more than 2S rows and columns, and in the equation reading the means of all blocks.
In the prose reading that is one pass over the sampled rows, then one over the picture; in the
equation reading each FIB adds a pass over the picture, as its means depend on the block before.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dmef_bench.ipl.fast.engine import STRIP_PIXELS, TILE_PIXELS, Engine, Step
from dmef_bench.ipl.fast.workers import Workers
from dmef_bench.ipl.model import IPL
from dmef_bench.ipl.slices import line_block_means

_HIGHEST: Final = {"u1": 255, "u2": 65535}


class TooLittleMemoryError(ValueError):
    """A bound on memory under which no band fits.

    Attributes:
        width: of the picture.
        needed: the bytes that would be enough.
        given: the bound.
    """

    def __init__(self, width: int, needed: int, given: int) -> None:
        super().__init__(width, needed, given)
        self.width, self.needed, self.given = width, needed, given

    def __str__(self) -> str:
        return (
            f"a picture {self.width} pixels wide needs at least {self.needed:,} bytes to be fused "
            f"by bands, got {self.given:,}"
        )


class BracketRows(Protocol):
    """A bracket that is read by rows; from a file, a memory map, or anywhere.

    Attributes:
        height: of the three pictures.
        width: of the three pictures.
    """

    height: int
    width: int

    def read(self, top: int, bottom: int) -> Tensor:
        """Rows top to bottom: (3, 3, bottom - top, width) float in [0, 1]; X1, X2, X3."""


class ArrayRows:
    """A bracket of three arrays, such as `numpy.memmap` or `numpy.load(..., mmap_mode="r")`.

    Args:
        low: (H, W, 3) uint8, uint16, or float in [0, 1], RGB; read piece by piece.
        mid: the same.
        high: the same.

    Raises:
        ValueError: shapes that differ or are no RGB pictures, or another dtype.
    """

    def __init__(
        self, low: NDArray[np.generic], mid: NDArray[np.generic], high: NDArray[np.generic]
    ) -> None:
        self._arrays = (low, mid, high)
        for array in self._arrays:
            if array.shape != mid.shape or array.ndim != 3 or array.shape[2] != 3:
                shapes = ", ".join(str(a.shape) for a in self._arrays)
                raise ValueError(f"a bracket is three (H, W, 3) arrays of one size, got {shapes}")
            if array.dtype.str[1:] not in _HIGHEST and array.dtype.kind != "f":
                raise ValueError(f"exposures are uint8, uint16 or float, got {array.dtype}")
        self.height, self.width = mid.shape[:2]

    def read(self, top: int, bottom: int) -> Tensor:
        """Rows top to bottom: (3, 3, bottom - top, width) float32 in [0, 1], float64 of float64."""
        double = any(array.dtype == np.float64 for array in self._arrays)
        rows = torch.empty(
            3, 3, bottom - top, self.width, dtype=torch.float64 if double else torch.float32
        )
        for out, array in zip(rows, self._arrays, strict=True):
            out.numpy()[...] = np.moveaxis(array[top:bottom], -1, 0)
            out /= _HIGHEST.get(array.dtype.str[1:], 1)
        return rows


def fuse_stream(
    network: IPL,
    source: BracketRows,
    write: Callable[[int, Tensor], None],
    *,
    max_bytes: int = 2**30,
) -> None:
    """Fuse a bracket band by band; the result equals `network(images)` within rounding.

    Args:
        network: on the CPU, float32 or float64; an attention cache is not used.
        source: where the rows come from; rows are read several times.
        write: called with the number of the first row and (3, rows, W), gain times X2, not
            clipped; from top to bottom, every row once.
        max_bytes: the most bytes of tensors at one time, beside what `source` and `write` hold.

    Raises:
        TooLittleMemoryError: `max_bytes` is too small for two bands' least height; the message
            says how much is needed.
        ValueError: `source` gives rows of another size.
    """
    with torch.inference_mode(), Workers() as workers:
        engine = Engine(network, source.height, source.width, workers)
        stream = _Stream(engine, source, next(network.parameters()).dtype, max_bytes)
        stream.prepare()
        for first, rows in stream.fused():
            write(first, rows)


class _Stream:
    def __init__(
        self, engine: Engine, source: BracketRows, dtype: torch.dtype, max_bytes: int
    ) -> None:
        self.engine, self.source, self.dtype = engine, source, dtype
        self.config = engine.config
        self.band = self._band_rows(max_bytes)
        self.steps: list[Step] = []

    def _band_rows(self, max_bytes: int) -> int:
        """Feature rows in a band; each is r rows of pixels."""
        size = torch.finfo(self.dtype).bits // 8
        c, r, w = self.config.channels, self.config.factor, self.engine.columns
        # Pixels as read and as converted, the fused rows; features, their sum, and both once more
        # while the rows a band shares with the next are set apart.
        row = size * w * ((9 + 9 + 3) * r * r + 4 * c)
        tile = max(w, TILE_PIXELS) * 5 * c
        strip = 3 * max(w, STRIP_PIXELS) * (2 * 9 * r * r + 2 * c)
        samples = 4 * self.config.drtm_size**2 * 9 * c
        fixed = size * (torch.get_num_threads() * (tile + strip) + samples)
        # Two rows of halo are read with each band and two are kept from the one before.
        rows = (max_bytes - fixed) // row - 4
        if rows < 1:
            raise TooLittleMemoryError(self.source.width, fixed + 5 * row, max_bytes)
        return int(min(rows, self.engine.rows))

    def _read(self, top: int, bottom: int) -> tuple[int, Tensor]:
        """Pixels (9, h, W) for feature rows top to bottom, and the number of their first row."""
        first, last = self.engine.samplers.pixel_rows(top, bottom)
        rows = self.source.read(first, last)
        expected = (3, 3, last - first, self.source.width)
        if rows.shape != expected:
            raise ValueError(f"rows {first} to {last} are {tuple(rows.shape)}, not {expected}")
        return first, rows.to(self.dtype).flatten(0, 1)

    def _empty(self, rows: int) -> Tensor:
        return torch.empty(rows, self.engine.columns, self.config.channels, dtype=self.dtype)

    def prepare(self) -> None:
        """Gather contexts and means: every block's `Step`."""
        grid = self.engine.grid
        places = sorted(set(grid.rows.tolist()))
        known = torch.empty(len(places), len(grid.columns), self.config.channels, dtype=self.dtype)
        line = self._empty(1)
        for n, row in enumerate(places):
            first, pixels = self._read(row, row + 1)
            self.engine.down(pixels, first, line, row)
            known[n] = line[0, grid.columns]
        samples = known[torch.searchsorted(torch.tensor(places), grid.rows)]
        for block in self.engine.blocks:
            means = self._means() if self.config.lfe == "equation" else {}
            self.steps.append(self.engine.step(block, samples, means))

    def _means(self) -> Mapping[str, Tensor]:
        """F_m for the block that follows the steps so far."""
        height, width = self.engine.rows, self.engine.columns
        columns = torch.zeros(width, self.config.channels, dtype=torch.float64)
        rows = torch.empty(height, self.config.channels, dtype=torch.float64)
        for top in range(0, height, self.band):
            bottom = min(top + self.band, height)
            first, pixels = self._read(top, bottom)
            features = self._empty(bottom - top)
            self.engine.down(pixels, first, features, top)
            self.engine.integrate(features, top, self.steps, None)
            rows[top:bottom] = features.mean(1)
            columns += features.sum(0, dtype=torch.float64)
        columns /= height
        means = {
            "C": rows.mean(0)[None, None],
            "W": _spread(columns, self.config.width_block)[None],
            "H": _spread(rows, self.config.height_block)[:, None],
        }
        return {
            name: mean.to(self.dtype)
            for name, mean in means.items()
            if name in self.config.dimensions
        }

    def fused(self) -> Iterator[tuple[int, Tensor]]:
        """Bands of the result with the number of their first row."""
        height, factor = self.engine.rows, self.config.factor
        kept = self._empty(0)
        for top in range(0, height, self.band):
            bottom = min(top + self.band, height)
            first, pixels = self._read(top, bottom)
            features = self._empty(bottom - top)
            self.engine.down(pixels, first, features, top)
            total = torch.zeros_like(features) if self.config.final == "sum" else None
            self.engine.integrate(features, top, self.steps, total)
            result = torch.cat([kept, features if total is None else total])
            del features, total
            # The last row of a band needs the next band for its 3×3 convolution.
            run = (max(top - 1, 0), bottom if bottom == height else bottom - 1)
            upper, lower = run[0] * factor, min(run[1] * factor, self.source.height)
            out = pixels.new_empty(3, lower - upper, self.source.width)
            reference = pixels[3:6, upper - first : lower - first]
            self.engine.up(result, top - len(kept), run, reference, out)
            kept = result[-2:].clone()
            del pixels, result, reference  # before the next band is read
            if out.shape[1]:
                yield upper, out


def _spread(lines: Tensor, size: int) -> Tensor:
    return line_block_means(lines.t()[None], size)[0].t()
