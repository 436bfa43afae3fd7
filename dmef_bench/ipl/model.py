"""The IPL network: DownSampler, Feature Integration Blocks, UpSampler, gain times reference."""

from typing import Self

from torch import Tensor, nn
from torch.nn import functional

from dmef_bench.ipl.attention_cache import AttentionCache
from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.daem import DAEM, LocalFeatureExtractor
from dmef_bench.ipl.drtm import DRTM


class DownSampler(nn.Sequential):
    """Sub-pixel layer (space to depth) and a 3×3 convolution: (B, 9, H, W) to (B, C, H/r, W/r)."""

    def __init__(self, config: IPLConfig) -> None:
        inputs = 9 * config.factor**2
        super().__init__(
            nn.PixelUnshuffle(config.factor), nn.Conv2d(inputs, config.channels, 3, padding=1)
        )


class UpSampler(nn.Sequential):
    """3×3 convolution and a sub-pixel layer: (B, C, H/r, W/r) to a gain map (B, 3, H, W).

    It starts at gain 1: an untrained IPL copies its reference.
    """

    def __init__(self, config: IPLConfig) -> None:
        convolution = nn.Conv2d(config.channels, 3 * config.factor**2, 3, padding=1)
        nn.init.zeros_(convolution.weight)
        if convolution.bias is not None:
            nn.init.ones_(convolution.bias)
        super().__init__(convolution, nn.PixelShuffle(config.factor))


class FIB(nn.Module):
    """Feature Integration Block: F_DAEM + DRTM(F_DAEM) (eqs. 13, 14)."""

    def __init__(self, config: IPLConfig) -> None:
        super().__init__()
        self.daem = DAEM(config)
        self.drtm = DRTM(config.channels, config.drtm_size) if config.drtm else None

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        attended: Tensor = self.daem(features)
        return attended if self.drtm is None else attended + self.drtm(attended)


class IPL(nn.Module):
    """Infinite Pixel Learning, as the paper reads; without an attention cache unless given one.

    Attributes:
        attention_cache: what `use_cache` was given.

    Source: Chen et al., AAAI 2025, doi 10.1609/aaai.v39i2.32224.
    """

    attention_cache: AttentionCache | None = None

    def __init__(self, config: IPLConfig | None = None) -> None:
        super().__init__()
        self.config = config or IPLConfig()
        self.down = DownSampler(self.config)
        self.blocks = nn.ModuleList(FIB(self.config) for _ in range(self.config.blocks))
        self.up = UpSampler(self.config)
        self.register_load_state_dict_post_hook(_forget)  # type: ignore[no-untyped-call]

    def use_cache(self, cache: AttentionCache | None) -> None:
        """Read blocks through an attention cache from now on; None computes all again.

        The cache serves inference alone: evaluation mode with gradients off. It is cleared now,
        and where the weights change through `train` or `load_state_dict`; who changes them in
        another way clears it. It is no part of the state dict.
        """
        if cache is not None:
            cache.clear()
        self.attention_cache = cache
        used = None if cache is None or cache.mode == "off" else cache
        for number, block in enumerate(self.blocks):
            for module in block.modules():
                if isinstance(module, LocalFeatureExtractor):
                    module.cache, module.fib = used, number

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode; training empties the attention cache."""
        if mode and self.attention_cache is not None:
            self.attention_cache.clear()
        return super().train(mode)

    def gain(self, inputs: Tensor) -> Tensor:
        """The gain map (B, 3, H, W) for concatenated exposures (B, 9, H, W) of any size."""
        height, width = inputs.shape[-2:]
        right, below = -width % self.config.factor, -height % self.config.factor
        if right or below:
            inputs = functional.pad(inputs, (0, right, 0, below), mode="replicate")
        features: Tensor = self.down(inputs)
        total: Tensor | None = None
        for block in self.blocks:
            features = block(features)
            if self.config.final == "sum":
                total = features if total is None else total + features
        gain: Tensor = self.up(features if total is None else total)
        return gain[..., :height, :width]

    def forward(self, images: Tensor) -> Tensor:
        """Fuse brackets.

        Args:
            images: (B, 3, 3, H, W) in [0, 1]: batch, exposures X1, X2, X3, RGB; X2 is the
                reference.

        Returns:
            (B, 3, H, W), gain times X2, not clipped.
        """
        return self.gain(images.flatten(1, 2)) * images[:, 1]


def _forget(network: nn.Module, _: object) -> None:
    if isinstance(network, IPL) and network.attention_cache is not None:
        network.attention_cache.clear()
