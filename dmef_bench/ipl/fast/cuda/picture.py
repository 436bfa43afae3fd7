"""Whole pictures on a GPU: which networks and brackets the kernels take, and taking them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dmef_bench.gpu.plans import MOST_ALONG_A_GRID, MOST_COUNTED, Launches, Plans
from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.model import IPL

if TYPE_CHECKING:
    from dmef_bench.ipl.fast.cuda.packing import PackedNetwork


def covers(config: IPLConfig) -> bool:
    """Whether the kernels can stand in for a network of this configuration.

    In the equation reading a block needs the means of the whole result of the one before; it is
    not covered, nor is a block without its residual. Widths are bounded by what a tile keeps in
    registers.
    """
    return (
        config.lfe == "prose"
        and config.residual
        and config.channels <= 64
        and config.drtm_size <= 64
        and config.factor <= 4
    )


def counts(config: IPLConfig, shape: torch.Size) -> bool:
    """Whether the kernels can number all pixels and contexts of brackets (B, 3, 3, H, W)."""
    batch, (height, width) = shape[0], shape[-2:]
    contexts = max(config.blocks, 4) * batch * config.drtm_size**2 * config.channels
    return max(batch * height * width, contexts) <= MOST_COUNTED and batch <= MOST_ALONG_A_GRID


def can_fuse_on_cuda(network: IPL, images: Tensor) -> bool:
    """Whether `fuse_on_cuda` may stand in for the network.

    What `Plans.may_replace` asks for, a covered configuration, pixels that 32 bits can number, and
    no attention cache in use.
    """
    return (
        _plans.may_replace(network, images)
        and covers(network.config)
        and counts(network.config, images.shape)
        and (network.attention_cache is None or network.attention_cache.mode == "off")
    )


def fuse_on_cuda(
    network: IPL, images: Tensor, *, clip: bool = False, out_dtype: torch.dtype | None = None
) -> Tensor | None:
    """What `network(images)` returns, within rounding: `Plans.fuse`.

    Computed in the dtype of the network with float32 sums.

    Args:
        network: for which `can_fuse_on_cuda` holds.
        images: (B, 3, 3, H, W), float in [0, 1] or uint8, on its device.
        clip: whether the result is clipped to [0, 1].
        out_dtype: of the result; that of the images where None. uint8 is clipped and rounded.

    Returns:
        (B, 3, H, W), gain times X2; None where the kernels can't be built on this machine.
    """
    return _plans.fuse(network, [images], clip=clip, out_dtype=out_dtype or images.dtype)


def _packed(network: IPL) -> "PackedNetwork":
    from dmef_bench.ipl.fast.cuda.packing import PackedNetwork

    return PackedNetwork(network)


def _launches(
    weights: "PackedNetwork", network: IPL, inputs: Sequence[Tensor], out: Tensor, clip: bool
) -> Launches:
    from dmef_bench.ipl.fast.cuda.launches import Launches

    return Launches(weights, network.config, inputs[0], out, clip=clip)


_plans: "Plans[IPL, PackedNetwork]" = Plans("IPL", _packed, _launches)
