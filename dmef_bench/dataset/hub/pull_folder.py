"""`.dmef-pull`: what a pull knows and has fetched in part, until all of the dataset is there."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from dmef_bench.atomic_write import atomic_write, explained, fsync_folder
from dmef_bench.dataset.layout import ORIGIN_FILE, PULL_FOLDER
from dmef_bench.dataset.lock import held
from dmef_bench.dataset.records import DiskRecord
from dmef_bench.errors import UsageError

_NOTE_FILE = "pull.json"
_MANIFEST_FOLDER = "manifest"
_PARTS_FOLDER = "parts"


class Origin(DiskRecord):
    """Where a dataset is pulled from.

    Attributes:
        endpoint: the Hub's address.
        repository: ORG/NAME.
        requested: the revision that was asked for; None for the main branch.
        commit: what that was when the pull began.
    """

    endpoint: str
    repository: str
    requested: str | None
    commit: str


class PullFolder:
    """The hidden folder of one output folder, held by this process alone (see `hold`)."""

    def __init__(self, output: Path) -> None:
        self.path = output / PULL_FOLDER
        self.manifest = self.path / _MANIFEST_FOLDER

    def origin(self) -> Origin | None:
        """What the unfinished pull in here was told; None where none was begun."""
        return _read(self.path / _NOTE_FILE)

    def begin(self, origin: Origin) -> None:
        """Note down what the pull that begins was told."""
        atomic_write(self.path / _NOTE_FILE, _bytes(origin))
        with explained(self.path):
            (self.path / _PARTS_FOLDER).mkdir(exist_ok=True)

    def part(self, number: int) -> Path:
        """Where the `number`-th file of the dataset lies while it is fetched."""
        return self.path / _PARTS_FOLDER / str(number)

    def remove(self) -> None:
        """Remove the folder: the pull is done."""
        with explained(self.path):
            shutil.rmtree(self.path)
            fsync_folder(self.path.parent)


@contextlib.contextmanager
def hold(output: Path) -> Iterator[PullFolder]:
    """The pull folder of `output`, made where needed; without a pull in it, it goes again.

    Raises:
        MissingError: the folder can't be written.
        UsageError: another pull is at work in it, or a link is in the way.
    """
    folder, fresh = PullFolder(output), not output.exists()
    with held(folder.path, f"{output}: another pull is at work here; wait for its end"):
        for above, folders, files in os.walk(folder.path):
            for name in (*folders, *files):
                if (Path(above) / name).is_symlink():
                    raise UsageError(f"{folder.path}: holds a link; remove that folder")
        try:
            yield folder
        finally:
            if folder.path.is_dir() and folder.origin() is None:
                with contextlib.suppress(OSError):
                    shutil.rmtree(folder.path)
                    if fresh:
                        output.rmdir()


def read_origin(dataset: Path) -> Origin | None:
    """Where the dataset in this folder was pulled from; None where it was built here."""
    return _read(dataset / ORIGIN_FILE)


def write_origin(dataset: Path, origin: Origin) -> None:
    """Note beside the dataset where it was pulled from."""
    atomic_write(dataset / ORIGIN_FILE, _bytes(origin))


def same_pull(folder: Path, begun: Origin, wanted: Origin) -> None:
    """Refuse to go on with a pull of something else.

    Raises:
        UsageError: the unfinished pull in `folder` is of another dataset, Hub or revision.
    """
    there = (begun.endpoint, begun.repository)
    if there != (wanted.endpoint, wanted.repository) or wanted.requested not in (
        begun.requested,
        begun.commit,
    ):
        revision = "" if begun.requested is None else f"@{begun.requested}"
        raise UsageError(
            f"{folder}: an unfinished pull of {begun.repository}{revision} is in it; finish that "
            "first, remove the folder, or choose another one with -o"
        )


def _read(path: Path) -> Origin | None:
    try:
        return None if path.is_symlink() else Origin.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _bytes(origin: Origin) -> bytes:
    return origin.model_dump_json(indent=2).encode() + b"\n"
