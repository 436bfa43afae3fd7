"""MEFLUT's network, whose answers to plain greys are the look-up tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.state_dict import StateDict, count_numbered

_SLOPE: Final = 0.2
_DILATIONS: Final = (2, 4, 8)


@dataclass(frozen=True)
class MEFLUTConfig:
    """Sizes of a MEFLUT network; the defaults are those of the authors' main program.

    Attributes:
        frames: exposures; each has a branch and a table of its own.
        width: channels.
        reduction: width over the hidden width of the channel attention.
    """

    frames: int = 3
    width: int = 24
    reduction: int = 8

    def __post_init__(self) -> None:
        if self.width < self.reduction:
            raise ValueError(f"width {self.width} is smaller than reduction {self.reduction}")


def _convolution(inputs: int, outputs: int, size: int = 3, dilation: int = 1) -> nn.Conv2d:
    # Continued by its border, a plain grey stays one: a table depends on no size of picture.
    return nn.Conv2d(
        inputs, outputs, size, padding=size // 2 * dilation, dilation=dilation, bias=False,
        padding_mode="replicate",
    )  # fmt: skip


class AdaptiveNorm(nn.Module):
    """A learned mixture of the features and their instance norm; at first the features alone."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.w_0 = nn.Parameter(torch.ones(1))
        self.w_1 = nn.Parameter(torch.zeros(1))
        self.in_norm = nn.InstanceNorm2d(features, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), more than one pixel, to the same."""
        return self.w_0 * x + self.w_1 * cast(Tensor, self.in_norm(x))


class ChannelAttention(nn.Module):
    """How much of each channel is kept, from the means of all."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(features, hidden, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(hidden, features, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to factors in (0, 1), (B, C, 1, 1)."""
        return cast(Tensor, self.conv(x.mean((2, 3), keepdim=True)))


class SpatialAttention(nn.Module):
    """How much of each pixel is kept, from the largest and the mean of its channels."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = _convolution(2, 1, 5)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        seen = torch.cat((x.amax(1, keepdim=True), x.mean(1, keepdim=True)), 1)
        return x * torch.sigmoid(self.spatial(seen))


class Skeleton(nn.Module):
    """Features of each exposure, reweighted by channel and then by exposure."""

    def __init__(self, config: MEFLUTConfig) -> None:
        super().__init__()
        width = config.width
        self.norm = AdaptiveNorm(width)
        self.head = nn.ModuleList(_convolution(inputs, width) for inputs in (1, width))
        self.flca = ChannelAttention(width, width // config.reduction)
        self.frw = ChannelAttention(config.frames, config.frames)

    def forward(self, luma: Tensor) -> Tensor:
        """(B, frames, h, w) to (B, frames, width, h, w)."""
        batch, frames, height, width = luma.shape
        x = luma.reshape(batch * frames, 1, height, width)
        first, second = self.head
        x = self.norm(second(functional.leaky_relu(self.norm(first(x)), _SLOPE)))
        x = functional.leaky_relu(x + x * self.flca(x), _SLOPE)
        # Exposures take the place of channels: one small network for each channel's means.
        by_channel = x.reshape(batch, frames, -1, height * width).transpose(1, 2)
        kept = self.frw(by_channel.reshape(-1, frames, height * width, 1))
        kept = kept.reshape(batch, -1, frames).transpose(1, 2)
        features = x.reshape(batch, frames, -1, height, width)
        return features * cast(Tensor, kept)[..., None, None]


class Branch(nn.Module):
    """One exposure's features to its weights, seen at three dilations."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = AdaptiveNorm(width)
        self.head = _convolution(width, width)
        self.bodies = nn.ModuleList(
            _convolution(width, width, dilation=dilation) for dilation in _DILATIONS
        )
        self.attentions = nn.ModuleList(SpatialAttention() for _ in _DILATIONS)
        self.conv11 = nn.Conv2d(len(_DILATIONS) * width, width, 1)
        self.tail = _convolution(width, width)
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) to (B, 1, h, w)."""
        x = functional.leaky_relu(self.norm(self.head(x)), _SLOPE)
        seen = [
            attention(self.norm(body(x)))
            for body, attention in zip(self.bodies, self.attentions, strict=True)
        ]
        x = functional.leaky_relu(self.conv11(torch.cat(seen, 1)) + x, _SLOPE)
        return cast(Tensor, self.out(functional.leaky_relu(self.norm(self.tail(x)), _SLOPE)))


class MEFLUT(nn.Module):
    """Weights of each exposure's pixels from their brightness, any height and width.

    Source: Jiang et al., "MEFLUT: Unsupervised 1D Lookup Tables for Multi-exposure Image Fusion",
    ICCV 2023.
    """

    configurations: ClassVar[Mapping[str, MEFLUTConfig]] = {"official": MEFLUTConfig()}

    def __init__(self, config: MEFLUTConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or MEFLUTConfig()
        self.skeleton = Skeleton(config)
        self.branch = nn.ModuleList(Branch(config.width) for _ in range(config.frames))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, luma: Tensor) -> Tensor:
        """Weigh the exposures of small pictures.

        Args:
            luma: (B, frames, h, w) in [0, 1], from the darkest exposure to the brightest.

        Returns:
            (B, frames, h, w), not yet filtered nor made to sum to 1.
        """
        features = self.skeleton(luma).unbind(1)
        return torch.cat([branch(x) for branch, x in zip(self.branch, features, strict=True)], 1)

    @staticmethod
    def config_of(state: StateDict) -> MEFLUTConfig:
        """The configuration a checkpoint's shapes belong to."""
        hidden, width = state["skeleton.flca.conv.0.weight"].shape[:2]
        return MEFLUTConfig(count_numbered(state, "branch"), width, width // hidden)
