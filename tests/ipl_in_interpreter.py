"""What test_ipl_cuda.py runs in a process of its own: Triton decides at import to interpret.

Prints one JSON object: for each case the largest difference from the float32 network and the
relative error in the Frobenius norm.
"""

import json
import sys

import torch
from kernel_scripts import error

from dmef_bench.ipl import IPL, IPLConfig
from dmef_bench.ipl.fast.cuda.launches import Launches, Tiles
from dmef_bench.ipl.fast.cuda.packing import PackedNetwork

SMALL = {
    "channels": 6, "blocks": 2, "factor": 2, "channel_block": 3, "width_block": 4,
    "height_block": 5, "drtm_size": 5,
}  # fmt: skip
# The interpreter's time goes by the number of tiles.
TILES = Tiles(pixels=128, samples=128)


def network(config):
    torch.manual_seed(1)
    filled = IPL(config).eval()
    with torch.no_grad():
        for parameter in filled.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2)
    return filled


def fused(made, images, *, clip=False, out=torch.float32, tiles=TILES):
    picture = torch.zeros(images.shape[0], 3, *images.shape[-2:], dtype=out)
    if out.is_floating_point:
        picture.fill_(float("nan"))
    with torch.inference_mode():
        Launches(PackedNetwork(made), made.config, images, picture, clip=clip, tiles=tiles).run()
    return picture


def compare(changes, size, dtype=torch.float32, batch=1, tiles=TILES):
    made = network(IPLConfig(**{**SMALL, **changes}))
    images = torch.rand(batch, 3, 3, *size)
    with torch.inference_mode():
        expected = made(images)
    return error(fused(made.to(dtype), images, tiles=tiles), expected)


def eight_bit():
    """From uint8 to uint8: how many values are off, and by how much at most."""
    made = network(IPLConfig(**SMALL))
    images = torch.randint(0, 256, (1, 3, 3, 17, 22), dtype=torch.uint8)
    with torch.inference_mode():
        exact = made(images.float() / 255)
    made.up[0].weight.data /= exact.abs().max()
    made.up[0].bias.data /= exact.abs().max()
    with torch.inference_mode():
        exact = made(images.float() / 255).clamp(0, 1)
    got = fused(made, images, clip=True, out=torch.uint8)
    off = (got.int() - (exact * 255).round().int()).abs()
    return {"largest": int(off.max()), "share": float((off > 0).float().mean())}


def nan():
    """Values that are NaN in the network's result, and those among them that the kernels hide."""
    made = network(IPLConfig(**{**SMALL, "drtm": False}))
    images = torch.rand(1, 3, 3, 17, 22)
    images[0, 2, 1, 8, 9] = float("nan")
    with torch.inference_mode():
        expected = made(images).clamp(0, 1)
    got = fused(made, images, clip=True)
    hidden = expected.isnan() & ~got.isnan()
    return {"there": int(expected.isnan().sum()), "hidden": int(hidden.sum())}


CASES = {
    "even": lambda: compare({}, (16, 16)),
    "odd, batch of 2": lambda: compare({}, (21, 18), batch=2),
    "sum, three blocks": lambda: compare({"final": "sum", "blocks": 3}, (17, 23)),
    "one dimension": lambda: compare({"dimensions": "C"}, (19, 16)),
    "no dimension": lambda: compare({"dimensions": ""}, (16, 18)),
    "no DRTM, factor 3": lambda: compare({"drtm": False, "factor": 3}, (16, 25)),
    "factor 1, many tiles": lambda: compare(
        {"factor": 1, "drtm": False}, (16, 17), tiles=Tiles(pixels=128)
    ),
    "more contexts than features": lambda: compare({"factor": 4, "drtm_size": 6}, (17, 16)),
    "shipped widths": lambda: compare(
        {"channels": 48, "channel_block": 16, "factor": 4, "blocks": 1}, (21, 26)
    ),
    "bfloat16": lambda: compare({}, (18, 21), torch.bfloat16),
    "float16": lambda: compare({"final": "sum"}, (21, 18), torch.float16),
    "eight bit": eight_bit,
    "NaN": nan,
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    json.dump({name: case() for name, case in CASES.items()}, sys.stdout)
