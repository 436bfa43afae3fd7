"""Dimensional Rolling Transformation Module: the global context of a block."""

from torch import Tensor, nn
from torch.nn import functional


class DRTM(nn.Module):
    """Mixes channels, columns and rows of a fixed-size copy; its result scales the input.

    Source: eqs. 10-12. Three times [1×1 convolution, GELU, permute]; the permutation rolls
    (C, H, W) to (W, C, H), so that channel, width and height each stand once at the channel
    position and the third roll restores the order.
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.mixers = nn.ModuleList(nn.Conv2d(width, width, 1) for width in (channels, size, size))

    def context(self, features: Tensor) -> Tensor:
        """The map (B, C, S, S) computed from the features at fixed size."""
        return self.roll(_resize(features, (self.size, self.size)))

    def roll(self, rolled: Tensor) -> Tensor:
        """Three times [convolution, GELU, permute] on features at fixed size (B, C, S, S)."""
        for mix in self.mixers:
            # GELU after the roll gives the same values; on contiguous memory its backward pass
            # takes a quarter of the time.
            rolled = functional.gelu(mix(rolled).permute(0, 3, 1, 2).contiguous())
        return rolled

    def scale(self, features: Tensor, rolled: Tensor) -> Tensor:
        """Features (B, C, H, W) times a map (B, C, S, S) that covers them."""
        height, width = features.shape[-2:]
        return features * _resize(rolled, (height, width))

    def forward(self, features: Tensor) -> Tensor:
        """DRTM(F), (B, C, H, W) to the same."""
        return self.scale(features, self.context(features))


def _resize(features: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(features, size, mode="bilinear", align_corners=False)
