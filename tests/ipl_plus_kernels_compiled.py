"""What test_ipl_plus_cuda.py runs in a process of its own: every launch compiled for compute 9.0.

Prints one JSON object: for each different one its kernel, registers, the bytes it spills, its
shared memory and the number of matrix instructions.
"""

import json
import sys
from pathlib import Path

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


if __name__ == "__main__":
    json.dump([figures(launch) for launch in recorded()], sys.stdout)
