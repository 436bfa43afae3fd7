"""What test_ipl_plus_cuda.py runs in a process of its own: Triton decides at import to interpret.

Prints one JSON object: for each case the largest difference from the float32 network and the
relative error in the Frobenius norm.
"""

import json
import sys

import torch
from kernel_scripts import error

from dmef_bench.ipl_plus import IPLPlus, IPLPlusConfig
from dmef_bench.ipl_plus.cuda.convolutions import Tiles
from dmef_bench.ipl_plus.cuda.launches import Launches
from dmef_bench.ipl_plus.cuda.packing import PackedNetwork
from dmef_bench.ipl_plus.tone_curves import inverse_responses
from synth.exposure import DEFAULT_EVS

SMALL = {"features": 6, "width": 6, "radius": 1, "coarsest": 4, "knots": 9}
# The interpreter's time goes by the number of tiles.
TILES = Tiles(pixels=64, gathered=16, fetched=128, single=4096)


def network(config):
    torch.manual_seed(1)
    filled = IPLPlus(config).eval()
    with torch.no_grad():
        for name, parameter in filled.named_parameters():
            if name == "alignment.sharpness":
                continue
            scale = 0.05 if parameter.ndim == 1 else 0.7 / parameter[0].numel() ** 0.5
            parameter.add_(torch.randn_like(parameter) * scale)
    return filled


def pictures(batch, size):
    """Smooth, so that matches and flows mean something; parts are clipped."""
    coarse = torch.rand(batch * 3, 3, size[0] // 5, size[1] // 5) * 1.4 - 0.2
    fine = torch.nn.functional.interpolate(coarse, size, mode="bilinear")
    return fine.clamp(0, 1).view(batch, 3, 3, *size)


def fused(made, images, *, clip=False, out=torch.float32, tiles=TILES):
    picture = torch.zeros(images.shape[0], 3, *images.shape[-2:], dtype=out)
    if out.is_floating_point:
        picture.fill_(float("nan"))
    start = inverse_responses(made.config.knots, DEFAULT_EVS, images.device)
    with torch.inference_mode():
        weights = PackedNetwork(made)
        Launches(weights, made.config, images, start, picture, clip=clip, tiles=tiles).run()
    return picture


def compare(changes, size, dtype=torch.float32, batch=1, tiles=TILES):
    made = network(IPLPlusConfig(**{**SMALL, **changes}))
    images = pictures(batch, size)
    with torch.inference_mode():
        expected = made(images)
    return error(fused(made.to(dtype), images, tiles=tiles), expected)


def moving():
    """A case beside how far its flow points, and how much of the result is not the reference's."""
    made, images = network(IPLPlusConfig(**SMALL)), pictures(1, (40, 40))
    start = inverse_responses(made.config.knots, DEFAULT_EVS, images.device)
    with torch.inference_mode():
        flow = made.alignment(images, made.curves(images, start))
        parts = made.parts(images)
    return {
        **error(fused(made, images), parts.fused),
        "flow": float(flow.abs().mean()),
        "mixed": float((parts.fused - parts.reference).abs().mean()),
    }


def eight_bit():
    """From uint8 to uint8: how many values are off, and by how much at most."""
    made = network(IPLPlusConfig(**SMALL))
    images = (pictures(1, (16, 18)) * 255).byte()
    with torch.inference_mode():
        exact = made(images.float() / 255).clamp(0, 1)
    got = fused(made, images, clip=True, out=torch.uint8)
    off = (got.int() - (exact * 255).round().int()).abs()
    return {"largest": int(off.max()), "share": float((off > 0).float().mean())}


def nan():
    """How many values of the result are NaN if one of the bracket is."""
    made = network(IPLPlusConfig(**SMALL))
    images = pictures(1, (16, 16))
    images[0, 1, 1, 8, 9] = float("nan")
    return {"there": int(fused(made, images, clip=True).isnan().sum())}


CASES = {
    "two levels": moving,
    "odd, batch of 2": lambda: compare({}, (16, 17), batch=2),
    "no alignment": lambda: compare({"align": False}, (17, 16)),
    "wide search": lambda: compare({"radius": 3}, (16, 16)),
    "shipped widths, many tiles": lambda: compare(
        {"features": 24, "width": 32, "radius": 2},
        (16, 49),
        tiles=Tiles(pixels=16, gathered=16, fetched=16, single=256),
    ),
    "bfloat16": lambda: compare({}, (16, 16), torch.bfloat16),
    "float16": lambda: compare({}, (16, 16), torch.float16),
    "eight bit": eight_bit,
    "NaN": nan,
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    json.dump({name: case() for name, case in CASES.items()}, sys.stdout)
