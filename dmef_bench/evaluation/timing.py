"""Honest seconds: the device has finished before the clock is read."""

import time
from collections.abc import Sequence

import numpy as np
import torch

from leaderboard.records import Spread


def synchronise(device: torch.device) -> None:
    """Wait until everything queued on a CUDA device is done; the CPU never queues."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Stopwatch:
    """Wall-clock seconds of what runs inside `with`, added up over several entries.

    Attributes:
        seconds: time spent inside so far.
    """

    def __init__(self, device: torch.device) -> None:
        """A stopwatch at zero for work on `device`."""
        self._device = device
        self._started = 0.0
        self.seconds = 0.0

    def __enter__(self) -> "Stopwatch":
        synchronise(self._device)
        self._started = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        # After an error there is nothing to time, and a broken device would raise once more.
        if exception[0] is None:
            synchronise(self._device)
            self.seconds += time.perf_counter() - self._started


def spread(seconds: Sequence[float]) -> Spread | None:
    """Median and quartiles (linear interpolation); None for no timings."""
    if not seconds:
        return None
    lower, median, upper = (float(q) for q in np.quantile(seconds, (0.25, 0.5, 0.75)))
    return Spread(median=median, lower_quartile=lower, upper_quartile=upper, count=len(seconds))
