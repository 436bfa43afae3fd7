"""What every benchmark writes: the figures, the machine, the versions."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    "dmef-bench", "numpy", "scipy", "opencv-python", "opencv-python-headless", "torch",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Processor, usable cores, GPU if there is one, and the versions that set the speed."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "gpu": _gpu(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def write(name: str, data: dict[str, Any]) -> Path:
    """Write benchmarks/results/<name>.json: `data` and the machine it was measured on."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), **data}, indent=2) + "\n", encoding="utf-8")
    return path


def named_for(device_type: str, name: str) -> str:
    """A result's name on a device: a GPU's figures lie beside the CPU's, not over them."""
    return name if device_type == "cpu" else f"{name}_{device_type}"


def median_seconds(function: Callable[[], object], repeats: int = 5) -> float:
    """Median wall-clock seconds of `repeats` calls, after one call to warm up."""
    function()
    return statistics.median(_seconds(function) for _ in range(repeats))


def cuda_seconds(repeats: int, work: Callable[[], object]) -> dict[str, float]:
    """Seconds of each call by a GPU's own clock: median, fastest and slowest."""
    import torch

    took = []
    for _ in range(repeats):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        end.synchronize()
        took.append(start.elapsed_time(end) / 1000)
    return {"median_s": statistics.median(took), "fastest_s": min(took), "slowest_s": max(took)}


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _gpu() -> str | None:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
