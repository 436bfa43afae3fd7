"""A network's weights as the kernels read them: input first, padded with zeros, all in a row."""

import copy
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from dmef_bench.gpu.padding import LEAST, padded_bias, tile_width
from dmef_bench.ipl_plus.alignment import Alignment
from dmef_bench.ipl_plus.layers import Residual
from dmef_bench.ipl_plus.model import IPLPlus


def stored(channels: int) -> int:
    """The multiple of 16 that holds so many channels: how features lie in memory."""
    return -(-channels // LEAST) * LEAST


def product_step(channels: int) -> int:
    """How many inputs one step of a product takes: 64, or fewer where much of that would be idle.

    A step costs nearly as much for 16 inputs as for 32, so that 48 are better taken as 64.
    """
    return next(step for step in (64, 32, 16) if -channels % step <= channels // 3)


def in_steps(channels: int) -> int:
    """Inputs in whole steps."""
    step = product_step(channels)
    return -(-channels // step) * step


def exact_step(channels: int) -> int:
    """How many of the stored channels a step takes that reads no others: 16, 32 or 64."""
    return next(step for step in (64, 32, 16) if channels % step == 0)


class Layer(NamedTuple):
    """A convolution.

    Attributes:
        weight: (taps · inputs, tile width of the outputs), tap by tap; the inputs of 3×3 layers
            in whole steps.
        bias: (tile width of the outputs,) float32.
        inputs: channels of its source as they are stored.
        outputs: channels of its result as they are stored.
        dilation: of its taps.
        stride: of its places.
    """

    weight: Tensor
    bias: Tensor
    inputs: int
    outputs: int
    dilation: int = 1
    stride: int = 1


class PackedNetwork:
    """Weights of one network in one dtype; biases are float32.

    Attributes:
        dtype: of the weights.
        curves: the tone curves in float32 whatever the dtype: a few thousand numbers that all
            pixels pass.
        alignment: None without alignment.
        judge: the judge.
    """

    def __init__(self, network: IPLPlus) -> None:
        self.dtype = next(network.parameters()).dtype
        with torch.no_grad():
            self.curves = copy.deepcopy(network.curves).float()
            self.alignment = (
                PackedAlignment(network.alignment, network.config.features)
                if network.config.align
                else None
            )
            self.judge = PackedJudge(network)


class PackedAlignment:
    """What the alignment's kernels read.

    Attributes:
        entry: (6 · 64, tile width), colour by colour: the exposure's own, then its estimate's.
        entry_bias: (tile width,).
        same: two layers around which the features pass.
        down: to the next coarser level.
        head: four layers; the last one's two outputs are stored as they are.
        sharpness: (1,) float32.
    """

    def __init__(self, alignment: Alignment, features: int) -> None:
        entry = alignment.entry
        self.entry = _matrix(entry.weight.flatten(1).t(), tile_width(features))
        self.entry_bias = padded_bias(entry, tile_width(features))
        self.same = _residual(alignment.same)
        self.down = _layer(alignment.down)
        shares = (2 * alignment.radius + 1) ** 2
        first, second, third, last = (cast(nn.Conv2d, alignment.head[n]) for n in (0, 2, 4, 6))
        # The kernels know features first, then shares, then the flow.
        order = [*range(shares, shares + 2 * features), *range(shares)]
        order += range(shares + 2 * features, first.in_channels)
        self.head = [
            _layer(first, order),
            _layer(second),
            _layer(third),
            _layer(last)._replace(outputs=2),
        ]
        self.sharpness = alignment.sharpness.float().view(1)


class PackedJudge:
    """What the judge's kernels read.

    Attributes:
        entry: (4, 16, tile width), for the reference, low, high and the encoded reference.
        entry_bias: (tile width,).
        down: the three strided layers, to a quarter, an eighth, a sixteenth.
        residuals: by name, the two layers of each block.
        joins: from a sixteenth, an eighth, a quarter; `inputs` are those of the coarse features.
        exit: (3, tile width, 16), for the low share, the high one, and what is added.
        exit_bias: (3, 16).
        trust: (3,) float32.
    """

    def __init__(self, network: IPLPlus) -> None:
        judge, width = network.judge, tile_width(network.config.width)
        entry = judge.entry.weight.flatten(1).t().reshape(4, 12, -1)
        self.entry = entry.new_zeros(4, LEAST, width)
        self.entry[:, :12, : entry.shape[2]] = entry
        self.entry_bias = padded_bias(judge.entry, width)
        self.down = [_layer(n) for n in (judge.to_quarter, judge.to_eighth, judge.to_sixteenth)]
        self.residuals = {
            name: _residual(block)
            for name, block in judge.named_modules()
            if isinstance(block, Residual)
        }
        self.joins = [
            _join(judge.from_sixteenth, judge.to_sixteenth.out_channels),
            _join(judge.from_eighth, judge.to_eighth.out_channels),
            _join(judge.from_quarter, judge.to_quarter.out_channels),
        ]
        parts = judge.exit.weight.view(3, 12, -1).transpose(1, 2)
        self.exit = parts.new_zeros(3, width, LEAST)
        self.exit[:, : parts.shape[1], :12] = parts
        self.exit_bias = padded_bias(judge.exit, 36).view(3, 12)
        self.exit_bias = nn.functional.pad(self.exit_bias, (0, LEAST - 12)).contiguous()
        self.trust = judge.trust.float()


def _layer(convolution: nn.Conv2d, order: Sequence[int] | None = None) -> Layer:
    """A 3×3 convolution, its inputs taken in this order."""
    weight = convolution.weight if order is None else convolution.weight[:, list(order)]
    inputs, outputs = stored(weight.shape[1]), tile_width(len(weight))
    taps = weight.new_zeros(9, in_steps(inputs), outputs)
    taps[:, : weight.shape[1], : len(weight)] = weight.permute(2, 3, 1, 0).flatten(0, 1)
    return Layer(
        taps.flatten(0, 1),
        padded_bias(convolution, outputs),
        inputs,
        stored(len(weight)),
        convolution.dilation[0],
        convolution.stride[0],
    )


def _residual(block: Residual) -> list[Layer]:
    return [_layer(block.first), _layer(block.second)]


def _join(convolution: nn.Conv2d, coarse: int) -> Layer:
    """A 1×1 convolution of `coarse` channels and others, each padded by themselves."""
    matrix, outputs = convolution.weight.flatten(1).t(), convolution.out_channels
    parts = [_rows(part) for part in (matrix[:coarse], matrix[coarse:])]
    width = tile_width(outputs)
    return Layer(
        _matrix(torch.cat(parts), width),
        padded_bias(convolution, width),
        stored(coarse),
        stored(outputs),
    )


def _rows(matrix: Tensor) -> Tensor:
    return nn.functional.pad(matrix, (0, 0, 0, stored(len(matrix)) - len(matrix)))


def _matrix(matrix: Tensor, width: int) -> Tensor:
    return nn.functional.pad(matrix, (0, width - matrix.shape[1])).contiguous()
