"""AHDRNet's network: attention on the outer exposures, three dilated residual dense blocks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.state_dict import StateDict, count_numbered


@dataclass(frozen=True)
class AHDRNetConfig:
    """Sizes of an AHDRNet; the defaults are the authors' (1,515,139 parameters).

    Attributes:
        inputs: channels of each of the three inputs (LDR and linear picture: 6).
        features: width of the trunk.
        dense_layers: layers in each residual dense block.
        growth: channels each dense layer adds.
        attention_convolution: keep the two convolutions the authors declare and never use, so
            that their checkpoints load strictly.
    """

    inputs: int = 6
    features: int = 64
    dense_layers: int = 6
    growth: int = 32
    attention_convolution: bool = True


class DenseLayer(nn.Module):
    """A dilated convolution whose output is appended to its input."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, growth, 3, padding=2, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C + growth, H, W)."""
        return torch.cat((x, self.grown(x)), 1)

    def grown(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to what is appended to it, (B, growth, H, W)."""
        return functional.relu(self.conv(x), inplace=True)


class ResidualDenseBlock(nn.Module):
    """Dense layers, a 1×1 convolution back to the trunk's width, and a skip."""

    def __init__(self, config: AHDRNetConfig) -> None:
        super().__init__()
        width = config.features + config.dense_layers * config.growth
        self.dense_layers = nn.Sequential(
            *(
                DenseLayer(config.features + layer * config.growth, config.growth)
                for layer in range(config.dense_layers)
            )
        )
        self.conv_1x1 = nn.Conv2d(width, config.features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        dense = self.dense_layers(x) if torch.is_grad_enabled() else self._without_copies(x)
        fused: Tensor = self.conv_1x1(dense)
        return fused.add_(x)

    def _without_copies(self, x: Tensor) -> Tensor:
        """What the dense layers give, each written behind the others instead of concatenated."""
        batch, filled, height, width = x.shape
        dense = x.new_empty(batch, self.conv_1x1.in_channels, height, width)
        dense[:, :filled] = x
        for layer in cast(Iterable[DenseLayer], self.dense_layers):
            grown = layer.grown(dense[:, :filled])
            dense[:, filled : filled + grown.shape[1]] = grown
            filled += grown.shape[1]
        return dense


class AHDRNet(nn.Module):
    """Attention-guided HDR network, any height and width.

    Source: Yan et al., "Attention-guided Network for Ghost-free High Dynamic Range Imaging",
    CVPR 2019. Parameter names are those of the authors' checkpoints.
    """

    configurations: ClassVar[Mapping[str, AHDRNetConfig]] = {
        "official": AHDRNetConfig(),
        "ipl_table1": AHDRNetConfig(inputs=3, dense_layers=5),
    }

    def __init__(self, config: AHDRNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or AHDRNetConfig()
        width = config.features
        self.conv1 = nn.Conv2d(config.inputs, width, 3, padding=1)
        self.conv2 = nn.Conv2d(3 * width, width, 3, padding=1)
        self.att11 = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.att12 = nn.Conv2d(2 * width, width, 3, padding=1)
        self.att31 = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.att32 = nn.Conv2d(2 * width, width, 3, padding=1)
        if config.attention_convolution:
            self.attConv1 = nn.Conv2d(width, width, 3, padding=1)
            self.attConv3 = nn.Conv2d(width, width, 3, padding=1)
        self.RDB1 = ResidualDenseBlock(config)
        self.RDB2 = ResidualDenseBlock(config)
        self.RDB3 = ResidualDenseBlock(config)
        self.GFF_1x1 = nn.Conv2d(3 * width, width, 1)
        self.GFF_3x3 = nn.Conv2d(width, width, 3, padding=1)
        self.conv_up = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, short: Tensor, reference: Tensor, long: Tensor) -> Tensor:
        """Three (B, inputs, H, W), LDR then linear RGB, to (B, 3, H, W) in (0, 1)."""
        low, mid, high = self.embedded(short), self.embedded(reference), self.embedded(long)
        low, high = self.attended(low, mid, high)
        return self.merged(low, mid, high)

    def embedded(self, exposure: Tensor) -> Tensor:
        """Features of an exposure: (B, inputs, H, W) to (B, features, H, W)."""
        return functional.leaky_relu(self.conv1(exposure), inplace=True)

    def attended(self, low: Tensor, mid: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """The outer exposures' features, each weighted by its attention to the reference's."""
        return (
            low * self._attention(low, mid, self.att11, self.att12),
            high * self._attention(high, mid, self.att31, self.att32),
        )

    def merged(self, low: Tensor, mid: Tensor, high: Tensor) -> Tensor:
        """Attended features and the reference's to (B, 3, H, W) in (0, 1)."""
        first = self.RDB1(self.conv2(torch.cat((low, mid, high), 1)))
        second = self.RDB2(first)
        third = self.RDB3(second)
        fused = self.GFF_3x3(self.GFF_1x1(torch.cat((first, second, third), 1)))
        return torch.sigmoid_(self.conv3(self.conv_up(fused.add_(mid))))

    @staticmethod
    def _attention(other: Tensor, reference: Tensor, first: nn.Module, last: nn.Module) -> Tensor:
        hidden = functional.leaky_relu(first(torch.cat((other, reference), 1)), inplace=True)
        return torch.sigmoid_(last(hidden))

    @staticmethod
    def config_of(state: StateDict) -> AHDRNetConfig:
        """The configuration a checkpoint's shapes belong to."""
        features, inputs = state["conv1.weight"].shape[:2]
        return AHDRNetConfig(
            inputs=inputs,
            features=features,
            dense_layers=count_numbered(state, "RDB1.dense_layers"),
            growth=state["RDB1.dense_layers.0.conv.weight"].shape[0],
            attention_convolution="attConv1.weight" in state,
        )
