"""TMRNet, the network of BracketIRE: frames aligned to the first, then taken up one by one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.bracketire.deformable import DeformableAlignment
from baselines.bracketire.optical_flow import SPyNet
from baselines.sampling import warp
from baselines.state_dict import StateDict, count_numbered

_DISPLAY_GAMMA: Final = 2.2


@dataclass(frozen=True)
class TMRNetConfig:
    """Sizes of a TMRNet; the defaults are the authors' (13,285,704 parameters).

    Attributes:
        channels: of a frame: 4 for packed Bayer, 3 for RGB.
        frames: how many there are, the reference first.
        features: width.
        blocks: residual blocks of feature extraction, of the shared step, of each frame's own
            step and of the reconstruction.
        flow: whether SPyNet leads the alignment; without it the flow is 0.
        groups: of the deformable convolution.
    """

    channels: int = 4
    frames: int = 5
    features: int = 64
    blocks: tuple[int, int, int, int] = (5, 16, 24, 5)
    flow: bool = True
    groups: int = 8


SMALL_RGB: Final = TMRNetConfig(channels=3, frames=3, features=16, blocks=(1, 6, 8, 3), flow=False)
"""235,403 parameters: the nearest natural size to the 0.2368 M the IPL paper prints."""


class ResidualBlock(nn.Module):
    """Two convolutions and a skip."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)
        for convolution in (self.conv1, self.conv2):
            nn.init.kaiming_normal_(convolution.weight)
            convolution.weight.data.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        correction: Tensor = self.conv2(functional.relu(self.conv1(x), inplace=True))
        return correction.add_(x)


class ResidualBlocks(nn.Module):
    """A convolution to the trunk's width, then residual blocks."""

    def __init__(self, inputs: int, features: int, blocks: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(inputs, features, 3, padding=1),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Sequential(*(ResidualBlock(features) for _ in range(blocks))),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, features, H, W)."""
        features: Tensor = self.main(x)
        return features


class TMRNet(nn.Module):
    """Temporally modulated recurrent network, any height and width.

    Source: Zhang et al., "Exposure Bracketing Is All You Need For A High-Quality Image", ICLR
    2025. Parameter names are those of the authors' checkpoints.
    """

    configurations: ClassVar[Mapping[str, TMRNetConfig]] = {
        "official": TMRNetConfig(),
        "official_rgb": TMRNetConfig(channels=3, frames=3),
        "ipl_table1": SMALL_RGB,
    }

    def __init__(self, config: TMRNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or TMRNetConfig()
        width = config.features
        extraction, shared, own, reconstruction = config.blocks
        if config.flow:
            self.spynet = SPyNet()
        self.dcn_alignment = DeformableAlignment(width, config.groups)
        self.feat_extract = ResidualBlocks(2 * config.channels, width, extraction)
        self.backbone = nn.ModuleDict({"backward": ResidualBlocks(3 * width, width, shared)})
        for frame in range(1, config.frames + 1):
            self.backbone[f"backward_rec_{frame}"] = ResidualBlocks(3 * width, width, own)
        self.learn_para = nn.Parameter(torch.zeros(1, config.frames, width, 1, 1))
        self.reconstruction = ResidualBlocks(2 * width, width, reconstruction)
        self.skipup1 = nn.ModuleDict(
            {"upsample_conv": nn.Conv2d(config.channels, width, 3, padding=1)}
        )
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, config.channels, 3, padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        """Restore the first frame from all of them.

        Args:
            frames: (B, T, C, H, W) linear and brought to one exposure, the reference first.

        Returns:
            (B, C, H, W) linear, unbounded.

        Raises:
            ValueError: another number of frames or channels than the configuration's.
        """
        batch, count, channels, height, width = frames.shape
        if (count, channels) != (self.config.frames, self.config.channels):
            raise ValueError(
                f"this TMRNet takes {self.config.frames} frames of {self.config.channels} "
                f"channels, got {count} of {channels}"
            )
        encoded = frames.clamp(min=0) ** (1 / _DISPLAY_GAMMA)
        interleaved = torch.stack((frames, encoded), 3).reshape(-1, 2 * channels, height, width)
        features = self.feat_extract(interleaved).reshape(batch, count, -1, height, width)
        first = features[:, 0]
        aligned = self._align(features, self._flow(frames))
        hidden = torch.zeros_like(first)
        for index, current in enumerate((first, *aligned.unbind(1))):
            step = torch.cat((first, current, hidden), 1)
            hidden = self.backbone["backward"](step).add_(hidden)
            own = self.backbone[f"backward_rec_{index + 1}"]
            correction = own(torch.cat((first, current, hidden), 1))
            hidden = torch.addcmul(hidden, correction, self.learn_para[:, index])
        restored = self.reconstruction(torch.cat((first, hidden), 1))
        restored = restored.add_(self.skipup1["upsample_conv"](frames[:, 0]))
        hidden = functional.leaky_relu(self.conv_hr(restored), 0.1, inplace=True)
        output: Tensor = self.conv_last(hidden)
        return output

    def _flow(self, frames: Tensor) -> Tensor:
        """(B · (T - 1), 2, H, W): where the reference's pixels lie in the other frames."""
        batch, count, channels, height, width = frames.shape
        others = batch * (count - 1)
        if not self.config.flow:
            return frames.new_zeros(others, 2, height, width)
        if channels == 4:
            red, blue = frames[:, :, :1], frames[:, :, 3:]
            frames = torch.cat((red, frames[:, :, 1:3].mean(2, keepdim=True), blue), 2)
        shown = frames.clamp(0, 1) ** (1 / _DISPLAY_GAMMA)
        reference = shown[:, :1].expand(-1, count - 1, -1, -1, -1)
        flow: Tensor = self.spynet(
            reference.reshape(others, 3, height, width),
            shown[:, 1:].reshape(others, 3, height, width),
        )
        return flow

    def _align(self, features: Tensor, flow: Tensor) -> Tensor:
        """(B, T, C, H, W) to the (B, T - 1, C, H, W) of all but the first, laid onto the first."""
        batch, count, *shape = features.shape
        reference = features[:, :1].expand(-1, count - 1, -1, -1, -1).reshape(-1, *shape)
        other = features[:, 1:].reshape(-1, *shape)
        warped = warp(other, flow) if self.config.flow else other
        aligned: Tensor = self.dcn_alignment(other, reference, warped, flow)
        return aligned.reshape(batch, count - 1, *shape)

    @staticmethod
    def config_of(state: StateDict) -> TMRNetConfig:
        """The configuration a checkpoint's shapes belong to."""
        features, channels = state["skipup1.upsample_conv.weight"].shape[:2]
        steps = ("feat_extract", "backbone.backward", "backbone.backward_rec_1", "reconstruction")
        extraction, shared, own, reconstruction = (
            count_numbered(state, f"{step}.main.2") for step in steps
        )
        return TMRNetConfig(
            channels=channels,
            frames=state["learn_para"].shape[1],
            features=features,
            blocks=(extraction, shared, own, reconstruction),
            flow="spynet.mean" in state,
            groups=features // state["dcn_alignment.deform_conv.weight"].shape[1],
        )
