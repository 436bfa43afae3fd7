"""Where a run happens: processor, memory, device and the versions that set its figures."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from leaderboard.records import MachineRecord

_cudnn: Any = torch.backends.cudnn  # untyped in torch
_PACKAGES = (
    "dmef-bench", "torch", "torchvision", "numpy",
    "opencv-python", "opencv-python-headless", "lpips",
)  # fmt: skip


def describe_machine(device: torch.device) -> MachineRecord:
    """The record of the machine this process runs on."""
    processor = _processor()
    return MachineRecord(
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else processor,
        processor=processor,
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        threads=torch.get_num_threads(),
    )


def software_versions() -> dict[str, str]:
    """Versions of Python, of the packages a figure depends on, and of torch's CUDA and cuDNN."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    if torch.version.cuda is not None:
        versions["cuda"] = torch.version.cuda
        versions["cudnn"] = str(_cudnn.version())
    return versions


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
