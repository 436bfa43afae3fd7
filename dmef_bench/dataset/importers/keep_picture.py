"""Put one picture of an imported dataset into its place."""

import os
from pathlib import Path

from dmef_bench.atomic_write import atomic_write, explained, sha256_of_file


def keep_picture(path: Path, content: bytes, sha256: str, source: Path | None) -> None:
    """Bring bytes to `path`, unless they are there already.

    Args:
        path: in the dataset.
        content: the bytes.
        sha256: theirs.
        source: file to try a hard link to; None for a copy.

    Raises:
        MissingError: the disk is full or the folder can't be written.
    """
    there = path.is_file() and not path.is_symlink() and path.stat().st_size == len(content)
    if there and sha256_of_file(path) == sha256:
        return
    if source is not None and _linked(source, path, sha256):
        return
    atomic_write(path, content)


def _linked(source: Path, path: Path, sha256: str) -> bool:
    """Whether a hard link with the right bytes could be made."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    try:
        os.link(source, path, follow_symlinks=False)
    except OSError:
        return False  # another file system, or one without hard links
    if not path.is_symlink() and sha256_of_file(path) == sha256:
        return True
    path.unlink()  # the source was changed since it was read
    return False
