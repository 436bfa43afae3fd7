"""The IPL network: DownSampler, Feature Integration Blocks, UpSampler, gain times reference."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from torch import Tensor, nn
from torch.nn import functional

from dmef_bench.ipl.attention_cache import AttentionCache
from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.daem import DAEM, LocalFeatureExtractor
from dmef_bench.ipl.drtm import DRTM
from dmef_bench.ipl.in_context import gain_in_context

if TYPE_CHECKING:
    from dmef_bench.ipl.streaming import BracketRows


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
    """Feature Integration Block: F_DAEM + DRTM(F_DAEM) (eqs. 13, 14); see `IPLConfig.residual`."""

    def __init__(self, config: IPLConfig) -> None:
        super().__init__()
        self.daem = DAEM(config)
        self.drtm = DRTM(config.channels, config.drtm_size) if config.drtm else None
        self.residual = config.residual

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        attended: Tensor = self.daem(features)
        if self.drtm is None:
            return attended
        scaled: Tensor = self.drtm(attended)
        return attended + scaled if self.residual else scaled


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
        and where the weights change through `train`, `load_state_dict`, or `to` and its like; who
        changes them in another way clears it. It is no part of the state dict.

        Raises:
            ValueError: the cache compresses blocks with coders that were made for other blocks.
        """
        extractors = [
            (number, module)
            for number, block in enumerate(self.blocks)
            for module in block.modules()
            if isinstance(module, LocalFeatureExtractor)
        ]
        if cache is not None:
            cache.check({(n, each.dimension): each.squeeze.in_channels for n, each in extractors})
            cache.clear()
        self.attention_cache = cache
        used = None if cache is None or cache.mode == "off" else cache
        for number, module in extractors:
            module.cache, module.fib = used, number

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode; training empties the attention cache."""
        if mode and self.attention_cache is not None:
            self.attention_cache.clear()
        return super().train(mode)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Behind `to`, `half`, `cuda`: another dtype or device empties the attention cache."""
        before = next(self.parameters())
        kind = before.dtype, before.device
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        after = next(self.parameters())
        if self.attention_cache is not None and (after.dtype, after.device) != kind:
            self.attention_cache.clear()
        return self

    def gain(self, inputs: Tensor) -> Tensor:
        """The gain map (B, 3, H, W) for concatenated exposures (B, 9, H, W) of any size."""
        height, width = inputs.shape[-2:]
        return self.gain_of_cells(self.whole_cells(inputs))[..., :height, :width]

    def whole_cells(self, inputs: Tensor) -> Tensor:
        """Pictures with their border repeated up to multiples of the sampling factor."""
        height, width = inputs.shape[-2:]
        right, below = -width % self.config.factor, -height % self.config.factor
        if right or below:
            return functional.pad(inputs, (0, right, 0, below), mode="replicate")
        return inputs

    def gain_of_cells(self, inputs: Tensor) -> Tensor:
        """`gain` for heights and widths that are multiples of the sampling factor."""
        features: Tensor = self.down(inputs)
        total: Tensor | None = None
        for block in self.blocks:
            features = block(features)
            if self.config.final == "sum":
                total = features if total is None else total + features
        gain: Tensor = self.up(features if total is None else total)
        return gain

    def forward(
        self, images: Tensor, context: Tensor | None = None, place: Tensor | None = None
    ) -> Tensor:
        """Fuse brackets.

        Args:
            images: (B, 3, 3, H, W) in [0, 1]: batch, exposures X1, X2, X3, RGB; X2 is the
                reference.
            context: (B, 3, 3, h, w) small copies of the whole pictures that `images` are crops
                of, for DRTM to look at; None where they are no crops. For training.
            place: (B, 4) top, left, height and width of the crops as shares of their pictures.

        Returns:
            (B, 3, H, W), gain times X2, not clipped.
        """
        inputs = images.flatten(1, 2)
        if context is None or place is None:
            return self.gain(inputs) * images[:, 1]
        return gain_in_context(self, inputs, context.flatten(1, 2), place) * images[:, 1]

    def fuse_stream(
        self,
        source: "BracketRows",
        write: Callable[[int, Tensor], None],
        *,
        max_bytes: int = 2**30,
    ) -> None:
        """Fuse a bracket of any size by bands of rows in bounded memory, on a CPU.

        Args:
            source: where the rows come from; rows are read several times.
            write: called with the number of the first row and (3, rows, W), gain times X2, not
                clipped; from top to bottom, every row once.
            max_bytes: the most bytes of tensors at one time, beside what `source` and `write`
                hold.

        Raises:
            TooLittleMemoryError: `max_bytes` is too small; the message says how much is needed.
        """
        from dmef_bench.ipl.streaming import fuse_stream  # which is built on this class

        fuse_stream(self, source, write, max_bytes=max_bytes)


def _forget(network: nn.Module, _: object) -> None:
    if isinstance(network, IPL) and network.attention_cache is not None:
        network.attention_cache.clear()
