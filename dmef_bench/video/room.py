"""Memory for the frames of a window that one window after the other is decoded into."""

import os
from collections.abc import Callable
from multiprocessing.reduction import DupFd
from typing import Protocol


class Room:
    """A file in memory.

    A window that is decoded into it finds its pages there already, which the system would
    otherwise have to find, to clear and to take back again for every window anew. Only one may
    use it at a time, and what one leaves in it lasts until the next one's frames come.

    It can be sent to a process that `multiprocessing` starts, and is the same memory there.

    Args:
        descriptor: of a file in memory, which becomes this room's own; None for a new one.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = os.memfd_create("room") if descriptor is None else descriptor

    def descriptor(self) -> int:
        """A descriptor of the file, at its beginning; the caller closes it."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.dup(self._descriptor)

    def close(self) -> None:
        """Give the memory back."""
        os.close(self._descriptor)

    def __reduce__(self) -> tuple[Callable[..., "Room"], tuple[object]]:
        return _arrived, (DupFd(self._descriptor),)


class _Sent(Protocol):
    def detach(self) -> int: ...


def _arrived(sent: "_Sent") -> Room:
    return Room(sent.detach())
