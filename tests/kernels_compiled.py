"""What the tests of CUDA paths run in a process of its own: every launch compiled for compute 9.0.

Prints one JSON object: for each case and each of its different launches the kernel, registers, the
bytes it spills, its shared memory and the number of matrix instructions. Its argument says of which
network: ipl or ipl-plus.
"""

import json
import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from compiled_launches import of_ipl, of_ipl_plus

UNEVEN = (torch.float16, (2, 3, 3, 1079, 1919), torch.uint8)


def figures(launch):
    machine = launch.compiled()
    return {
        "kernel": launch.name,
        "registers": machine.registers,
        "stack_bytes": machine.stack_bytes,
        "shared_bytes": machine.shared_bytes,
        "matrix_instructions": machine.matrix_instructions,
    }


if __name__ == "__main__":
    launches = {"ipl": of_ipl, "ipl-plus": of_ipl_plus}[sys.argv[1]]
    cases = {
        "4K in bfloat16": launches(),
        "two uneven 8-bit pictures in float16": launches(*UNEVEN),
    }
    json.dump({name: [figures(one) for one in case] for name, case in cases.items()}, sys.stdout)
