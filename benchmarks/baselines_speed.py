"""The learned baselines' networks beside plain eager PyTorch code of the same networks.

    python benchmarks/baselines_speed.py [--only NAME] [--repeats N] [--scale S] [--threads N]

Both have the same random weights, get the same random exposures at the size Table 1 of the IPL
paper feeds the method with (its MR), and are called in turn, so that other work on the machine
meets both. The eager side is benchmarks/eager_networks.py, which says what it does. Written down
are medians of wall-clock and of processor seconds, the largest difference of the two results, and
what half precision changes: relative error (Frobenius norm) and largest difference of our network
in bfloat16 and float16 against itself in float32 (on a CPU at 32×32 at most: one without such
arithmetic takes minutes for more). On a GPU both sides run there.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import report
import torch
from eager_networks import EAGER
from torch import Tensor, nn

from baselines import from_configuration

SIZES = {
    "ahdrnet": ("official", 256),
    "fshdr": ("official", 512),
    "hdr-transformer": ("official", 200),
    "sctnet": ("official", 200),
    "bracketire": ("ipl_table1", 1024),
}
HALF_SIDE_ON_CPU = 32
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


def main() -> None:
    """Measure all, print a line each, and write benchmarks/results/baselines_speed.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=SIZES, action="append", help="may be repeated")
    parser.add_argument("--repeats", type=int, default=7, help="timed calls of each side")
    parser.add_argument("--scale", type=float, default=1.0, help="of the sides, for a quick look")
    parser.add_argument("--threads", type=int, default=None, help="of torch; all cores if left out")
    parser.add_argument("--no-half", action="store_true", help="leave half precision out")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_grad_enabled(False)
    rows: dict[str, Any] = {}
    for name in arguments.only or SIZES:
        configuration, side = SIZES[name]
        side = max(16, round(side * arguments.scale) // 8 * 8)
        row = measure(name, configuration, side, arguments.repeats, device)
        if not arguments.no_half:
            row["half_precision"] = half_precision(name, configuration, side, device)
        rows[name] = row
        print(
            f"{name} {side}×{side}: eager {row['eager_seconds']:.3f} s, ours "
            f"{row['seconds']:.3f} s, {row['ratio']:.2f}x (processor "
            f"{row['processor_ratio']:.2f}x), difference {row['largest_difference']:.1e}"
        )
        for half, error in row.get("half_precision", {}).items():
            print(f"  {half}: {error}")
    if arguments.scale == 1 and not arguments.only and not arguments.no_half:
        data = {
            "repeats": arguments.repeats,
            "threads": torch.get_num_threads(),
            "networks": rows,
        }
        print(report.write(report.named_for(device.type, "baselines_speed"), data))


def measure(
    name: str, configuration: str, side: int, repeats: int, device: torch.device
) -> dict[str, Any]:
    """Both sides in turn, on the same weights and exposures."""
    torch.manual_seed(0)
    network = from_configuration(name, configuration).eval().to(device)
    inputs = random_inputs(name, network, side, device)
    eager: Callable[..., Tensor] = EAGER[name]
    sides = {"eager": lambda: eager(network, *inputs), "ours": lambda: network(*inputs)}
    results = {key: call() for key, call in sides.items()}
    wall: dict[str, list[float]] = {key: [] for key in sides}
    processor: dict[str, list[float]] = {key: [] for key in sides}
    for _ in range(repeats):
        for key, call in sides.items():
            began, used = time.perf_counter(), time.process_time()
            call()
            if device.type == "cuda":
                torch.cuda.synchronize()
            wall[key].append(time.perf_counter() - began)
            processor[key].append(time.process_time() - used)
    seconds = {key: statistics.median(times) for key, times in wall.items()}
    cpu = {key: statistics.median(times) for key, times in processor.items()}
    return {
        "configuration": configuration,
        "size": [side, side],
        "eager_seconds": seconds["eager"],
        "seconds": seconds["ours"],
        "ratio": seconds["eager"] / seconds["ours"],
        "eager_processor_seconds": cpu["eager"],
        "processor_seconds": cpu["ours"],
        "processor_ratio": cpu["eager"] / cpu["ours"],
        "largest_difference": float((results["eager"] - results["ours"]).abs().max()),
    }


def random_inputs(
    name: str, network: nn.Module, side: int, device: torch.device
) -> tuple[Tensor, ...]:
    """Exposures of one scene for the network's `forward`: the same noise at three brightnesses."""
    config: Any = network.config
    generator = torch.Generator().manual_seed(1)
    if name == "bracketire":
        shape = (1, config.frames, config.channels, side, side)
        return (torch.rand(shape, generator=generator).to(device),)
    light = torch.rand(1, config.inputs, side, side, generator=generator)
    exposures = [(light * gain).clamp(max=1).to(device) for gain in (0.25, 1.0, 4.0)]
    return (torch.cat(exposures, 1),) if name == "fshdr" else tuple(exposures)


def half_precision(
    name: str, configuration: str, side: int, device: torch.device
) -> dict[str, dict[str, Any] | str]:
    """What each half precision changes against float32; a sentence where it can't be computed."""
    side = side if device.type == "cuda" else min(side, HALF_SIDE_ON_CPU)
    errors: dict[str, dict[str, Any] | str] = {}
    torch.manual_seed(0)
    network = from_configuration(name, configuration).eval().to(device)
    weights = {key: value.clone() for key, value in network.state_dict().items()}
    inputs = random_inputs(name, network, side, device)
    exact = network(*inputs)
    for half, kind in HALF.items():
        network.float().load_state_dict(weights)
        network.to(kind)
        try:
            result = network(*(x.to(kind) for x in inputs)).float()
        except RuntimeError as error:
            errors[half] = " ".join(str(error).split())[:200]
            continue
        difference = result - exact
        errors[half] = {
            "size": [side, side],
            "relative": float(difference.norm() / exact.norm()),
            "largest": float(difference.abs().max()),
        }
    return errors


if __name__ == "__main__":
    main()
