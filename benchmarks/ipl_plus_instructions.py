"""Instructions of IPL+'s kernels for a 4K picture: `python benchmarks/ipl_plus_instructions.py`.

No measurement: a bound from below that needs no GPU (a minute; Triton). Every launch is compiled
for an H200 and its machine code counted, loops as often as they run; each of the four schedulers
of 132 multiprocessors is taken to issue one instruction a cycle at 1.755 GHz, without ever waiting
for memory, matrix units or the next launch. It says where instructions go and whether a change
saves any. Writes benchmarks/results/ipl_plus_instructions.json.
"""

import math
import re
from collections import Counter
from typing import Any

from compiled_launches import Launch, Machine, of_ipl_plus
from report import write

MULTIPROCESSORS, SCHEDULERS, HERTZ = 132, 4, 1.755e9
# Shorter backward jumps are no loops of a kernel's own.
LEAST_LOOP = 8


def repeats(launch: Launch) -> int:
    """How often the kernel's one loop runs, where it was not unrolled."""
    constants = launch.constants
    if launch.name in ("convolve", "mix"):
        return int(9 * constants["KP"] // constants["BK"])
    if launch.name == "join":
        return int(constants["COARSE"] // constants["COARSE_BK"])
    return {"enter": 3, "differ": 5, "share": 5}.get(launch.name, 1)


def executed(launch: Launch, machine: Machine) -> int:
    """Instructions that each warp of a program executes."""
    place = {address: n for n, address in enumerate(machine.addresses)}
    loops = []
    for n, text in enumerate(machine.instructions):
        goal = re.search(r"\bBRA\b.*0x([0-9a-f]+)", text)
        start = place.get(int(goal[1], 16), n) if goal else n
        if n - start >= LEAST_LOOP:
            loops.append(n - start + 1)
    once = sum("NOP" not in text for text in machine.instructions)
    return once + sum(length * (repeats(launch) - 1) for length in loops[:1])


def main() -> None:
    """Count, print and write the file."""
    rows: list[dict[str, Any]] = []
    for launch in of_ipl_plus():
        machine = launch.compiled()
        instructions = executed(launch, machine)
        for grid in launch.grids:
            warps = math.prod(grid) * launch.options.get("num_warps", 4)
            cycles = warps * instructions / MULTIPROCESSORS / SCHEDULERS
            rows.append(
                {
                    "kernel": launch.name,
                    "grid": grid,
                    "instructions": instructions,
                    "registers": machine.registers,
                    "least_s": cycles / HERTZ,
                }
            )
    by_kernel: Counter[str] = Counter()
    for row in rows:
        by_kernel[row["kernel"]] += row["least_s"]
    rows.sort(key=lambda row: -row["least_s"])
    for row in rows[:12]:
        print(f"{row['least_s'] * 1e3:.4f} ms", *(row[n] for n in ("kernel", "grid")))
    total = sum(by_kernel.values())
    for name, seconds in by_kernel.most_common():
        print(f"{seconds * 1e3:.3f} ms {name}")
    print(f"{total * 1e3:.3f} ms in {len(rows)} launches")
    print(
        write("ipl_plus_instructions", {"least_s": total, "kernels": by_kernel, "launches": rows})
    )


if __name__ == "__main__":
    main()
