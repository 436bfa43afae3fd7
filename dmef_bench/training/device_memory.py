"""A device whose memory is full, told in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dmef_bench.errors import DmefError


class DeviceFullError(DmefError):
    """What one method needs is more than the device's memory; another may fit (exit code 1)."""

    exit_code = 1


@contextmanager
def told_when_full(device: torch.device, doing: str) -> Iterator[None]:
    """Work on a device that may not have the memory for it.

    Args:
        device: where it is done.
        doing: what, for the message: "step 12", "validation".

    Raises:
        DeviceFullError: its memory is full.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise DeviceFullError(
            f"{doing}: the memory of {device} is full; give a smaller --batch or --crop, or "
            "--precision bf16. The last checkpoint is kept"
        ) from None
