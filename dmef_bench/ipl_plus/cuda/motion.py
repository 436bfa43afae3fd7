"""The alignment as launches: a pyramid of features and pictures down, a flow back up."""

from itertools import pairwise

import torch
from torch import Tensor

from dmef_bench.gpu.padding import tile_width
from dmef_bench.ipl_plus.config import IPLPlusConfig
from dmef_bench.ipl_plus.cuda import motion_kernels
from dmef_bench.ipl_plus.cuda.convolutions import Size, Tiles, convolve
from dmef_bench.ipl_plus.cuda.packing import PackedAlignment, stored


class Motion:
    """A packed alignment prepared for one size.

    Args:
        weights: on the device.
        config: of the network.
        size: of the features at their finest level, one image a bracket.
        dtype: of the features.
        tiles: how to cut the work.

    Attributes:
        entered: (3B, pixels of an image, channels) the first layer's result, to be written before
            `run`: low exposures, references, high ones.
        pictures: (4B, pixels of an image, 4) float32, to be written before `run`: `comparable`'s.
        flow: (2B, pixels of an image, 2) float32, what `run` writes.
    """

    def __init__(
        self,
        weights: PackedAlignment,
        config: IPLPlusConfig,
        size: Size,
        dtype: torch.dtype,
        tiles: Tiles,
    ) -> None:
        self._weights, self._config, self._tiles = weights, config, tiles
        self._batch, device = size.images, weights.entry.device
        self._levels = [size]
        while min(self._levels[-1].rows, self._levels[-1].columns) > config.coarsest:
            self._levels.append(self._levels[-1].halved())
        width, cells = stored(config.features), size.rows * size.columns
        self._shares = (2 * config.radius + 1) ** 2
        self._shares_width = tile_width(self._shares)
        known = weights.head[0].inputs

        def features(images: int, channels: int, pixels: int = cells) -> Tensor:
            return torch.empty(images, pixels, channels, dtype=dtype, device=device)

        def numbers(images: int, channels: int, pixels: int = cells) -> Tensor:
            return torch.empty(images, pixels, channels, dtype=torch.float32, device=device)

        pixels = [level.rows * level.columns for level in self._levels]
        pairs = 2 * self._batch
        self.entered, self._inner = (features(3 * self._batch, width) for _ in range(2))
        self._features = [features(3 * self._batch, width, count) for count in pixels]
        self._pictures = [numbers(4 * self._batch, 4, count) for count in pixels]
        self._flows = [numbers(pairs, 2, count) for count in pixels]
        self._fetched, self._shifts = numbers(pairs, 4), numbers(pairs, 2)
        self._difference = numbers(pairs, self._shares_width)
        self._known = features(pairs, known).zero_()  # some of its channels are never written
        self._hidden = [features(pairs, layer.outputs) for layer in weights.head[:3]]
        self.pictures, self.flow = self._pictures[0], self._flows[0]

    def run(self) -> None:
        """Launch all kernels, from `entered` and `pictures` to `flow`."""
        self._describe(0)
        for level, (finer, coarser) in enumerate(pairwise(self._levels)):
            self._halve(level, finer, coarser)
            self._describe(level + 1)
        for level in reversed(range(len(self._levels))):
            self._fetch(level)
            self._match(level)
            self._correct(level)

    def _describe(self, level: int) -> None:
        """The block that every level's features pass, from `entered`."""
        first, second = self._weights.same
        size = self._of(level, 3)
        convolve(first, self.entered, size, self._inner, self._tiles, leaky=True)
        out = self._features[level]
        convolve(second, self._inner, size, out, self._tiles, residual=self.entered)

    def _halve(self, level: int, finer: Size, coarser: Size) -> None:
        down, size = self._weights.down, self._of(level, 3)
        convolve(down, self._features[level], size, self.entered, self._tiles, leaky=True)
        pictures = Size(4 * self._batch, coarser.rows, coarser.columns)
        motion_kernels.halve[pictures.grid(self._tiles.gathered)](
            self._pictures[level], self._pictures[level + 1], finer.rows, finer.columns,
            P=self._tiles.gathered, num_warps=1,
        )  # fmt: skip

    def _fetch(self, level: int) -> None:
        size, coarsest = self._of(level, 2), level + 1 == len(self._levels)
        coarse = self._levels[level if coarsest else level + 1]
        motion_kernels.fetch[size.grid(self._tiles.gathered)](
            self._flows[level if coarsest else level + 1], self._features[level],
            self._pictures[level], self._flows[level], self._fetched, self._known,
            self._batch, size.rows, size.columns, coarse.rows, coarse.columns,
            size.rows / coarse.rows, size.columns / coarse.columns,
            F=self._config.features, STORED=self._features[level].shape[2],
            FP=tile_width(self._config.features), KNOWN=self._known.shape[2],
            P=self._tiles.gathered, FIRST=coarsest, num_warps=self._tiles.warps,
        )  # fmt: skip

    def _match(self, level: int) -> None:
        size, tiles, config = self._of(level, 2), self._tiles, self._config
        grid, about = size.grid(tiles.gathered), (size.rows, size.columns)
        motion_kernels.differ[grid](
            self._pictures[level], self._fetched, self._difference, *about,
            R=config.radius, SP=self._shares_width, P=tiles.gathered, num_warps=tiles.warps,
        )  # fmt: skip
        motion_kernels.share[grid](
            self._difference, self._weights.sharpness, self._shifts, self._known, *about,
            F=config.features, KNOWN=self._known.shape[2], R=config.radius, SP=self._shares_width,
            P=tiles.gathered, num_warps=tiles.warps,
        )  # fmt: skip
        motion_kernels.settle[grid](
            self._shifts, self._flows[level], self._known, *about,
            TOLD=2 * config.features + self._shares, KNOWN=self._known.shape[2],
            P=tiles.gathered, num_warps=1,
        )  # fmt: skip

    def _correct(self, level: int) -> None:
        size, flow = self._of(level, 2), self._flows[level]
        *layers, last = self._weights.head
        source = self._known
        for layer, hidden in zip(layers, self._hidden, strict=True):
            convolve(layer, source, size, hidden, self._tiles, leaky=True)
            source = hidden
        convolve(last, source, size, flow, self._tiles, residual=flow)

    def _of(self, level: int, each: int) -> Size:
        """A level with so many images for each bracket."""
        size = self._levels[level]
        return Size(each * self._batch, size.rows, size.columns)
