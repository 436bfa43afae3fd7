"""Weights padded to what a kernel's tile takes."""

import torch
from torch import Tensor, nn

# The matrix units take no fewer channels.
LEAST = 16


def tile_width(channels: int) -> int:
    """The power of two from 16 on that holds so many channels."""
    return max(LEAST, 1 << (channels - 1).bit_length())


def padded_bias(convolution: nn.Module, width: int) -> Tensor:
    """A convolution's bias, (width,) float32, followed by zeros.

    Raises:
        TypeError: it has none.
    """
    bias = dict(convolution.named_parameters()).get("bias")
    if bias is None:
        raise TypeError("the convolutions that kernels take have a bias")
    return nn.functional.pad(bias.to(torch.float32), (0, width - len(bias)))
