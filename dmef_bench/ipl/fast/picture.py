"""Whole pictures on a CPU.

In the prose reading features pass through memory once for all blocks; in the equation reading a
block needs the means of the whole result of the one before, and they pass once a block.
"""

import torch
from torch import Tensor

from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.fast.engine import Engine
from dmef_bench.ipl.fast.workers import Workers
from dmef_bench.ipl.model import IPL
from dmef_bench.ipl.slices import Dimension, block_means


def can_fuse_fast(network: IPL, images: Tensor) -> bool:
    """Whether `fuse_fast` may stand in for the network: inference on a CPU in float32 or float64.

    Not with an attention cache, and not while something watches torch's operations (a counter of
    operations, a tracer): it would not see those of other threads.
    """
    parameter = next(network.parameters())
    return (
        not network.training
        and not torch.is_grad_enabled()
        and parameter.device.type == images.device.type == "cpu"
        and parameter.dtype == images.dtype
        and images.dtype in (torch.float32, torch.float64)
        and (network.attention_cache is None or network.attention_cache.mode == "off")
        and torch._C._len_torch_dispatch_stack() == 0
    )


def fuse_fast(network: IPL, images: Tensor) -> Tensor:
    """What `network(images)` returns, within rounding.

    Args:
        network: on the CPU, float32 or float64; its weights are read anew in each call.
        images: (B, 3, 3, H, W) in [0, 1], dtype of the network.

    Returns:
        (B, 3, H, W), gain times X2, not clipped.
    """
    with torch.inference_mode(), Workers() as workers:
        engine = Engine(network, images.shape[-2], images.shape[-1], workers)
        fused = images.new_empty(images.shape[0], *images.shape[2:])
        for one, out in zip(images, fused, strict=True):
            _fuse(engine, one, out)
        return fused


def _fuse(engine: Engine, images: Tensor, out: Tensor) -> None:
    config = engine.config
    features = images.new_empty(engine.rows, engine.columns, config.channels)
    engine.down(images.flatten(0, 1), 0, features, 0)
    total = torch.zeros_like(features) if config.final == "sum" else None
    samples = features[engine.grid.rows[:, None], engine.grid.columns]
    if config.lfe == "prose":
        steps = [engine.step(block, samples, {}) for block in engine.blocks]
        engine.integrate(features, 0, steps, total)
    else:
        for block in engine.blocks:
            step = engine.step(block, samples, _means(features, config))
            engine.integrate(features, 0, [step], total)
    result = features if total is None else total
    engine.up(result, 0, (0, engine.rows), images[1], out)


def _means(features: Tensor, config: IPLConfig) -> dict[str, Tensor]:
    planes = features.permute(2, 0, 1)[None]
    sizes: dict[Dimension, int] = {
        "C": config.channel_block,
        "W": config.width_block,
        "H": config.height_block,
    }
    return {
        name: block_means(planes, name, size)[0].permute(1, 2, 0)
        for name, size in sizes.items()
        if name in config.dimensions
    }
