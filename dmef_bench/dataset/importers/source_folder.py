"""Look into folders that others made, without following links."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dmef_bench.dataset.importers.found import BrokenSceneError, Split
from dmef_bench.errors import UsageError

MAX_DEPTH: Final = 6
_SPLIT: Final = re.compile(r"(?i)(?:.*[^a-z])?(train|test)(?:ing)?(?:[^a-z].*)?")


def folders(top: Path, depth: int = MAX_DEPTH) -> Iterator[Path]:
    """`top` and every folder below it, in order of name; links and hidden ones are left out.

    Raises:
        UsageError: `top` is no folder, or one can't be read.
    """
    if not top.is_dir():
        raise UsageError(f"{top}: there is no such folder")
    yield top
    if depth == 0:
        return
    try:
        with os.scandir(top) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
            )
    except OSError as error:
        raise UsageError(f"{top}: can't be read ({error.strerror})") from error
    for name in names:
        yield from folders(top / name, depth - 1)


def files(folder: Path) -> list[Path]:
    """Everything directly in `folder` that is no folder and not hidden, links too, by name.

    Raises:
        BrokenSceneError: it can't be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(
                folder / entry.name
                for entry in entries
                if not entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
            )
    except OSError as error:
        raise BrokenSceneError(f"{folder}: can't be read ({error.strerror})") from error


def split_of(relative: Path) -> Split | None:
    """The split that a folder's name says: the first part with the word train(ing) or test."""
    for part in relative.parts:
        if found := _SPLIT.fullmatch(part):
            return "train" if found[1].lower() == "train" else "test"
    return None


def read_source(path: Path, limit: int) -> bytes:
    """Bytes of one plain file of at most `limit` bytes.

    Raises:
        BrokenSceneError: missing, a link, no file, too large or unreadable.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise BrokenSceneError(
            f"{path}: missing; put the file there as it is distributed"
        ) from None
    except OSError as error:
        if path.is_symlink():
            raise BrokenSceneError(
                f"{path}: a link, which is not followed; put the file itself there"
            ) from None
        raise BrokenSceneError(f"{path}: can't be read ({error.strerror})") from error
    with os.fdopen(descriptor, "rb") as stream:
        try:
            content = stream.read(limit + 1)
        except OSError as error:
            raise BrokenSceneError(f"{path}: can't be read ({error.strerror})") from error
    if len(content) > limit:
        raise BrokenSceneError(f"{path}: larger than {limit:,} bytes; it was not read")
    return content
