"""The most memory a piece of work holds above what was held before it."""

import gc
from pathlib import Path
from typing import Literal

import torch

from dmef_bench.evaluation.freed_memory import return_freed_memory

_STATUS = "/proc/{}/status"
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


class PeakMemory:
    """Measures what runs inside `with`, in this process and on one device.

    On CUDA: peak of torch's allocator less what was allocated at entry. On the CPU: the kernel's
    own peak of the resident set (VmHWM, set back at entry) less the resident set at entry; what the
    process kept from earlier work is given back before, so that its use is seen.

    Attributes:
        kind: "cuda" or "rss".
        bytes: the peak, known after `with`; None where the kernel does not tell.
    """

    def __init__(self, device: torch.device) -> None:
        """A measurement on `device`, not begun yet."""
        self._device = device
        self._before: int | None = None
        self.kind: Literal["cuda", "rss"] = "cuda" if device.type == "cuda" else "rss"
        self.bytes: int | None = None

    def __enter__(self) -> "PeakMemory":
        gc.collect()
        if self.kind == "cuda":
            torch.cuda.synchronize(self._device)
            torch.cuda.reset_peak_memory_stats(self._device)
            self._before = torch.cuda.memory_allocated(self._device)
        else:
            return_freed_memory()
            if _reset_resident_peak():
                self._before = resident_bytes()
        return self

    def __exit__(self, *exception: object) -> None:
        if exception[0] is not None or self._before is None:
            return
        if self.kind == "cuda":
            peak: int | None = torch.cuda.max_memory_allocated(self._device)
        else:
            peak = resident_bytes("VmHWM")
        if peak is not None:
            self.bytes = max(0, peak - self._before)


def _reset_resident_peak() -> bool:
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def resident_bytes(
    field: Literal["VmRSS", "VmHWM", "VmData"] = "VmRSS", process: int | None = None
) -> int | None:
    """What the kernel says of a process's memory; None where it does not tell, or no longer.

    Args:
        field: resident now, at its peak, or private data whether resident or not.
        process: its number; this one where None.
    """
    try:
        status = Path(_STATUS.format(process or "self")).read_text(encoding="utf-8")
    except OSError:
        return None
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    return None
