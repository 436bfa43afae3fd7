"""Read a small file that somebody else wrote, without being led elsewhere by it."""

import os
import stat
from pathlib import Path

from leaderboard.errors import RecordError


def read_plain(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes; links and pipes are not opened.

    Raises:
        RecordError: missing, a link, not a regular file, larger than `limit`, or unreadable.
    """
    try:
        # O_NONBLOCK: a named pipe would otherwise block for ever before fstat can refuse it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise RecordError(f"{path}: there is no such file") from None
    except OSError as error:
        reason = "it is a link, which is not followed" if path.is_symlink() else error.strerror
        raise RecordError(f"{path}: can't be read ({reason})") from error
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RecordError(f"{path}: not a regular file")
        if status.st_size > limit:
            raise RecordError(
                f"{path}: {status.st_size:,} bytes, more than the {limit:,} such a file may have"
            )
        return stream.read(limit)
