"""What test_ipl_plus_cuda.py runs in a process of its own: every launch compiled for compute 9.0.

Prints one JSON object: for two cases and each of their different launches the kernel, registers,
the bytes it spills, its shared memory and the number of matrix instructions.
"""

import json
import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from compiled_launches import recorded


def figures(launch):
    machine = launch.compiled()
    return {
        "kernel": launch.name,
        "registers": machine.registers,
        "stack_bytes": machine.stack_bytes,
        "shared_bytes": machine.shared_bytes,
        "matrix_instructions": machine.matrix_instructions,
    }


CASES = {
    "4K in bfloat16": lambda: recorded(),
    "two uneven 8-bit pictures in float16": lambda: recorded(
        torch.float16, (2, 3, 3, 1079, 1919), torch.uint8
    ),
}

if __name__ == "__main__":
    built = {name: [figures(launch) for launch in case()] for name, case in CASES.items()}
    json.dump(built, sys.stdout)
