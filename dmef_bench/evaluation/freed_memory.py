"""What glibc does with the memory of a tensor that is gone.

By default it hands large blocks back to the system at once. The next tensor of that size then gets
pages that have to be found and cleared again, which at 4K takes longer than the arithmetic on them.
"""

import ctypes
from collections.abc import Callable
from typing import Any, Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_MAX: Final = -4
_NEVER: Final = -1


def keep_freed_memory() -> None:
    """Let this process keep memory that is freed, for what it allocates next, until it ends.

    For all of the process and for good. Peaks rise by what lies unused between blocks in use
    (benchmarks/freed_memory.py measures it). Without glibc, nothing happens.
    """
    set_option = _glibc("mallopt")
    if set_option is not None:
        set_option(_M_MMAP_MAX, 0)
        set_option(_M_TRIM_THRESHOLD, _NEVER)


def return_freed_memory() -> None:
    """Give the system what was kept so far; without glibc, nothing happens."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name: str) -> Callable[..., Any] | None:
    function: Callable[..., Any] | None = getattr(ctypes.CDLL(None), name, None)
    return function
