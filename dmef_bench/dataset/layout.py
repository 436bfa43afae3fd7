"""Where things lie in a dataset's folder, and how to read them without following links."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from dmef_bench.dataset.records import (
    CAMERA_PICTURES,
    CARD_FILE,
    CROISSANT_FILE,
    DATASET_FILE,
    METADATA_FILE,
    OTHER_PICTURES,
    PICTURES,
    SPLITS,
)
from dmef_bench.errors import IntegrityError, UsageError

# Only a build at work (or one that was interrupted) leaves this folder in a dataset.
WORK_FOLDER = ".dmef-build"
# The same of a pull from a Hub.
PULL_FOLDER = ".dmef-pull"
# Where a pulled dataset came from; about this copy, so no part of the dataset.
ORIGIN_FILE = ".dmef-origin.json"

_PICTURES = PICTURES + OTHER_PICTURES + CAMERA_PICTURES
_SCENE_FILE = re.compile(
    rf"(?:{'|'.join(SPLITS)})/[0-9]{{4,6}}/(?:{'|'.join(_PICTURES)})\.png"
    # What an imported dataset keeps as it came: photographs, and a ground truth of linear light.
    rf"|(?:{'|'.join(SPLITS)})/[0-9]{{4,6}}/(?:(?:low|mid|high)\.(?:tif|jpg)|gt\.(?:hdr|tif))"
)
_OTHER_FILES = {CARD_FILE, CROISSANT_FILE, DATASET_FILE} | {
    f"{split}/{METADATA_FILE}" for split in SPLITS
}


def belongs(name: str) -> bool:
    """Whether a dataset may hold a file of this name, relative to its folder."""
    return name in _OTHER_FILES or _SCENE_FILE.fullmatch(name) is not None


def walk(folder: Path, prefix: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Everything below `folder` that is no folder: its relative name and lstat, in order of name.

    Links are handed out, not followed. The work folders of a build and of a pull are left out, and
    so is the note where the dataset was pulled from.

    Raises:
        IntegrityError: a folder can't be read.
    """
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise IntegrityError(f"{folder}: can't be read ({error.strerror})") from error
    for entry in found:
        name = prefix + entry.name
        if name in (WORK_FOLDER, PULL_FOLDER, ORIGIN_FILE):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from walk(Path(entry.path), f"{name}/")
        else:
            yield name, entry.stat(follow_symlinks=False)


def foreign_files(folder: Path) -> list[str]:
    """Names of what lies in `folder` and is no part of any dataset."""
    return [
        name
        for name, status in walk(folder)
        if not (belongs(name) and stat.S_ISREG(status.st_mode))
    ]


def refuse_inside(dataset: Path, output: Path) -> None:
    """Refuse an output folder that lies in a dataset, all of whose files are listed.

    Raises:
        UsageError: it does.
    """
    if output.resolve().is_relative_to(dataset.resolve()):
        raise UsageError(
            f"{output}: inside the dataset, all of whose files are listed with their hashes; "
            "choose a folder outside it"
        )


def plain_file(root: Path, name: str) -> os.stat_result:
    """Status of the file `name` below `root`, proved to be reached without any link.

    Raises:
        IntegrityError: it is missing, a link, below a link or no file.
    """
    path = root
    status = root.stat()
    for part in PurePosixPath(name).parts:
        path = path / part
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            raise IntegrityError(f"{path}: missing; `dmef-bench verify` lists the damage") from None
        if stat.S_ISLNK(status.st_mode):
            raise IntegrityError(f"{path}: a link; a dataset holds plain files only")
    if not stat.S_ISREG(status.st_mode):
        raise IntegrityError(f"{path}: not a plain file")
    return status


def read_plain_file(root: Path, name: str, limit: int) -> bytes:
    """Bytes of the file `name` below `root`, reached without any link.

    Args:
        root: the dataset's folder.
        name: relative name, already checked to stay inside.
        limit: size in bytes above which the file is not read.

    Raises:
        IntegrityError: missing, a link, no file, larger than `limit`, or unreadable.
    """
    path = root / name
    if plain_file(root, name).st_size > limit:
        raise IntegrityError(f"{path}: larger than {limit:,} bytes; it was not read")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise IntegrityError(f"{path}: can't be read ({error.strerror})") from error
