"""DownSampler and UpSampler for strips of a picture, between images and channels-last features."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from dmef_bench.ipl.model import IPL


class StripSamplers:
    """3×3 convolutions of single strips; rows beyond the picture's features are zero.

    Args:
        network: its weights are read.
        height: of the picture in pixels; the last feature row may reach beyond it.
    """

    def __init__(self, network: IPL, height: int) -> None:
        self._factor = network.config.factor
        self._inputs = 9 * self._factor**2
        self._height = height
        self._rows = -(-height // self._factor)
        self._down, self._down_bias = _packed(network.down[1])
        self._up, self._up_bias = _packed(network.up[0])

    def pixel_rows(self, top: int, bottom: int) -> tuple[int, int]:
        """Which rows of the picture `down` needs for feature rows top to bottom."""
        first, last = max(top - 1, 0), min(bottom + 1, self._rows)
        return first * self._factor, min(last * self._factor, self._height)

    def down(self, strip: Tensor, top: int, bottom: int) -> Tensor:
        """F0 in rows top to bottom.

        Args:
            strip: (9, h, W), the concatenated exposures in the rows `pixel_rows` says.
            top: first feature row.
            bottom: row after the last one.

        Returns:
            (bottom - top, ceil(W / r), C).
        """
        r = self._factor
        right, below = -strip.shape[2] % r, -strip.shape[1] % r
        if right or below:
            strip = functional.pad(strip[None], (0, right, 0, below), mode="replicate")[0]
        rows, columns = strip.shape[1] // r, strip.shape[2] // r
        unshuffled = strip.new_empty(bottom - top + 2, columns, self._inputs)
        above = 1 if top == 0 else 0
        unshuffled[:above] = 0
        unshuffled[above + rows :] = 0
        known = unshuffled[above : above + rows].view(rows, columns, 9, r, r)
        known.copy_(strip.reshape(9, rows, r, columns, r).permute(1, 3, 0, 2, 4))
        return _convolve(unshuffled, self._down, self._down_bias)

    def up(self, features: Tensor, top: int, bottom: int) -> Tensor:
        """The gain in the pixels of feature rows top to bottom.

        Args:
            features: (h, w, C), the rows from max(top - 1, 0) to min(bottom + 1, last).
            top: first feature row.
            bottom: row after the last one.

        Returns:
            (3, (bottom - top)·r, w·r), also where the picture ends earlier.
        """
        above, below = int(top == 0), int(bottom == self._rows)
        if above or below:
            features = functional.pad(features, (0, 0, 0, 0, above, below))
        gain = _convolve(features, self._up, self._up_bias)
        return functional.pixel_shuffle(gain.permute(2, 0, 1), self._factor)


def _packed(convolution: nn.Module) -> tuple[Tensor, Tensor]:
    parameters = dict(convolution.named_parameters())
    weight = parameters["weight"].detach().contiguous(memory_format=torch.channels_last)
    return weight, parameters["bias"].detach()


def _convolve(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """(h + 2, w, c) to (h, w, c'), both channels-last."""
    planes = rows.permute(2, 0, 1)[None]
    return functional.conv2d(planes, weight, bias, padding=(0, 1))[0].permute(1, 2, 0)
