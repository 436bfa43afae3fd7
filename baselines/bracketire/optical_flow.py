"""SPyNet: optical flow from coarse to fine."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.sampling import warp

_LEVELS = 6
_COARSEST = 2 ** (_LEVELS - 1)
# ImageNet's mean and standard deviation, which SPyNet's training pictures were normalised with.
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class FlowResidual(nn.Module):
    """Five 7×7 convolutions that correct the flow on one level."""

    def __init__(self) -> None:
        super().__init__()
        widths = (8, 32, 64, 32, 16, 2)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 7, padding=3), nn.ReLU()]
        self.basic_module = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """(B, 8, H, W): reference, warped other and flow, to a correction (B, 2, H, W)."""
        correction: Tensor = self.basic_module(x)
        return correction


class SPyNet(nn.Module):
    """Spatial pyramid network of six levels (1,440,300 parameters), any height and width.

    Source: Ranjan and Black, "Optical Flow Estimation using a Spatial Pyramid Network", CVPR
    2017. Parameter names are those of BracketIRE's checkpoints.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.basic_module = nn.ModuleList(FlowResidual() for _ in range(_LEVELS))
        self.register_buffer("mean", torch.tensor(_MEAN)[None, :, None, None])
        self.register_buffer("std", torch.tensor(_DEVIATION)[None, :, None, None])

    def forward(self, reference: Tensor, other: Tensor) -> Tensor:
        """Where each pixel of the reference lies in the other picture.

        Args:
            reference: (B, 3, H, W) RGB in [0, 1].
            other: the same.

        Returns:
            (B, 2, H, W) in pixels, column then row.
        """
        height, width = reference.shape[-2:]
        fitted = tuple(-(-length // _COARSEST) * _COARSEST for length in (height, width))
        pyramids = [self._pyramid(_resized(picture, fitted)) for picture in (reference, other)]
        flow = pyramids[0][0].new_zeros(len(reference), 2, *pyramids[0][0].shape[-2:])
        for level, (fixed, moving) in enumerate(zip(*pyramids, strict=True)):
            if level:
                flow = 2 * functional.interpolate(
                    flow, scale_factor=2, mode="bilinear", align_corners=True
                )
            seen = torch.cat((fixed, warp(moving, flow, "border"), flow), 1)
            flow = flow + self.basic_module[level](seen)
        scale = flow.new_tensor((width / fitted[1], height / fitted[0]))
        return _resized(flow, (height, width)) * scale[:, None, None]

    def _pyramid(self, picture: Tensor) -> list[Tensor]:
        """The normalised picture in six sizes, smallest first."""
        sizes = [(picture - self.mean) / self.std]
        for _ in range(_LEVELS - 1):
            sizes.append(functional.avg_pool2d(sizes[-1], 2))
        return sizes[::-1]


def _resized(x: Tensor, size: tuple[int, ...]) -> Tensor:
    return functional.interpolate(x, size, mode="bilinear", align_corners=False)
