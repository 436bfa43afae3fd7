"""SAFNet's network: motion and masks from coarse to fine, an explicit merge, a refinement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.sampling import warp
from baselines.state_dict import StateDict

_LEVELS: Final = 4
# The pictures that motion is sought in have sides in multiples of the pyramid's whole reduction.
_MULTIPLE: Final = 2**_LEVELS
_REFINE_DILATIONS: Final = (1, 2, 4, 2, 1)
# Motion enters the refinement in units of this many pixels.
_MOTION_UNIT: Final = 20.0


@dataclass(frozen=True)
class SAFNetConfig:
    """Sizes of a SAFNet; the defaults are the authors' (1,120,849 parameters).

    Attributes:
        features: channels of each exposure's pyramid.
        refine_features: channels of the refinement, half of them for the reference and a quarter
            for each other exposure.
    """

    features: int = 40
    refine_features: int = 80

    def __post_init__(self) -> None:
        if self.refine_features % 4:
            raise ValueError(f"refine_features is {self.refine_features}, no multiple of 4")


class Motion(NamedTuple):
    """What the decoder finds, in float32 at least.

    Attributes:
        low: (B, 2, H, W) in pixels, column then row: where each pixel of the reference lies in
            the darkest exposure.
        high: the same for the brightest.
        low_mask: (B, 1, H, W) how much of the darkest exposure is wanted, before the sigmoid.
        high_mask: the same of the brightest.
    """

    low: Tensor
    high: Tensor
    low_mask: Tensor
    high_mask: Tensor


def _convolution(inputs: int, outputs: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, groups=groups), nn.PReLU(outputs))


class Encoder(nn.Module):
    """Features of one exposure in halves, quarters, eighths and sixteenths."""

    def __init__(self, features: int) -> None:
        super().__init__()

        def level(inputs: int) -> nn.Sequential:
            return nn.Sequential(
                _convolution(inputs, features, stride=2), _convolution(features, features)
            )

        self.pyramid1 = level(6)
        self.pyramid2 = level(features)
        self.pyramid3 = level(features)
        self.pyramid4 = level(features)

    def forward(self, exposure: Tensor) -> list[Tensor]:
        """(B, 6, H, W) to four (B, features, H / 2^n, W / 2^n), the largest first."""
        found = []
        for level in (self.pyramid1, self.pyramid2, self.pyramid3, self.pyramid4):
            exposure = level(exposure)
            found.append(exposure)
        return found


class Decoder(nn.Module):
    """Motion and masks of one level to those of the next, twice as large; shared by all levels."""

    def __init__(self, features: int) -> None:
        super().__init__()
        width = 3 * features
        self.conv1 = _convolution(width + 6, width)
        self.conv2 = _convolution(width, width, groups=3)
        self.conv3 = _convolution(width, width, groups=3)
        self.conv4 = _convolution(width, width, groups=3)
        self.conv5 = _convolution(width, width)
        self.conv6 = nn.ConvTranspose2d(width, 6, 4, 2, 1)

    def forward(self, low: Tensor, mid: Tensor, high: Tensor, motion: Motion) -> Motion:
        """Three (B, features, h, w) and their motion to the motion at (2h, 2w)."""
        seen = (warp(low, motion.low, "border"), mid, warp(high, motion.high, "border"))
        x = self.conv1(torch.cat((*seen, *(part.to(mid.dtype) for part in motion)), 1))
        for layer in (self.conv2, self.conv3, self.conv4):
            x = functional.channel_shuffle(layer(x), 3)
        change = self.conv6(self.conv5(x)).to(motion.low.dtype)
        low_motion, high_motion, low_mask, high_mask = change.split((2, 2, 1, 1), 1)
        return Motion(
            low_motion + 2 * _doubled(motion.low),
            high_motion + 2 * _doubled(motion.high),
            low_mask + _doubled(motion.low_mask),
            high_mask + _doubled(motion.high_mask),
        )


class ResidualBlock(nn.Module):
    """Two dilated convolutions around a skip."""

    def __init__(self, features: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv2d(features, features, 3, 1, dilation, dilation), nn.PReLU(features)
        )
        self.conv2 = nn.Conv2d(features, features, 3, 1, dilation, dilation)
        self.prelu = nn.PReLU(features)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        corrected: Tensor = self.prelu(x + self.conv2(self.conv1(x)))
        return corrected


class RefineNet(nn.Module):
    """What the merged picture lacks, from all exposures, their motion and masks."""

    def __init__(self, features: int) -> None:
        super().__init__()
        half, quarter = features // 2, features // 4
        self.conv0 = nn.Sequential(_convolution(6, quarter), _convolution(quarter, quarter))
        self.conv1 = nn.Sequential(_convolution(15, half), _convolution(half, half))
        self.conv2 = nn.Sequential(_convolution(6, quarter), _convolution(quarter, quarter))
        for number, dilation in enumerate(_REFINE_DILATIONS, 1):
            self.add_module(f"resblock{number}", ResidualBlock(features, dilation))
        self.conv3 = nn.Conv2d(features, 3, 3, padding=1)

    def forward(
        self, low: Tensor, mid: Tensor, high: Tensor, motion: Motion, merged: Tensor
    ) -> Tensor:
        """Three (B, 6, H, W), motion whose masks are in [0, 1], the merged (B, 3, H, W); to it."""
        hints = (
            motion.low / _MOTION_UNIT, motion.high / _MOTION_UNIT, *motion[2:], merged,
        )  # fmt: skip
        x = torch.cat(
            (
                warp(self.conv0(low), motion.low, "border"),
                self.conv1(torch.cat((mid, *(hint.to(mid.dtype) for hint in hints)), 1)),
                warp(self.conv2(high), motion.high, "border"),
            ),
            1,
        )
        for number in range(1, len(_REFINE_DILATIONS) + 1):
            x = self.get_submodule(f"resblock{number}")(x)
        correction: Tensor = self.conv3(x)
        return (merged + correction).clamp(0, 1)


class SAFNet(nn.Module):
    """Selective alignment fusion network, any height and width.

    Source: Kong et al., "SAFNet: Selective Alignment Fusion Network for Efficient HDR Imaging",
    ECCV 2024. Parameter names are those of the authors' checkpoints.
    """

    configurations: ClassVar[Mapping[str, SAFNetConfig]] = {"official": SAFNetConfig()}

    def __init__(self, config: SAFNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SAFNetConfig()
        self.encoder = Encoder(config.features)
        self.decoder = Decoder(config.features)
        self.refinenet = RefineNet(config.refine_features)

    def forward(
        self, low: Tensor, mid: Tensor, high: Tensor, scale_factor: float = 0.5
    ) -> tuple[Tensor, Tensor]:
        """Fuse three exposures.

        Args:
            low: (B, 6, H, W), linear then LDR RGB.
            mid: the same of the reference exposure.
            high: the same of the brightest exposure.
            scale_factor: size of the pictures that motion is sought in over that of these.

        Returns:
            (B, 3, H, W) of the linear pictures merged, and the same refined, in [0, 1].
        """
        motion = self.motion(low, mid, high, scale_factor)
        merged = merge(
            warp(low[:, :3], motion.low, "border"),
            mid,
            warp(high[:, :3], motion.high, "border"),
            motion,
        )
        return merged, self.refinenet(low, mid, high, motion, merged)

    def motion(self, low: Tensor, mid: Tensor, high: Tensor, scale_factor: float) -> Motion:
        """Motion at the exposures' own size, masks in [0, 1]; see `forward`."""
        size = mid.shape[-2:]
        fitted = [-int(-length * scale_factor // _MULTIPLE) * _MULTIPLE for length in size]
        pyramids = [self.encoder(_resized(exposure, fitted)) for exposure in (low, mid, high)]
        height, width = pyramids[0][-1].shape[-2:]
        exact = torch.promote_types(mid.dtype, torch.float32)
        none = torch.zeros(len(mid), 2, height, width, device=mid.device, dtype=exact)
        found = Motion(none, none, none[:, :1], none[:, :1])
        for level in zip(*(reversed(pyramid) for pyramid in pyramids), strict=True):
            found = self.decoder(*level, found)
        unit = found.low.new_tensor((size[1] / fitted[1], size[0] / fitted[0]))[:, None, None]
        return Motion(
            _resized(found.low, size) * unit,
            _resized(found.high, size) * unit,
            _resized(found.low_mask, size).sigmoid(),
            _resized(found.high_mask, size).sigmoid(),
        )

    @staticmethod
    def config_of(state: StateDict) -> SAFNetConfig:
        """The configuration a checkpoint's shapes belong to."""
        return SAFNetConfig(
            features=state["encoder.pyramid1.0.0.weight"].shape[0],
            refine_features=state["refinenet.conv3.weight"].shape[1],
        )


def merge(low: Tensor, mid: Tensor, high: Tensor, motion: Motion) -> Tensor:
    """Weighted mean of linear pictures by how well the reference shows each pixel.

    A middling value of the reference speaks for itself alone. The nearer to white it is, the more
    the darkest exposure replaces it; the nearer to black, the more the brightest does; both only
    as far as their masks allow.

    Args:
        low: (B, 3, H, W) linear, already where the reference is.
        mid: (B, 6, H, W) reference, linear then LDR.
        high: as `low`.
        motion: of which the masks in [0, 1] are used.

    Returns:
        (B, 3, H, W).
    """
    linear, shown = mid[:, :3], mid[:, 3:]
    bright = (2 * shown - 1).clamp(min=0)
    dark = (1 - 2 * shown).clamp(min=0)
    from_low = bright * motion.low_mask.to(mid.dtype)
    from_high = dark * motion.high_mask.to(mid.dtype)
    return from_low * low + from_high * high + (1 - from_low - from_high) * linear


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _resized(x: Tensor, size: list[int] | torch.Size) -> Tensor:
    return functional.interpolate(x, list(size), mode="bilinear", align_corners=False)
