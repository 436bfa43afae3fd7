"""AHDRNet on chunks of a picture, each fused alone, as the IPL paper's Table 6 names it."""

from collections.abc import Callable, Iterator
from typing import Final

import torch
from torch import Tensor

from baselines.ahdrnet.network import AHDRNet

CHUNK: Final = 64
"""Side of a chunk in pixels, as the paper prints it."""

Attend = Callable[[Tensor], Tensor]
Keep = Callable[[int, int, Tensor, Attend], Tensor]


def fuse_in_chunks(
    network: AHDRNet,
    exposures: tuple[Tensor, Tensor, Tensor],
    keep: Keep | None = None,
    side: int = CHUNK,
) -> Tensor:
    """What the network makes of every chunk by itself, put together.

    Chunks don't overlap and see nothing of their neighbours: convolutions pad each by zeros. Those
    at the right and at the bottom may be smaller.

    Args:
        network: in evaluation mode.
        exposures: low, mid and high, (B, inputs, H, W) as the network takes them.
        keep: asked for the attended features of every chunk instead of the network: number of the
            picture in its batch, number of the chunk in it, (1, 3 · features, h, w) features of
            low, mid and high, and what computes from these the (1, 2 · features, h, w) attended
            features of low and high.
        side: of a chunk in pixels.

    Returns:
        (B, 3, H, W) in (0, 1).
    """
    reference = exposures[1]
    height, width = reference.shape[-2:]
    fused = reference.new_empty(len(reference), 3, height, width)

    def attend(features: Tensor) -> Tensor:
        low, mid, high = features.chunk(3, 1)
        return torch.cat(network.attended(low, mid, high), 1)

    for picture in range(len(reference)):
        for number, (rows, columns) in enumerate(chunks(height, width, side)):
            window = (slice(picture, picture + 1), slice(None), rows, columns)
            low, mid, high = (network.embedded(exposure[window]) for exposure in exposures)
            if keep is None:
                low, high = network.attended(low, mid, high)
            else:
                features = torch.cat((low, mid, high), 1)
                low, high = keep(picture, number, features, attend).chunk(2, 1)
            fused[window] = network.merged(low, mid, high)
    return fused


def chunks(height: int, width: int, side: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of every chunk of a picture, row by row."""
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield slice(top, min(top + side, height)), slice(left, min(left + side, width))
