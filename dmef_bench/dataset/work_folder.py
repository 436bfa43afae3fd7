"""The hidden folder in which a build keeps what it has finished until all is finished."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dmef_bench.atomic_write import atomic_write, explained, sha256_of_file
from dmef_bench.dataset.layout import WORK_FOLDER, plain_file
from dmef_bench.dataset.make_scene import MARKER_FILE, MadeScene, Marker, TurnedDown
from dmef_bench.dataset.records import DatasetRecord
from dmef_bench.errors import IntegrityError, MissingError, UsageError

_LOCK_FILE = "lock"
_SETTINGS_FILE = "settings.json"
_SCENES_FOLDER = "scenes"
_marker: TypeAdapter[MadeScene | TurnedDown] = TypeAdapter(Marker)


class WorkFolder:
    """`.dmef-build` of one output folder, held by this process alone (see `hold`)."""

    def __init__(self, output: Path) -> None:
        self.path = output / WORK_FOLDER

    def scene_folder(self, sha256: str) -> Path:
        """Where the scene of the video with this digest is made."""
        return self.path / _SCENES_FOLDER / sha256

    def inner_name(self, sha256: str, file: str) -> str:
        """Name of a scene's file relative to the work folder."""
        return f"{_SCENES_FOLDER}/{sha256}/{file}"

    def settings(self) -> DatasetRecord | None:
        """What the unfinished build in here was told; None where nothing was begun."""
        try:
            return DatasetRecord.model_validate_json((self.path / _SETTINGS_FILE).read_bytes())
        except (OSError, ValidationError):
            return None

    def begin(self, settings: DatasetRecord) -> None:
        """Drop what is in here and note down what the build that begins was told."""
        with explained(self.path):
            for entry in self.path.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                elif entry.name != _LOCK_FILE:
                    entry.unlink()
        atomic_write(self.path / _SETTINGS_FILE, settings.as_file())

    def finished(self, sha256: str) -> MadeScene | TurnedDown | None:
        """The marker of a video, if each file it vouches for is there with its hash."""
        folder = self.scene_folder(sha256)
        try:
            marker = _marker.validate_json((folder / MARKER_FILE).read_bytes())
            if isinstance(marker, MadeScene):
                for file in marker.files:
                    plain_file(folder, file.name)
                    if sha256_of_file(folder / file.name) != file.sha256:
                        return None
        except (OSError, ValidationError, IntegrityError):
            return None
        return marker


@contextlib.contextmanager
def hold(output: Path) -> Iterator[WorkFolder]:
    """The work folder of `output`, made where needed, locked against a second build.

    Raises:
        MissingError: the folder can't be written.
        UsageError: another build is at work in it.
    """
    work = WorkFolder(output)
    if work.path.is_symlink():
        raise UsageError(f"{work.path}: a link; remove it, or choose another output folder")
    lock_file = work.path / _LOCK_FILE
    fresh = not output.exists()
    try:
        with explained(output):
            work.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(lock_file, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise MissingError(
            f"{output}: no folder can be made here ({error.strerror}); choose another output folder"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{output}: another build is at work here; wait for its end") from None
        try:
            yield work
        finally:
            with contextlib.suppress(OSError):  # nothing was begun, or all is finished
                if [entry.name for entry in work.path.iterdir()] == [_LOCK_FILE]:
                    shutil.rmtree(work.path)
                    if fresh:
                        output.rmdir()
    finally:
        os.close(lock)
