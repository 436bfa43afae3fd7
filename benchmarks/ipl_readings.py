"""Which readings of the IPL paper train best at equal cost: one short training for each.

    python benchmarks/ipl_readings.py OUT [--steps N] [--crop N] [--only NAME]

Every reading differs from the shipped configuration in what its name says, sees the same generated
samples in the same order, and is judged on the same held-out scenes as `dmef-bench train` does.
OUT holds a training for each, resumed where it was. Writes benchmarks/results/ipl_readings.json:
PSNR and SSIM of the averaged weights, the mean loss of the last quarter of the steps, parameters,
and the seconds of processors that the training took.
"""

import argparse
import csv
import statistics
import time
from pathlib import Path
from typing import Any

import report
import torch

from dmef_bench.ipl import IPL, IPLConfig
from dmef_bench.training import GeneratedScenes, TrainSettings, find_recipe, train

READINGS = {
    "as shipped": {},
    "lfe=equation": {"lfe": "equation"},
    "lfe=equation, blocks of 16": {
        "lfe": "equation", "width_block": "16", "height_block": "16",
    },
    "final=sum": {"final": "sum"},
    "factor=2": {"factor": "2"},
    "factor=8": {"factor": "8"},
    "drtm_size=16": {"drtm_size": "16"},
    "drtm_size=96": {"drtm_size": "96"},
    "channel_block=8": {"channel_block": "8"},
    "channel_block=48": {"channel_block": "48"},
}  # fmt: skip


def main() -> None:
    """Train all that is not trained yet, print a line each and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--only", choices=READINGS, action="append", help="may be repeated")
    arguments = parser.parse_args()
    rows: dict[str, Any] = {}
    for name in arguments.only or READINGS:
        rows[name] = one(name, arguments.steps, arguments.crop, arguments.out)
        print(
            f"{name}: {rows[name]['psnr']:.2f} dB, SSIM {rows[name]['ssim']:.4f}, "
            f"{rows[name]['parameters']:,} parameters",
            flush=True,
        )
    if not arguments.only:
        settings = {"steps": arguments.steps, "crop": arguments.crop, "batch": 4, "seed": 0}
        print(report.write("ipl_readings", settings | {"readings": rows}))


def one(name: str, steps: int, crop: int, out: Path) -> dict[str, Any]:
    """Train one reading and measure it."""
    options = READINGS[name]
    settings = TrainSettings(
        steps=steps, learning_rate=1e-3, options=options, validate_every=steps
    )  # fmt: skip
    folder = out / name.replace(" ", "-").replace(",", "").replace("=", "-")
    fresh, began = not folder.exists(), time.process_time()
    device = torch.device("cpu")
    done = train(
        find_recipe("ipl"), GeneratedScenes(crop), settings, folder, device=device, quiet=True
    )
    rows = list(csv.DictReader((folder / "log.csv").open()))
    return {
        "options": options,
        "psnr": done.psnr,
        "ssim": float(rows[-1]["validation_ssim"]),
        "loss": statistics.mean(float(row["loss"]) for row in rows[-(steps // 4) :]),
        "parameters": sum(p.numel() for p in IPL(IPLConfig().changed(options)).parameters()),
        # Of a training that an earlier run of this script began, its part is not known.
        "processor_seconds": time.process_time() - began if fresh else None,
    }


if __name__ == "__main__":
    main()
