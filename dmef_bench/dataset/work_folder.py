"""The hidden folder in which a build keeps what it has finished until all is finished."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dmef_bench.atomic_write import atomic_write, explained, sha256_of_file
from dmef_bench.dataset.layout import WORK_FOLDER, plain_file
from dmef_bench.dataset.lock import LOCK_FILE, held
from dmef_bench.dataset.markers import MARKER_FILE, MadeVideo, Marker, TurnedDown
from dmef_bench.dataset.records import DatasetRecord
from dmef_bench.errors import IntegrityError

_SETTINGS_FILE = "settings.json"
_SCENES_FOLDER = "scenes"
_marker: TypeAdapter[MadeVideo | TurnedDown] = TypeAdapter(Marker)


class WorkFolder:
    """`.dmef-build` of one output folder, held by this process alone (see `hold`)."""

    def __init__(self, output: Path) -> None:
        self.path = output / WORK_FOLDER

    def scene_folder(self, sha256: str) -> Path:
        """Where the scenes of the video with this digest are made."""
        return self.path / _SCENES_FOLDER / sha256

    def inner_name(self, sha256: str, file: str) -> str:
        """Name of a file of a video's scenes relative to the work folder."""
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
                elif entry.name != LOCK_FILE:
                    entry.unlink()
        atomic_write(self.path / _SETTINGS_FILE, settings.as_file())

    def finished(self, sha256: str) -> MadeVideo | TurnedDown | None:
        """The marker of a video, if each file it vouches for is there with its hash."""
        folder = self.scene_folder(sha256)
        try:
            marker = _marker.validate_json((folder / MARKER_FILE).read_bytes())
            if isinstance(marker, MadeVideo):
                for file in (file for scene in marker.scenes for file in scene.files):
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
        UsageError: it is a link, or another build is at work in it.
    """
    work, fresh = WorkFolder(output), not output.exists()
    with held(work.path, f"{output}: another build is at work here; wait for its end"):
        try:
            yield work
        finally:
            with contextlib.suppress(OSError):  # nothing was begun, or all is finished
                if [entry.name for entry in work.path.iterdir()] == [LOCK_FILE]:
                    shutil.rmtree(work.path)
                    if fresh:
                        output.rmdir()
