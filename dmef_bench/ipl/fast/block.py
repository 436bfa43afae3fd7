"""A Feature Integration Block on pixels in channels-last, in place, as matrix products."""

from collections.abc import Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor

from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.daem import LocalFeatureExtractor
from dmef_bench.ipl.drtm import DRTM
from dmef_bench.ipl.model import FIB


class _Affine(NamedTuple):
    weight: Tensor
    bias: Tensor

    def __call__(self, pixels: Tensor, out: Tensor) -> Tensor:
        return torch.addmm(self.bias, pixels, self.weight, out=out)


class Scratch:
    """Memory for one tile, used again for the next so that it stays in the processor's cache."""

    def __init__(self, pixels: int, config: IPLConfig, dtype: torch.dtype) -> None:
        self.hidden = torch.empty(pixels * 2 * config.channels, dtype=dtype)
        self.total = torch.empty(pixels * config.channels, dtype=dtype)
        self.part = torch.empty(pixels * config.channels, dtype=dtype)


class PackedBlock:
    """The weights of one FIB, turned for pixels in rows.

    Width and height share the first product, as both read all channels of a pixel; the channel
    dimension sees each pixel as C/size rows of its own.

    Attributes:
        drtm: the block's DRTM, or None.
    """

    def __init__(self, fib: FIB, config: IPLConfig) -> None:
        self.drtm: DRTM | None = fib.drtm
        self._equation = config.lfe == "equation"
        extractors = {
            name: cast(LocalFeatureExtractor, extractor)
            for name, extractor in fib.daem.extractors.items()
        }
        own = extractors.pop("C", None)
        self._channel = None if own is None else (_affine(own.squeeze), _affine(own.excite))
        self._excite = {name: _affine(e.excite) for name, e in extractors.items()}
        squeezes = [_affine(e.squeeze) for e in extractors.values()]
        self._squeeze = (
            _Affine(
                torch.cat([s.weight for s in squeezes], 1), torch.cat([s.bias for s in squeezes])
            )
            if squeezes
            else None
        )

    def attend(self, tile: Tensor, means: Mapping[str, Tensor], scratch: Scratch) -> None:
        """DAEM of a tile in place, all dimensions while the tile is in the processor's cache.

        Args:
            tile: (h, w, C), contiguous.
            means: in the equation reading, for each dimension F_m of eq. 1, broadcastable to the
                tile; otherwise not read.
            scratch: for at least as many pixels.
        """
        channels = tile.shape[2]
        pixels = tile.view(-1, channels)
        count = pixels.shape[0]
        total: Tensor | None = None
        if self._squeeze is not None:
            width = len(self._excite) * channels
            hidden = scratch.hidden[: count * width].view(count, width)
            self._squeeze(pixels, hidden).relu_()
            for n, (name, excite) in enumerate(self._excite.items()):
                out = _next(scratch, total, pixels)
                excite(hidden[:, n * channels : (n + 1) * channels], out).sigmoid_()
                total = self._add(total, out, tile, means.get(name))
        if self._channel is not None:
            squeeze, excite = self._channel
            rows = pixels.view(-1, squeeze.weight.shape[0])
            hidden = scratch.hidden[: rows.numel()].view(rows.shape)
            squeeze(rows, hidden).relu_()
            out = _next(scratch, total, pixels)
            excite(hidden, out.view(rows.shape)).sigmoid_()
            total = self._add(total, out, tile, means.get("C"))
        if total is None:
            return
        if self._equation:
            pixels.copy_(total)
        else:
            pixels.mul_(total)

    def _add(
        self, total: Tensor | None, weights: Tensor, tile: Tensor, means: Tensor | None
    ) -> Tensor:
        if self._equation and means is not None:
            weights.view(tile.shape).mul_(means)
        return weights if total is None else total.add_(weights)


def _next(scratch: Scratch, total: Tensor | None, pixels: Tensor) -> Tensor:
    memory = scratch.total if total is None else scratch.part
    return memory[: pixels.numel()].view(pixels.shape)


def _affine(convolution: torch.nn.Conv2d) -> _Affine:
    if convolution.bias is None:
        raise TypeError("the convolutions of a local feature extractor have a bias")
    weight = convolution.weight.detach().flatten(1).t().contiguous()
    return _Affine(weight, convolution.bias.detach())
