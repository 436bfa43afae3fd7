"""BridgeNet, the network of FSHDR: two bridges between neighbouring exposures, then SDC blocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.state_dict import StateDict


@dataclass(frozen=True)
class BridgeNetConfig:
    """Sizes of a BridgeNet; the defaults are the authors' (1,833,603 parameters).

    Attributes:
        inputs: channels of each of the three exposures in the input.
        features: width of every convolution.
    """

    inputs: int = 6
    features: int = 64


class StackedDilatedConvolution(nn.Module):
    """SDC: three dilated convolutions side by side, concatenated."""

    def __init__(self, inputs: int, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, features, 3, padding=1, dilation=1)
        self.conv2 = nn.Conv2d(inputs, features, 3, padding=2, dilation=2)
        self.conv3 = nn.Conv2d(inputs, features, 3, padding=3, dilation=3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, 3 · features, H, W)."""
        outputs = [convolution(x) for convolution in (self.conv1, self.conv2, self.conv3)]
        return functional.leaky_relu(torch.cat(outputs, 1), 0.3, inplace=True)


class BridgeNet(nn.Module):
    """The fusion network of FSHDR, any height and width.

    Called FSHDR only together with flow-aligned inputs and the two training stages.
    Source: Prabhakar et al., "Labeled from Unlabeled: Exploiting Unlabeled Data for Few-shot Deep
    HDR Deghosting", CVPR 2021.
    """

    configurations: ClassVar[Mapping[str, BridgeNetConfig]] = {
        "official": BridgeNetConfig(),
        "ipl_table1": BridgeNetConfig(inputs=3),
    }

    def __init__(self, config: BridgeNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or BridgeNetConfig()
        width = config.features

        def convolutions(count: int, inputs: int) -> nn.ModuleList:
            return nn.ModuleList(nn.Conv2d(inputs, width, 3, padding=1) for _ in range(count))

        self.a = convolutions(3, config.inputs)
        self.s_a = convolutions(2, 2 * width)
        self.b = convolutions(3, width)
        self.s_b = convolutions(2, 3 * width)
        self.c = convolutions(3, width)
        self.s_c = convolutions(2, 3 * width)
        self.sdc1 = StackedDilatedConvolution(3 * width, width)
        self.sdc2 = StackedDilatedConvolution(6 * width, width)
        self.out = nn.Conv2d(9 * width, 3, 3, padding=1)

    def forward(self, exposures: Tensor) -> Tensor:
        """Fuse low, mid and high exposure.

        Args:
            exposures: (B, 3 · inputs, H, W): low, mid, high, each LDR RGB then linear RGB.

        Returns:
            (B, 3, H, W) in (0, 1).
        """
        frames = list(exposures.chunk(3, 1))
        bridges: list[Tensor] = []
        for stage, bridge in ((self.a, self.s_a), (self.b, self.s_b), (self.c, self.s_c)):
            frames = [
                functional.leaky_relu(convolution(frame), 0.2, inplace=True)
                for convolution, frame in zip(stage, frames, strict=True)
            ]
            pairs = [[frames[0], frames[1]], [frames[1], frames[2]]]
            for pair, carried in zip(pairs, bridges, strict=False):
                pair.append(carried)
            bridges = [
                functional.leaky_relu(convolution(torch.cat(pair, 1)), 0.2, inplace=True)
                for convolution, pair in zip(bridge, pairs, strict=True)
            ]
        trunk = torch.cat((frames[1], *bridges), 1)
        first: Tensor = self.sdc1(trunk)
        second: Tensor = self.sdc2(torch.cat((trunk, first), 1))
        return torch.sigmoid_(self.out(torch.cat((trunk, first, second), 1)))

    @staticmethod
    def config_of(state: StateDict) -> BridgeNetConfig:
        """The configuration a checkpoint's shapes belong to."""
        features, inputs = state["a.0.weight"].shape[:2]
        return BridgeNetConfig(inputs=inputs, features=features)
