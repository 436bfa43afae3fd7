"""Dimensional Attention Enhancement Module and its local feature extractor."""

from typing import cast

import torch
from torch import Tensor, nn

from dmef_bench.ipl.attention_cache import AttentionCache, Place
from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.slices import Dimension, block_means, scan, scan_each


class LocalFeatureExtractor(nn.Module):
    """LFE: two pointwise convolutions weigh a block (eqs. 1-3).

    One extractor serves all blocks of a dimension: "cyclic" scanning meets any number of blocks,
    so its weights can't depend on the block's place.

    Attributes:
        cache: what inference reads blocks from; None computes all. Set by `IPL.use_cache`.
        fib: number of the Feature Integration Block, part of a block's place in the cache.
    """

    cache: AttentionCache | None = None
    fib: int = 0

    def __init__(self, config: IPLConfig, dimension: Dimension) -> None:
        super().__init__()
        self.dimension = dimension
        self.reading = config.lfe
        self.size = {
            "C": config.channel_block, "W": config.width_block, "H": config.height_block
        }[dimension]  # fmt: skip
        width = config.channel_block if dimension == "C" else config.channels
        self.squeeze = nn.Conv2d(width, width, 1)
        self.excite = nn.Conv2d(width, width, 1)

    def weigh(self, blocks: Tensor) -> Tensor:
        """F_w of eq. 2 for blocks (N, c, h, w), in (0, 1)."""
        return torch.sigmoid(self.excite(torch.relu(self.squeeze(blocks))))

    def extract(self, block: Tensor) -> Tensor:
        """F_LFE of one block (1, c, h, w), to the same."""
        weights = self.weigh(block)
        if self.reading == "equation":
            return block.mean((-2, -1), keepdim=True) * weights
        return block * weights

    def forward(self, features: Tensor) -> Tensor:
        """F_LFE of all blocks of the dimension, (B, C, H, W) to the same."""
        cache = self.cache
        if cache is not None and not self.training and not torch.is_grad_enabled():
            return scan_each(
                features,
                self.dimension,
                self.size,
                lambda picture, index, block: cache.read(
                    Place(self.fib, self.dimension, picture, index), block, self.extract
                ),
            )
        weights = scan(features, self.dimension, self.size, self.weigh)
        if self.reading == "equation":
            return block_means(features, self.dimension, self.size) * weights
        return features * weights


class DAEM(nn.Module):
    """Sum over the sliced dimensions of their scanned local features."""

    def __init__(self, config: IPLConfig) -> None:
        super().__init__()
        self.extractors = nn.ModuleDict(
            {
                name: LocalFeatureExtractor(config, cast(Dimension, name))
                for name in config.dimensions
            }
        )

    def forward(self, features: Tensor) -> Tensor:
        """F_DAEM, (B, C, H, W); the input itself when no dimension is sliced."""
        outputs: list[Tensor] = [extractor(features) for extractor in self.extractors.values()]
        if not outputs:
            return features
        total = outputs[0]
        for output in outputs[1:]:
            total = total + output
        return total
