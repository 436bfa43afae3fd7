"""The one way this package writes a file that must be whole or absent."""

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dmef_bench.errors import MissingError, UsageError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into one sentence that names the path.

    Raises:
        MissingError: the disk under `path` is full, or `path` may not be written.
        UsageError: a file stands where a folder must be, or a folder where a file must be.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise MissingError(
                f"{path}: the disk is full. What was finished is kept; "
                "free some space and run the same command again."
            ) from error
        if error.errno in _NOT_WRITABLE:
            raise MissingError(
                f"{path}: this folder can't be written ({error.strerror}). "
                "Choose another output folder or change its permissions."
            ) from error
        if error.errno in _IN_THE_WAY:
            raise UsageError(
                f"{path}: can't be written, {error.filename or path} is in the way "
                f"({error.strerror}). Choose another output folder."
            ) from error
        raise


def fsync_folder(folder: Path) -> None:
    """Make the names inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def atomic_write(path: Path, content: bytes) -> None:
    """Write `content` so that `path` holds either its old bytes or all the new ones.

    A temporary file beside `path` is written, synced and moved over it.

    Raises:
        MissingError: the disk is full or the folder is read-only.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)


def sha256_of_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
