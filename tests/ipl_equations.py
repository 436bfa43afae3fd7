"""IPL written out from the paper's equations, block by block in float64; slow, and no torch."""

import numpy as np
from scipy.special import erf, expit


def pointwise(x, weight, bias):
    return np.einsum("oi,ihw->ohw", weight[:, :, 0, 0], x) + bias[:, None, None]


def conv3(x, weight, bias):
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2)
    )
    return np.tensordot(weight, windows, ((1, 2, 3), (0, 3, 4))) + bias[:, None, None]


def bilinear(x, height, width):
    """Half-pixel centres, clamped at the borders."""

    def matrix(new, old):
        m = np.zeros((new, old))
        for i in range(new):
            s = max((i + 0.5) * old / new - 0.5, 0)
            low = min(int(s), old - 1)
            high = min(low + 1, old - 1)
            m[i, low] += 1 - (s - low)
            m[i, high] += s - low
        return m

    return np.einsum("ih,jw,chw->cij", matrix(height, x.shape[1]), matrix(width, x.shape[2]), x)


def lfe(block, p, reading):
    mean = block.mean((1, 2), keepdims=True)
    hidden = np.maximum(pointwise(block, p["squeeze.weight"], p["squeeze.bias"]), 0)
    weights = expit(pointwise(hidden, p["excite.weight"], p["excite.bias"]))
    return (mean if reading == "equation" else block) * weights


def daem(x, p, config):
    if not config.dimensions:
        return x
    total = np.zeros_like(x)
    for name in config.dimensions:
        axis = {"C": 0, "H": 1, "W": 2}[name]
        size = {"C": config.channel_block, "H": config.height_block, "W": config.width_block}[name]
        own = part(p, f"daem.extractors.{name}.")
        blocks = np.split(x, range(size, x.shape[axis], size), axis)
        total += np.concatenate([lfe(block, own, config.lfe) for block in blocks], axis)
    return total


def drtm(x, p, config):
    side = config.drtm_size
    t = bilinear(x, side, side)
    for n in range(3):
        mixed = pointwise(t, p[f"mixers.{n}.weight"], p[f"mixers.{n}.bias"])
        t = np.transpose(mixed * 0.5 * (1 + erf(mixed / np.sqrt(2))), (2, 0, 1))
    return x * bilinear(t, *x.shape[1:])


def part(p, prefix):
    return {k.removeprefix(prefix): v for k, v in p.items() if k.startswith(prefix)}


def reference(network, images):
    """One bracket (3, 3, H, W) through the equations."""
    config = network.config
    p = {k: v.numpy() for k, v in network.state_dict().items()}
    r = config.factor
    height, width = images.shape[-2:]
    x = np.pad(
        images.reshape(9, height, width), ((0, 0), (0, -height % r), (0, -width % r)), mode="edge"
    )
    unshuffled = np.stack([x[c, i::r, j::r] for c in range(9) for i in range(r) for j in range(r)])
    f = conv3(unshuffled, p["down.1.weight"], p["down.1.bias"])
    outputs = []
    for n in range(config.blocks):
        own = part(p, f"blocks.{n}.")
        f = daem(f, own, config)
        if config.drtm:
            f = config.residual * f + drtm(f, part(own, "drtm."), config)
        outputs.append(f)
    up = conv3(sum(outputs) if config.final == "sum" else f, p["up.0.weight"], p["up.0.bias"])
    gain = np.empty((3, x.shape[1], x.shape[2]))
    for c in range(3):
        for i in range(r):
            for j in range(r):
                gain[c, i::r, j::r] = up[c * r * r + i * r + j]
    return gain[:, :height, :width] * images[1]
