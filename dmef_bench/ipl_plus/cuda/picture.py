"""Whole pictures on a GPU: which networks and brackets the kernels take, and taking them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dmef_bench.gpu.plans import MOST_ALONG_A_GRID, MOST_COUNTED, Launches, Plans
from dmef_bench.ipl_plus.config import IPLPlusConfig
from dmef_bench.ipl_plus.model import MULTIPLE, IPLPlus
from dmef_bench.ipl_plus.tone_curves import EVs, inverse_responses

if TYPE_CHECKING:
    from dmef_bench.ipl_plus.cuda.packing import PackedNetwork


def covers(config: IPLPlusConfig) -> bool:
    """Whether the kernels can stand in for a network of this configuration.

    Widths are bounded by what a tile keeps in registers.
    """
    return config.features <= 64 and config.radius <= 3 and config.width <= 64


def counts(shape: torch.Size) -> bool:
    """Whether the kernels can number all that a bracket of (B, 3, 3, H, W) has, and its rows."""
    rows, columns = (-(-side // MULTIPLE) * MULTIPLE for side in shape[-2:])
    return 9 * rows * columns <= MOST_COUNTED and max(9 * shape[0], rows) <= MOST_ALONG_A_GRID


def can_fuse_on_cuda(network: IPLPlus, images: Tensor) -> bool:
    """Whether `fuse_on_cuda` may stand in for the network.

    What `Plans.may_replace` asks for, a covered configuration, and pixels that 32 bits can number.
    """
    return _plans.may_replace(network, images) and covers(network.config) and counts(images.shape)


def fuse_on_cuda(
    network: IPLPlus,
    images: Tensor,
    evs: EVs,
    *,
    clip: bool = False,
    out_dtype: torch.dtype | None = None,
) -> Tensor | None:
    """What `network(images, evs)` returns, within rounding: `Plans.fuse`.

    Computed in the dtype of the network with float32 sums; the tone curves are float32.

    Args:
        network: for which `can_fuse_on_cuda` holds.
        images: (B, 3, 3, H, W), float in [0, 1] or uint8, on its device.
        evs: their exposure values relative to the ground truth.
        clip: whether the result is clipped to [0, 1].
        out_dtype: of the result; that of the images where None. uint8 is clipped and rounded.

    Returns:
        (B, 3, H, W); None where the kernels can't be built on this machine.
    """
    start = inverse_responses(network.config.knots, evs, images.device)
    return _plans.fuse(network, [images, start], clip=clip, out_dtype=out_dtype or images.dtype)


def _packed(network: IPLPlus) -> "PackedNetwork":
    from dmef_bench.ipl_plus.cuda.packing import PackedNetwork

    return PackedNetwork(network)


def _launches(
    weights: "PackedNetwork", network: IPLPlus, inputs: Sequence[Tensor], out: Tensor, clip: bool
) -> Launches:
    from dmef_bench.ipl_plus.cuda.launches import Launches

    images, start = inputs
    return Launches(weights, network.config, images, start, out, clip=clip)


_plans: "Plans[IPLPlus, PackedNetwork]" = Plans("IPL+", _packed, _launches)
