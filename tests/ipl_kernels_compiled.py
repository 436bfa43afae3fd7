"""What test_ipl_cuda.py runs in a process of its own: every kernel compiled for compute 9.0.

Prints one JSON object: for each kernel its registers, the bytes it spills, its shared memory and
the number of matrix instructions; shipped configuration, bfloat16.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from dmef_bench.ipl.config import IPLConfig
from dmef_bench.ipl.fast.cuda import kernels
from dmef_bench.ipl.fast.cuda.launches import Tiles
from dmef_bench.ipl.fast.cuda.packing import INPUT_STEP, padded

CUOBJDUMP = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
TILES = Tiles.default(torch.bfloat16)
CONFIG = IPLConfig()
CONSTANTS = {
    "BLOCKS": CONFIG.blocks, "D": 3, "R": CONFIG.factor, "C": CONFIG.channels,
    "CP": padded(CONFIG.channels), "KP": -(-9 * CONFIG.factor**2 // INPUT_STEP) * INPUT_STEP,
    "BK": INPUT_STEP, "S": CONFIG.drtm_size, "NP": padded(3 * CONFIG.factor**2),
    "DRTM": True, "SUM": False, "EVEN": True, "EIGHT_BIT": False, "EIGHT_BIT_OUT": False,
    "CLIP": True, "FIRST": False, "K": CONFIG.drtm_size, "P": TILES.samples,
}  # fmt: skip
OF_THE_KERNEL = {
    "trunk": {"P": TILES.pixels},
    "upsample": {"P": TILES.pixels},
    "roll": {"KP": padded(CONFIG.drtm_size)},
    "sample_block": {},
    "sample_features": {},
}
FLOAT32 = {"down_bias", "squeeze_bias", "excite_bias", "bias", "samples"}
BFLOAT16 = {
    "images", "out", "features", "contexts", "down_weight", "squeeze", "excite", "weight",
    "fixed", "given", "rolled",
}  # fmt: skip
SCALES = {"down_row_scale", "down_column_scale", "up_row_scale", "up_column_scale"}


def built(name):
    kernel = getattr(kernels, name)
    constants = {**CONSTANTS, **OF_THE_KERNEL[name]}
    signature, known, aligned = {}, {}, {}
    for place, parameter in enumerate(kernel.arg_names):
        if parameter in constants:
            signature[parameter], known[parameter] = "constexpr", constants[parameter]
        elif parameter in FLOAT32 | BFLOAT16:
            signature[parameter] = "*fp32" if parameter in FLOAT32 else "*bf16"
            aligned[(place,)] = [["tt.divisibility", 16]]
        else:
            signature[parameter] = "fp32" if parameter in SCALES else "i32"
    return triton.compile(
        ASTSource(kernel, signature, known, aligned),
        target=GPUTarget("cuda", 90, 32),
        options={"num_warps": TILES.warps, "num_stages": TILES.stages},
    )


def figures(name, folder):
    kernel = built(name)
    path = Path(folder, "kernel.cubin")
    path.write_bytes(kernel.asm["cubin"])
    said = subprocess.run(
        [CUOBJDUMP, "--dump-resource-usage", path], capture_output=True, text=True, check=True
    ).stdout
    return {
        "registers": int(re.search(r"REG:(\d+)", said)[1]),
        "stack_bytes": int(re.search(r"STACK:(\d+)", said)[1]),
        "shared_bytes": kernel.metadata.shared,
        "matrix_instructions": kernel.asm["ptx"].count("wgmma.mma_async"),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        json.dump({name: figures(name, folder) for name in OF_THE_KERNEL}, sys.stdout)
