"""The network: curves, alignment, and a U-Net that says whom to believe where."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from dmef_bench.ipl_plus.alignment import Alignment, enlarged, warp
from dmef_bench.ipl_plus.config import IPLPlusConfig
from dmef_bench.ipl_plus.layers import Residual, of_squares, starting_at_zero
from dmef_bench.ipl_plus.tone_curves import EVs, ToneCurves, inverse_responses
from synth.exposure import DEFAULT_EVS

# Heights and widths are padded to multiples of this inside.
MULTIPLE = 16
# Encoded values from which on the reference counts as clipped, fully so at 1.
NEARLY_CLIPPED = 0.95


@dataclass(frozen=True)
class Parts:
    """The fused picture and what it was made of, all (B, 3, H, W) at the truth's brightness.

    Attributes:
        fused: the result, not clipped.
        reference: the reference's estimate.
        low: the low exposure's, aligned to the reference.
        high: the high exposure's, aligned to the reference.
    """

    fused: Tensor
    reference: Tensor
    low: Tensor
    high: Tensor


class IPLPlus(nn.Module):
    """Fuses a bracket of moving exposures; any size.

    Args:
        config: sizes.
    """

    def __init__(self, config: IPLPlusConfig = IPLPlusConfig()) -> None:  # noqa: B008 - frozen
        super().__init__()
        self.config = config
        self.curves = ToneCurves(config.knots)
        if config.align:
            self.alignment = Alignment(config.features, config.radius, config.coarsest)
        self.judge = Judge(config.width)

    def forward(self, images: Tensor, evs: EVs = DEFAULT_EVS) -> Tensor:
        """(B, 3, 3, H, W) exposures in [0, 1] to the fused picture (B, 3, H, W), not clipped."""
        return self.parts(images, evs).fused

    def fused(self, images: Tensor, start: Tensor) -> Tensor:
        """The same from tensors alone, for what records or compiles a network.

        Args:
            images: (B, 3, 3, H, W) in [0, 1].
            start: (3, knots) float32: `inverse_responses` at the bracket's exposure values.
        """
        return self._parts(images, start).fused

    def parts(self, images: Tensor, evs: EVs = DEFAULT_EVS) -> Parts:
        """The same, with what it was made of.

        Args:
            images: (B, 3, 3, H, W) in [0, 1], low to high.
            evs: their exposure values relative to the ground truth.
        """
        return self._parts(images, inverse_responses(self.config.knots, evs, images.device))

    def _parts(self, images: Tensor, start: Tensor) -> Parts:
        height, width = images.shape[-2:]
        images = _padded(images)
        estimates = self.curves(images, start)
        reference, outer = estimates[:, 1], torch.cat([estimates[:, 0], estimates[:, 2]])
        if self.config.align:
            flow = self.alignment(images, estimates)
            outer = warp(outer, enlarged(flow, (images.shape[-2], images.shape[-1])))
        low, high = outer.chunk(2)
        fused = self.judge(reference, low, high, images[:, 1])
        cut = (..., slice(height), slice(width))
        return Parts(fused[cut], reference[cut], low[cut], high[cut])


class Judge(nn.Module):
    """For every pixel and channel: how much of the low and high exposure, and what to add.

    Starts at the reference's estimate, with the low exposure's where the reference is clipped.

    Args:
        width: channels at half resolution.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter, below = width, width * 3 // 2, width * 2
        self.entry = nn.Conv2d(12 * 4, half, 1)
        self.to_quarter = nn.Conv2d(half, quarter, 3, 2, 1)
        self.quarter_in = Residual(quarter)
        self.to_eighth = nn.Conv2d(quarter, below, 3, 2, 1)
        self.eighth_in = Residual(below)
        self.to_sixteenth = nn.Conv2d(below, below, 3, 2, 1)
        self.sixteenth = nn.Sequential(Residual(below), Residual(below))
        self.from_sixteenth = nn.Conv2d(2 * below, below, 1)
        self.eighth_out = Residual(below)
        self.from_eighth = nn.Conv2d(below + quarter, quarter, 1)
        self.quarter_out = Residual(quarter)
        self.from_quarter = nn.Conv2d(quarter + half, half, 1)
        self.half_out = Residual(half)
        self.exit = starting_at_zero(nn.Conv2d(half, 9 * 4, 1))
        self.trust = nn.Parameter(torch.tensor([-4.0, 2.0, -4.0]))

    def forward(self, reference: Tensor, low: Tensor, high: Tensor, encoded: Tensor) -> Tensor:
        """Estimates and the reference as it was encoded, all (B, 3, H, W), to the result."""
        known = torch.cat([reference, low, high, encoded], 1)
        half = functional.leaky_relu(of_squares(known, self.entry.weight, self.entry.bias), 0.1)
        quarter = self.quarter_in(functional.leaky_relu(self.to_quarter(half), 0.1))
        eighth = self.eighth_in(functional.leaky_relu(self.to_eighth(quarter), 0.1))
        y = self.sixteenth(functional.leaky_relu(self.to_sixteenth(eighth), 0.1))
        y = self.eighth_out(_joined(self.from_sixteenth, y, eighth))
        y = self.quarter_out(_joined(self.from_eighth, y, quarter))
        y = self.half_out(_joined(self.from_quarter, y, half))
        low_logit, high_logit, extra = functional.pixel_shuffle(self.exit(y), 2).chunk(3, 1)
        clipped = ((encoded - NEARLY_CLIPPED) / (1 - NEARLY_CLIPPED)).clamp(0, 1)
        low_share = torch.sigmoid(low_logit + self.trust[0] + self.trust[1] * clipped)
        high_share = torch.sigmoid(high_logit + self.trust[2])
        fused: Tensor = (
            reference
            + low_share * (low - reference)
            + high_share * (high - reference)
            + 0.1 * extra
        )
        return fused


def _joined(layer: nn.Conv2d, coarse: Tensor, fine: Tensor) -> Tensor:
    """The 1×1 layer of the coarse features, enlarged, beside the fine ones.

    The coarse ones pass it before they are enlarged, which is the same at a quarter of the cost.
    """
    of_coarse, of_fine = layer.weight[:, : coarse.shape[1]], layer.weight[:, coarse.shape[1] :]
    larger = functional.interpolate(
        functional.conv2d(coarse, of_coarse), scale_factor=2.0, mode="bilinear", align_corners=False
    )
    return functional.leaky_relu(larger + functional.conv2d(fine, of_fine, layer.bias), 0.1)


def _padded(images: Tensor) -> Tensor:
    down, right = -images.shape[-2] % MULTIPLE, -images.shape[-1] % MULTIPLE
    if not (down or right):
        return images
    flat = functional.pad(images.flatten(1, 2), (0, right, 0, down), mode="replicate")
    return flat.view(-1, 3, 3, *flat.shape[-2:])
