"""What an importer finds before it reads a picture, and what it makes of a scene."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dmef_bench.dataset.imported_records import EVs
from dmef_bench.dataset.records import ResponseRecord
from dmef_bench.errors import IntegrityError

Split = Literal["train", "test"]
GAMMA_CAMERA = ResponseRecord(model="beta", parameters={"beta": 1 / 2.2})
"""The camera that all importers assume: exposure = light^(1/2.2)."""


class BrokenSceneError(IntegrityError):
    """A scene that can't be imported; the message names the file, what is wrong, what to do."""


@dataclass(frozen=True)
class ScenePictures:
    """A scene that was read and proved whole.

    Attributes:
        files: "low", "mid", "high" and "gt" -> suffix (".tif") and bytes, as they will be kept.
        height, width: of all four pictures.
        evs: of low, mid and high relative to the ground truth; stated_evs: as the source has them.
        truth_scale, truth_offset: see `ImportedSceneRecord`.
        sources: the file each picture was taken from, where its bytes are kept as they are.
    """

    files: dict[str, tuple[str, bytes]]
    height: int
    width: int
    evs: EVs
    stated_evs: EVs
    truth_scale: float = 1.0
    truth_offset: float | None = None
    sources: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundScene:
    """A scene that is there to be read.

    Attributes:
        split: where it belongs.
        name: folder or file relative to what is imported.
        read: reads it, or raises BrokenSceneError.
    """

    split: Split
    name: str
    read: Callable[[], ScenePictures]


@dataclass(frozen=True)
class Found:
    """What lies in a folder to be imported.

    Attributes:
        root: the folder itself.
        importer: "kalantari", "mobile-hdr" or "folders".
        name: of the dataset that becomes of it; citation: whose it is.
        settings: what decides the bytes of the imported dataset besides the files, by name.
        scenes: in order; their numbers follow from it.
        notes: what a user should know, a sentence each.
    """

    root: Path
    importer: str
    name: str
    citation: str
    settings: dict[str, str]
    scenes: list[FoundScene]
    notes: list[str] = field(default_factory=list)
