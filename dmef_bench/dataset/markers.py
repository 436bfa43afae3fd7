"""What a worker process of the build leaves behind of a video: its scenes, or why it has none."""

from typing import Annotated, Literal

from pydantic import Field

from dmef_bench.dataset.records import (
    DiskRecord,
    InsideName,
    RejectionRecord,
    SceneRecord,
    Sha256,
)

MARKER_FILE = "marker.json"


class FileRecord(DiskRecord):
    """A finished file: its name, the SHA-256 of its bytes, and how many they are."""

    name: InsideName
    sha256: Sha256
    size: int


class MadeScene(DiskRecord):
    """A finished scene: its line of metadata.jsonl but for the number, and its files."""

    scene: SceneRecord
    files: tuple[FileRecord, ...]


class MadeVideo(DiskRecord):
    """Marker of a video whose scenes are finished; they are in order of time."""

    outcome: Literal["made"] = "made"
    scenes: tuple[MadeScene, ...]


class TurnedDown(DiskRecord):
    """Marker of a video that can't give a scene."""

    outcome: Literal["rejected"] = "rejected"
    rejection: RejectionRecord


Marker = Annotated[MadeVideo | TurnedDown, Field(discriminator="outcome")]


def numbered(scene: SceneRecord, number: str, name: str) -> SceneRecord:
    """The same scene under its final number, from a video called `name`."""
    files = {f"{picture}_file_name": f"{number}/{picture}.png" for picture in scene.pictures()}
    source = scene.source.model_copy(update={"name": name})
    return scene.model_copy(update={"scene": number, "source": source, **files})
