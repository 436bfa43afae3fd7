"""DRTM's contexts without the whole picture: it reads features only where it samples them.

Bilinear interpolation to S×S looks at no more than 2S rows and 2S columns. What a block does to a
pixel depends on that pixel (and on means, in the equation reading) and on the block's context
alone, so the blocks can run on the sampled pixels first; their contexts then are those of the
whole picture.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.fast.block import PackedBlock, Scratch


class _Taps(NamedTuple):
    """Bilinear interpolation along one dimension: two places and the weight of the second."""

    low: Tensor
    high: Tensor
    weight: Tensor

    def at(self, places: Tensor | slice) -> "_Taps":
        return _Taps(self.low[places], self.high[places], self.weight[places])

    def rows(self, grid: Tensor) -> Tensor:
        return torch.lerp(grid[self.low], grid[self.high], self.weight[:, None, None])

    def columns(self, grid: Tensor) -> Tensor:
        return torch.lerp(grid[:, self.low], grid[:, self.high], self.weight[:, None])


class Grid:
    """Where the features of one picture size are sampled, and how contexts spread over them.

    Attributes:
        rows: the 2S sampled rows, some twice.
        columns: the 2S sampled columns.
    """

    def __init__(self, height: int, width: int, config: IPLConfig, dtype: torch.dtype) -> None:
        side = config.drtm_size
        self._side, self._width = side, width
        self._residual = config.residual
        self._down_rows = _taps(height, side, dtype)
        self._down_columns = _taps(width, side, dtype)
        self._up_rows = _taps(side, height, dtype)
        self.rows = torch.cat([self._down_rows.low, self._down_rows.high])
        self.columns = torch.cat([self._down_columns.low, self._down_columns.high])
        self._scratch = Scratch(4 * side**2, config, dtype)
        self._up_here = (
            self._up_rows.at(self.rows),
            _taps(side, width, dtype).at(self.columns),
        )

    def context(
        self, samples: Tensor, block: PackedBlock, means: Mapping[str, Tensor]
    ) -> Tensor | None:
        """The context of a block, which runs on the samples in place.

        Args:
            samples: (2S, 2S, C), the features at `rows` and `columns`.
            block: the block.
            means: as `PackedBlock.attend` takes them, for these samples.

        Returns:
            (S, S, C), or None for a block without DRTM.
        """
        block.attend(samples, means, self._scratch)
        if block.drtm is None:
            return None
        fixed = self._fixed_size(samples).permute(2, 0, 1)[None]
        context = block.drtm.roll(fixed)[0].permute(1, 2, 0).contiguous()
        up_rows, up_columns = self._up_here
        self.scale(samples, up_columns.columns(up_rows.rows(context)))
        return context

    def scale(self, features: Tensor, context: Tensor) -> None:
        """F + F ⊙ context (eqs. 12, 14) in place; F ⊙ context alone without the residual."""
        if self._residual:
            features.addcmul_(features, context)
        else:
            features.mul_(context)

    def spread(self, context: Tensor, top: int, bottom: int) -> Tensor:
        """A context (S, S, C) over feature rows top to bottom: (bottom - top, W, C)."""
        rows = self._up_rows.at(slice(top, bottom)).rows(context)
        planes = rows.permute(2, 0, 1)[None]
        wide = functional.interpolate(
            planes, (bottom - top, self._width), mode="bilinear", align_corners=False
        )
        return wide[0].permute(1, 2, 0)

    def _fixed_size(self, samples: Tensor) -> Tensor:
        side = self._side
        rows = torch.lerp(samples[:side], samples[side:], self._down_rows.weight[:, None, None])
        weight = self._down_columns.weight[:, None]
        return torch.lerp(rows[:, :side], rows[:, side:], weight)


def _taps(old: int, new: int, dtype: torch.dtype) -> _Taps:
    """Half-pixel centres, as torch's bilinear interpolation computes them in this dtype."""
    scale = torch.tensor(old, dtype=dtype) / new
    position = (scale * (torch.arange(new, dtype=dtype) + 0.5) - 0.5).clamp_(min=0)
    low = position.long().clamp_(max=old - 1)
    return _Taps(low, (low + 1).clamp_(max=old - 1), position - low)
