"""What test_ipl_plus_cuda.py runs in a process of its own: every launch compiled for compute 9.0.

The launches of the shipped network for a 4K picture in bfloat16 are recorded on tensors without
memory. Prints one JSON object: for each different one its kernel, registers, the bytes it spills,
its shared memory and the number of matrix instructions.
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

from dmef_bench.ipl_plus import IPLPlus
from dmef_bench.ipl_plus.cuda import (
    brightness_kernels,
    convolution_kernels,
    judge_kernels,
    motion_kernels,
)
from dmef_bench.ipl_plus.cuda.launches import Launches
from dmef_bench.ipl_plus.cuda.packing import PackedNetwork

CUOBJDUMP = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
KERNELS = {
    brightness_kernels: ("estimate", "enter"),
    motion_kernels: ("halve", "fetch", "differ", "share", "settle"),
    convolution_kernels: ("convolve", "join"),
    judge_kernels: ("align", "look", "mix"),
}
POINTERS = {torch.bfloat16: "*bf16", torch.float32: "*fp32"}
OPTIONS = ("num_warps", "num_stages")


class Recorder:
    """Stands where a kernel was and keeps what it is launched with."""

    def __init__(self, name, kernel, launches):
        self.name, self.kernel, self.launches = name, kernel, launches

    def __getitem__(self, grid):
        return self.record

    def record(self, *arguments, **named):
        options = {name: named.pop(name) for name in OPTIONS if name in named}
        known = dict(zip(self.kernel.arg_names, arguments, strict=False)) | named
        described = tuple((name, describe(known[name], name in named)) for name in known)
        self.launches.setdefault((self.name, described, tuple(options.items())), self.kernel)


def describe(value, constant):
    """(type, whether it is a multiple of 16 or its constant), as a launch would see it."""
    if isinstance(value, torch.Tensor):
        return POINTERS[value.dtype], True
    if constant or value == 1:
        return "constexpr", value
    return ("fp32", False) if isinstance(value, float) else ("i32", value % 16 == 0)


def recorded():
    launches = {}
    for module, names in KERNELS.items():
        for name in names:
            setattr(module, name, Recorder(name, getattr(module, name), launches))
    network = IPLPlus().eval().to("meta", torch.bfloat16)
    images = torch.empty(1, 3, 3, 2160, 3840, dtype=torch.bfloat16, device="meta")
    start = torch.empty(3, network.config.knots, device="meta")
    with torch.inference_mode():
        Launches(
            PackedNetwork(network), network.config, images, start, images[:, 0].contiguous(),
            clip=True,
        ).run()  # fmt: skip
    return launches


def built(kernel, described, options):
    signature, constants, aligned = {}, {}, {}
    for place, (name, (kind, extra)) in enumerate(described):
        signature[name] = kind
        if kind == "constexpr":
            constants[name] = extra
        elif extra:
            aligned[(place,)] = [["tt.divisibility", 16]]
    return triton.compile(
        ASTSource(kernel, signature, constants, aligned),
        target=GPUTarget("cuda", 90, 32),
        options=dict(options),
    )


def figures(name, kernel, described, options, folder):
    made = built(kernel, described, options)
    path = Path(folder, "kernel.cubin")
    path.write_bytes(made.asm["cubin"])
    said = subprocess.run(
        [CUOBJDUMP, "--dump-resource-usage", path], capture_output=True, text=True, check=True
    ).stdout
    return {
        "kernel": name,
        "registers": int(re.search(r"REG:(\d+)", said)[1]),
        "stack_bytes": int(re.search(r"STACK:(\d+)", said)[1]),
        "shared_bytes": made.metadata.shared,
        "matrix_instructions": made.asm["ptx"].count("wgmma.mma_async"),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            figures(name, kernel, described, options, folder)
            for (name, described, options), kernel in recorded().items()
        ]
        json.dump(rows, sys.stdout)
