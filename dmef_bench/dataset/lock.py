"""A folder that one process at a time works in."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from dmef_bench.atomic_write import explained
from dmef_bench.errors import MissingError, UsageError

LOCK_FILE = "lock"


@contextlib.contextmanager
def held(folder: Path, busy: str) -> Iterator[None]:
    """Make `folder` where needed and lock it; the lock ends with the process.

    Args:
        folder: in which the lock file lies.
        busy: the sentence for a user whose other process is at work in it.

    Raises:
        MissingError: the folder can't be written.
        UsageError: it is a link, or another process is at work in it.
    """
    if folder.is_symlink():
        raise UsageError(f"{folder}: a link; remove it, or choose another output folder")
    try:
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise MissingError(
            f"{folder}: no folder can be made here ({error.strerror}); choose another output folder"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(busy) from None
        yield
    finally:
        os.close(lock)
