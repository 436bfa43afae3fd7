"""Modulated deformable convolution in plain torch, and by torchvision's operator where it loads."""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.sampling import pixel_grid, sample

Kernel = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


def deformable_convolution(
    x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, bias: Tensor
) -> Tensor:
    """A convolution whose every tap reads `x` at a place, and with a weight, of its own.

    Stride 1, padded by zeros to the same size. The channels of `x` are split evenly among the
    offset groups.

    Args:
        x: (B, C, H, W).
        offset: (B, G · K · 2, H, W) in pixels: row, then column, for each of the K = k·k taps of
            each of the G offset groups.
        mask: (B, G · K, H, W) factor of each tap.
        weight: (O, C / groups, k, k), k odd.
        bias: (O,).

    Returns:
        (B, O, H, W).

    Source: Zhu et al., "Deformable ConvNets v2", CVPR 2019, equation 1.
    """
    if x.dtype in (torch.float32, torch.float64):
        kernel = _fast_kernel(x.device.type, x.dtype)
        if kernel is not None:
            return kernel(x, offset, mask, weight, bias)
    return plain_deformable_convolution(x, offset, mask, weight, bias)


def plain_deformable_convolution(
    x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, bias: Tensor
) -> Tensor:
    """`deformable_convolution` tap by tap, so that no more than one copy of `x` is held."""
    batch, channels, height, width = x.shape
    side = weight.shape[-1]
    taps = side * side
    groups = mask.shape[1] // taps
    exact = torch.promote_types(x.dtype, torch.float32)
    shift = offset.reshape(batch * groups, taps, 2, height, width).to(exact).flip(2)
    factor = mask.reshape(batch * groups, taps, 1, height, width)
    grid = pixel_grid(height, width, shift)
    parts = x.reshape(batch * groups, channels // groups, height, width)
    result = bias[:, None, None].expand(batch, -1, height, width)
    for tap in range(taps):
        row, column = divmod(tap, side)
        place = grid + grid.new_tensor((column - side // 2, row - side // 2))
        read = sample(parts, place + shift[:, tap].permute(0, 2, 3, 1)) * factor[:, tap]
        result = result + functional.conv2d(
            read.reshape(x.shape),
            weight[:, :, row : row + 1, column : column + 1],
            groups=channels // weight.shape[1],
        )
    return result


@lru_cache(maxsize=8)
def _fast_kernel(device_type: str, dtype: torch.dtype) -> Kernel | None:
    """Torchvision's operator, if it loads, runs on this kind of device and gives equal values."""
    try:
        from torchvision.ops import deform_conv2d
    except (ImportError, RuntimeError, OSError):
        return None

    def kernel(x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        result: Tensor = deform_conv2d(
            x, offset, weight, bias, padding=weight.shape[-1] // 2, mask=mask
        )
        return result

    random = torch.Generator().manual_seed(0)
    problem = [
        torch.randn(shape, generator=random).to(device_type, dtype)
        for shape in ((2, 4, 7, 6), (2, 36, 7, 6), (2, 18, 7, 6), (4, 2, 3, 3), (4,))
    ]
    try:
        with torch.no_grad():
            given, wanted = kernel(*problem), plain_deformable_convolution(*problem)
            equal = torch.allclose(given, wanted, rtol=0, atol=1e-4)
    except RuntimeError:  # no such kernel for this device, or a device without values
        return None
    return kernel if equal else None


class DeformableConvolution(nn.Module):
    """Holds the weights of a 3×3 modulated deformable convolution."""

    def __init__(self, features: int, groups: int) -> None:
        super().__init__()
        like = nn.Conv2d(features, features, 3, groups=groups)
        self.weight, self.bias = like.weight, nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor, offset: Tensor, mask: Tensor) -> Tensor:
        """See `deformable_convolution`."""
        return deformable_convolution(x, offset, mask, self.weight, self.bias)


class DeformableAlignment(nn.Module):
    """Features of another frame laid onto the reference's, led by a flow.

    Source: Chan et al., "BasicVSR++", CVPR 2022, section 3.2, as BracketIRE uses it.
    """

    def __init__(self, features: int, groups: int, largest: float = 10.0) -> None:
        """Make the layers.

        Args:
            features: channels.
            groups: offset groups, which are the convolution's groups too.
            largest: residual offset in pixels beside the flow.
        """
        super().__init__()
        self.largest = largest
        self.conv_offset = nn.Sequential(
            nn.Conv2d(2 * features + 2, features, 3, padding=1),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Conv2d(features, features, 3, padding=1),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Conv2d(features, features, 3, padding=1),
            nn.LeakyReLU(0.1, inplace=True),
            last := nn.Conv2d(features, 27 * groups, 3, padding=1),
        )
        nn.init.zeros_(last.weight)
        if last.bias is not None:
            nn.init.zeros_(last.bias)
        self.deform_conv = DeformableConvolution(features, groups)

    def forward(self, other: Tensor, reference: Tensor, warped: Tensor, flow: Tensor) -> Tensor:
        """Align.

        Args:
            other: (B, C, H, W) features of the frame to align.
            reference: (B, C, H, W) features of the reference.
            warped: `other` warped by `flow`.
            flow: (B, 2, H, W) in pixels, column then row.

        Returns:
            (B, C, H, W).
        """
        found: Tensor = self.conv_offset(torch.cat((warped, reference, flow), 1))
        third = found.shape[1] // 3
        offset = self.largest * torch.tanh(found[:, : 2 * third])
        pairs = offset.view(len(offset), third, 2, *offset.shape[-2:])
        pairs.add_(flow.flip(1)[:, None])
        aligned: Tensor = self.deform_conv(other, offset, torch.sigmoid(found[:, 2 * third :]))
        return aligned
