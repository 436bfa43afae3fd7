"""A network's weights as the kernels read them: input first, padded with zeros, all in a row."""

from typing import cast

import torch
from torch import Tensor, nn

from dmef_bench.gpu.padding import padded_bias, tile_width
from dmef_bench.ipl.daem import LocalFeatureExtractor
from dmef_bench.ipl.model import FIB, IPL

# Inputs of the DownSampler's convolution that one step of its product takes.
INPUT_STEP = 32


class PackedNetwork:
    """Weights of one network in one dtype; biases are float32.

    Attributes:
        down: (9, KP, CP), tap, input of the space-to-depth layer, channel.
        down_bias: (CP,).
        squeeze: (blocks · D, CP, CP) for D sliced dimensions, input first; the channel
            dimension's blocks lie along the diagonal.
        squeeze_bias: (blocks · D, CP).
        excite: like `squeeze`.
        excite_bias: like `squeeze_bias`.
        mixers: for each block its DRTM's three (weight (KP, KP), bias (KP,)); empty without.
        up: (9, CP, NP), tap, channel, output of the depth-to-space layer.
        up_bias: (NP,).
    """

    def __init__(self, network: IPL) -> None:
        config = network.config
        self.dtype = next(network.parameters()).dtype
        channels, step = tile_width(config.channels), INPUT_STEP
        inputs = -(-9 * config.factor**2 // step) * step
        outputs = tile_width(3 * config.factor**2)
        with torch.no_grad():
            self.down = _taps(_convolution(network.down[1]).weight, inputs, channels)
            self.down_bias = padded_bias(network.down[1], channels)
            self.up = _taps(_convolution(network.up[0]).weight, channels, outputs)
            self.up_bias = padded_bias(network.up[0], outputs)
            blocks = [block for block in network.blocks if isinstance(block, FIB)]
            extractors = [
                cast(LocalFeatureExtractor, extractor)
                for block in blocks
                for extractor in block.daem.extractors.values()
            ]
            width = config.channels
            self.squeeze, self.squeeze_bias = _stack([e.squeeze for e in extractors], width)
            self.excite, self.excite_bias = _stack([e.excite for e in extractors], width)
            self.mixers = [
                [_mixer(mixer) for mixer in block.drtm.mixers]
                for block in blocks
                if block.drtm is not None
            ]
        if not extractors:  # never read, but a kernel's argument is a tensor
            self.squeeze = self.excite = self.down.new_zeros(1, channels, channels)
            self.squeeze_bias = self.excite_bias = self.down_bias.new_zeros(1, channels)


def _convolution(module: nn.Module) -> nn.Conv2d:
    return cast(nn.Conv2d, module)


def _taps(weight: Tensor, inputs: int, outputs: int) -> Tensor:
    taps = weight.new_zeros(9, inputs, outputs)
    taps[:, : weight.shape[1], : weight.shape[0]] = weight.permute(2, 3, 1, 0).flatten(0, 1)
    return taps


def _stack(convolutions: list[nn.Conv2d], channels: int) -> tuple[Tensor, Tensor]:
    """Weights (n, CP, CP) and biases (n, CP); a convolution of few channels is repeated."""
    size = tile_width(channels)
    weights, biases = [], []
    for convolution in convolutions:
        narrow = convolution.weight.flatten(1).t()
        repeats = channels // len(narrow)
        square = narrow.new_zeros(size, size)
        square[:channels, :channels] = torch.block_diag(*[narrow] * repeats)  # type: ignore[no-untyped-call]
        weights.append(square)
        bias = padded_bias(convolution, len(narrow)).repeat(repeats)
        biases.append(nn.functional.pad(bias, (0, size - channels)))
    return (torch.stack(weights), torch.stack(biases)) if weights else (Tensor(), Tensor())


def _mixer(module: nn.Module) -> tuple[Tensor, Tensor]:
    weight = _convolution(module).weight.flatten(1).t()
    size = tile_width(len(weight))
    square = weight.new_zeros(size, size)
    square[: len(weight), : len(weight)] = weight
    return square, padded_bias(module, size)
