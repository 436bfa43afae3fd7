"""The three parts of the network on runs of feature rows: strips on all cores, tiles in cache."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from dmef_bench.ipl.fast.block import PackedBlock, Scratch
from dmef_bench.ipl.fast.context import Grid
from dmef_bench.ipl.fast.samplers import StripSamplers
from dmef_bench.ipl.fast.workers import Workers
from dmef_bench.ipl.model import FIB, IPL

# Pixels of features: a tile's working memory (1.5 kB a pixel) stays in cache, a strip is long
# enough that its halo of two rows costs little.
TILE_PIXELS = 4096
STRIP_PIXELS = 16384


class Step(NamedTuple):
    """A block and all it needs beside the pixel it works on.

    Attributes:
        block: the FIB.
        context: of its DRTM, (S, S, C); None without one.
        means: F_m of each dimension, (H or 1, W or 1, C); empty in the prose reading.
    """

    block: PackedBlock
    context: Tensor | None
    means: Mapping[str, Tensor]


class Engine:
    """A network prepared for pictures of one size.

    Features are (rows, W, C) with the number of their first row beside them.

    Args:
        network: on the CPU.
        height: of the picture, pixels.
        width: of the picture, pixels.
        workers: what runs the strips.

    Attributes:
        blocks: the packed FIBs.
        rows: H, rows of features.
        columns: W, columns of features.
        grid: where the DRTMs sample.
        samplers: DownSampler and UpSampler.
    """

    def __init__(self, network: IPL, height: int, width: int, workers: Workers) -> None:
        self.config = network.config
        self.blocks = [
            PackedBlock(fib, self.config) for fib in network.blocks if isinstance(fib, FIB)
        ]
        self.rows, self.columns = -(-height // self.config.factor), -(-width // self.config.factor)
        self.samplers = StripSamplers(network, height)
        dtype = next(network.parameters()).dtype
        self.grid = Grid(self.rows, self.columns, self.config, dtype)
        self._workers = workers

    def down(self, pixels: Tensor, first: int, features: Tensor, top: int) -> None:
        """Fill features from row `top` on.

        Args:
            pixels: (9, h, W), all rows that `samplers.pixel_rows` asks for.
            first: number of the first row of the pixels.
            features: where to write.
            top: number of the first row of the features.
        """

        def strip(here: tuple[int, int]) -> None:
            above, below = self.samplers.pixel_rows(*here)
            known = self.samplers.down(pixels[:, above - first : below - first], *here)
            features[here[0] - top : here[1] - top] = known

        self._workers.each(strip, self._strips(top, top + features.shape[0]))

    def integrate(
        self, features: Tensor, top: int, steps: Sequence[Step], total: Tensor | None
    ) -> None:
        """Run blocks in place, all on one tile before the next.

        Args:
            features: rows from number `top` on.
            top: number of the first row.
            steps: the blocks in turn.
            total: to which each block's result is added, like `features`; or None.
        """

        def strip(here: tuple[int, int]) -> None:
            rows = max(1, TILE_PIXELS // self.columns)
            scratch = Scratch(rows * self.columns, self.config, features.dtype)
            for first, last in _cuts(*here, rows):
                tile = features[first - top : last - top]
                for block, context, means in steps:
                    block.attend(tile, means_at(means, slice(first, last), slice(None)), scratch)
                    if context is not None:
                        self.grid.scale(tile, self.grid.spread(context, first, last))
                    if total is not None:
                        total[first - top : last - top] += tile

        self._workers.each(strip, self._strips(top, top + features.shape[0]))

    def up(
        self, features: Tensor, origin: int, run: tuple[int, int], reference: Tensor, out: Tensor
    ) -> None:
        """Gain times reference for a run of feature rows.

        Args:
            features: with the rows above and below the run, where the picture has them.
            origin: number of the first of these rows.
            run: first row and the one after the last.
            reference: (3, h, W), X2 in the pixels of the run.
            out: like `reference`, where to write.
        """
        factor = self.config.factor

        def strip(here: tuple[int, int]) -> None:
            top, bottom = here
            near = features[max(top - 1, 0) - origin : bottom + 1 - origin]
            gain = self.samplers.up(near, top, bottom)
            pixels = slice((top - run[0]) * factor, (bottom - run[0]) * factor)
            goal = out[:, pixels]
            gain = gain[:, : goal.shape[1], : goal.shape[2]]
            torch.mul(gain, reference[:, pixels], out=goal)

        self._workers.each(strip, self._strips(*run))

    def step(self, block: PackedBlock, samples: Tensor, means: Mapping[str, Tensor]) -> Step:
        """Run a block on the samples (2S, 2S, C), in place, to know its context."""
        here = means_at(means, self.grid.rows, self.grid.columns)
        (context,) = self._workers.each(
            lambda known: self.grid.context(known, block, here), [samples]
        )
        return Step(block, context, means)

    def _strips(self, top: int, bottom: int) -> list[tuple[int, int]]:
        return _cuts(top, bottom, max(1, STRIP_PIXELS // self.columns))


def means_at(
    means: Mapping[str, Tensor], rows: Tensor | slice, columns: Tensor | slice
) -> dict[str, Tensor]:
    """The part of each mean (H or 1, W or 1, C) that belongs to some rows and columns."""
    return {
        name: mean[rows] if name == "H" else mean[:, columns] if name == "W" else mean
        for name, mean in means.items()
    }


def _cuts(start: int, stop: int, length: int) -> list[tuple[int, int]]:
    return [(n, min(n + length, stop)) for n in range(start, stop, length)]
