"""The dataset's own words on disk: `dataset.json` and the lines of `metadata.jsonl`."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 1
DATASET_FILE = "dataset.json"
METADATA_FILE = "metadata.jsonl"
CROISSANT_FILE = "croissant.json"
CARD_FILE = "README.md"
SPLITS = ("train", "test")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _inside(name: str) -> str:
    """Refuse names that could leave the folder they are read from."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or re.search(r"[\x00-\x1f]", name):
        raise ValueError(f"{name!r} is not a plain relative path inside the dataset")
    return name


InsideName = Annotated[str, AfterValidator(_inside)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ResponseRecord(_Record):
    """Camera response model by name (synth.camera_response) with its parameters."""

    model: str
    parameters: dict[str, float] = Field(default_factory=dict)


class SourceRecord(_Record):
    """The video a scene came from. `name` is shown to people only, and already escaped."""

    name: str
    sha256: Sha256
    codec: str
    pixel_format: str


class ColourRecord(_Record):
    """How YUV became RGB; `assumed` lists what the file did not say."""

    matrix: str
    range: Literal["limited", "full"]
    transfer: str
    primaries: str
    assumed: tuple[str, ...] = ()
    policy: str = "none"


class SceneRecord(_Record):
    """A line of metadata.jsonl: one scene, file names relative to its split's folder."""

    scene: Annotated[str, Field(pattern=r"^[0-9]{4,6}$")]
    low_file_name: InsideName
    mid_file_name: InsideName
    high_file_name: InsideName
    gt_file_name: InsideName
    low_sha256: Sha256
    mid_sha256: Sha256
    high_sha256: Sha256
    gt_sha256: Sha256
    width: int
    height: int
    evs: tuple[float, float, float]
    response: ResponseRecord
    source: SourceRecord
    presentation_times: tuple[float, float, float]
    rotation: int
    colour: ColourRecord
    motion: float


class RejectionRecord(_Record):
    """A video that was looked at and not taken, with the reason."""

    name: str
    sha256: Sha256 | None
    code: str
    reason: str


class DatasetRecord(_Record):
    """`dataset.json`: how the dataset was made, without anything that depends on the machine."""

    schema_version: Literal[1] = SCHEMA_VERSION
    name: str
    package_version: str
    track: Literal["paper", "camera"]
    ffmpeg: str
    ffmpeg_flags: tuple[str, ...]
    seed: int
    split_rule: str
    settings: dict[str, str]
    scenes: dict[str, int]
    rejected: tuple[RejectionRecord, ...] = ()
