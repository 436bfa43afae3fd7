"""A device whose memory is full, told in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dmef_bench.errors import MissingError


@contextmanager
def told_when_full(device: torch.device, doing: str) -> Iterator[None]:
    """Work on a device that may not have the memory for it.

    Args:
        device: where it is done.
        doing: what, for the message: "step 12", "validation".

    Raises:
        MissingError: its memory is full.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise MissingError(
            f"{doing}: the memory of {device} is full; give a smaller --batch or --crop, or "
            "--precision bf16. The last checkpoint is kept"
        ) from None
