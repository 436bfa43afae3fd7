"""Everything between a bracket and its picture for one size: buffers, and the kernels in turn.

DRTM looks at 2S rows and 2S columns, and in the prose reading a block changes a pixel by that pixel
and its DRTM's context alone. So the blocks run on the sampled pixels first, which gives all
contexts; then one kernel takes a tile of pixels from the bracket through all blocks, and one more
from the features to the picture. Nothing here waits for the device, so that it can be captured.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from dmef_bench.gpu.padding import tile_width
from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.fast.cuda import kernels
from dmef_bench.ipl.fast.cuda.packing import INPUT_STEP, PackedNetwork


@dataclass(frozen=True)
class Tiles:
    """How the work is cut; changes the time, never the result. Not tuned on a GPU yet.

    Attributes:
        pixels: feature pixels in a tile of the two large kernels; a power of two, at least 16.
        samples: the same for the kernels on the sampled pixels.
        warps: groups of 32 threads that share a tile.
        stages: how many steps of a product are loaded ahead of it, this one included.
    """

    pixels: int = 64
    samples: int = 32
    warps: int = 4
    stages: int = 2

    @classmethod
    def default(cls, dtype: torch.dtype) -> "Tiles":
        """What leaves room for two tiles on a multiprocessor, or for one of float32."""
        return cls(stages=1 if dtype == torch.float32 else 2)


class Launches:
    """A packed network prepared for brackets of one shape and dtype.

    Args:
        weights: on the device.
        config: of the network; prose reading.
        images: (B, 3, 3, H, W) uint8 or float in [0, 1], contiguous, on the device; read at each
            `run`, so that new pictures are copied into it.
        out: (B, 3, H, W) float or uint8, contiguous; written at each `run`.
        clip: whether the result is clipped to [0, 1]; always so for uint8.
        tiles: how to cut the work; what suits the dtype where None.

    Raises:
        ValueError: a tensor is not contiguous.
    """

    def __init__(
        self,
        weights: PackedNetwork,
        config: IPLConfig,
        images: Tensor,
        out: Tensor,
        *,
        clip: bool,
        tiles: Tiles | None = None,
    ) -> None:
        if not (images.is_contiguous() and out.is_contiguous()):
            raise ValueError("kernels read and write contiguous tensors")
        self._weights, self._config = weights, config
        self._images, self._out = images, out
        self._clip, self._tiles = clip, tiles or Tiles.default(weights.dtype)
        self._batch, (self._height, self._width) = images.shape[0], images.shape[-2:]
        self._rows = -(-self._height // config.factor)
        self._columns = -(-self._width // config.factor)
        side, channels = config.drtm_size, config.channels
        self._features = images.new_empty(
            self._batch * self._rows * self._columns, channels, dtype=weights.dtype
        )
        sampled = (self._batch, side**2, channels) if config.drtm else (1, 1, 1)
        self._samples = images.new_empty(sampled[0], sampled[1], 4, sampled[2], dtype=torch.float32)
        self._rolled = images.new_empty(2, *sampled, dtype=weights.dtype)
        self._contexts = images.new_empty(config.blocks, *sampled, dtype=weights.dtype)

    def run(self) -> None:
        """Launch all kernels, from `images` to `out`."""
        if self._config.drtm:
            self._find_contexts()
        tiles, config, weights = self._tiles, self._config, self._weights
        grid = (-(-self._features.shape[0] // tiles.pixels),)
        kernels.trunk[grid](
            self._images, self._features, self._contexts,
            weights.down, weights.down_bias,
            weights.squeeze, weights.squeeze_bias, weights.excite, weights.excite_bias,
            self._batch, self._height, self._width, self._rows, self._columns,
            config.drtm_size / self._rows, config.drtm_size / self._columns,
            BLOCKS=config.blocks, D=len(config.dimensions), R=config.factor, C=config.channels,
            CP=tile_width(config.channels), KP=weights.down.shape[1], BK=INPUT_STEP,
            S=config.drtm_size, P=tiles.pixels, DRTM=config.drtm, SUM=config.final == "sum",
            EVEN=self._even, EIGHT_BIT=self._images.dtype == torch.uint8,
            num_warps=tiles.warps, num_stages=tiles.stages,
        )  # fmt: skip
        kernels.upsample[grid](
            self._features, self._images, self._out, weights.up, weights.up_bias,
            self._batch, self._height, self._width, self._rows, self._columns,
            R=config.factor, C=config.channels, CP=tile_width(config.channels),
            NP=weights.up.shape[2], P=tiles.pixels,
            CLIP=self._clip or self._out.dtype == torch.uint8,
            EIGHT_BIT=self._images.dtype == torch.uint8,
            EIGHT_BIT_OUT=self._out.dtype == torch.uint8,
            num_warps=tiles.warps, num_stages=tiles.stages,
        )  # fmt: skip

    @property
    def _even(self) -> bool:
        factor = self._config.factor
        return self._height % factor == 0 and self._width % factor == 0

    def _find_contexts(self) -> None:
        """Fill `contexts` (blocks, B, S², C) from the features where DRTM looks."""
        config, weights, tiles = self._config, self._weights, self._tiles
        side, channels = config.drtm_size, config.channels
        down = (self._rows / side, self._columns / side)
        up = (side / self._rows, side / self._columns)
        kernels.sample_features[(-(-4 * side**2 // tiles.samples), self._batch)](
            self._images, weights.down, weights.down_bias, self._samples,
            self._height, self._width, self._rows, self._columns, *down,
            R=config.factor, C=channels, CP=tile_width(channels), KP=weights.down.shape[1],
            BK=INPUT_STEP, S=side, P=tiles.samples, EVEN=self._even,
            EIGHT_BIT=self._images.dtype == torch.uint8,
            num_warps=tiles.warps, num_stages=tiles.stages,
        )  # fmt: skip
        grid = (-(-(side**2) // tiles.samples), self._batch)
        for block, mixers in enumerate(weights.mixers):
            kernels.sample_block[grid](
                self._samples, self._rolled[0], self._contexts, block,
                weights.squeeze, weights.squeeze_bias, weights.excite, weights.excite_bias,
                self._batch, self._rows, self._columns, *down, *up,
                D=len(config.dimensions), C=channels, CP=tile_width(channels), S=side,
                P=tiles.samples, FIRST=block == 0,
                num_warps=tiles.warps, num_stages=tiles.stages,
            )  # fmt: skip
            steps = (self._rolled[0], self._rolled[1], self._rolled[0], self._contexts[block])
            for (given, rolled), (weight, bias), k in zip(
                pairwise(steps), mixers, (channels, side, side), strict=True
            ):
                pixels = side**2 * channels // k
                kernels.roll[(-(-pixels // tiles.samples), self._batch)](
                    given, rolled, weight, bias, pixels,
                    K=k, KP=weight.shape[0], P=tiles.samples,
                    num_warps=tiles.warps, num_stages=tiles.stages,
                )  # fmt: skip
