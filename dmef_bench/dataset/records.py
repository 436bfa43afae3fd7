"""The dataset's own words on disk: `dataset.json` and the lines of `metadata.jsonl`."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

SCHEMA_VERSION: Final = 1
DATASET_FILE = "dataset.json"
METADATA_FILE = "metadata.jsonl"
CROISSANT_FILE = "croissant.json"
CARD_FILE = "README.md"
SPLITS = ("train", "test")

# The bracket and its ground truth, then what --all-exposures adds to make nine.
PICTURES = ("low", "mid", "high", "gt")
OTHER_PICTURES = (
    "frame1_mid", "frame1_high", "frame2_low", "frame2_high", "frame3_low", "frame3_mid",
)  # fmt: skip

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _inside(name: str) -> str:
    """Refuse names that could leave the folder they are read from."""
    path = PurePosixPath(name)
    if (
        path.is_absolute()
        or ".." in path.parts
        or not path.parts
        or "\\" in name
        or re.search(r"[\x00-\x1f\x7f]", name)
    ):
        raise ValueError(f"{name!r} is not a plain relative path inside the dataset")
    return name


InsideName = Annotated[str, AfterValidator(_inside)]


def _split_words(words: Any) -> Any:  # noqa: ANN401 - what JSON held
    return tuple(filter(None, words.split(","))) if isinstance(words, str) else words


# One string on disk: Arrow gives a column of empty lists another type than a column of lists of
# strings, and `datasets` refuses splits whose columns differ in type.
Words = Annotated[
    tuple[str, ...], BeforeValidator(_split_words), PlainSerializer(",".join, return_type=str)
]


class DiskRecord(BaseModel):
    """What all records share: immutable, and no field that the schema does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ResponseRecord(DiskRecord):
    """Camera response model by name (synth.camera_response) with its parameters."""

    model: str
    parameters: dict[str, float] = Field(default_factory=dict)


class SourceRecord(DiskRecord):
    """The video a scene came from. `name` is shown to people only, and already escaped."""

    name: str
    sha256: Sha256
    codec: str
    pixel_format: str


class ColourRecord(DiskRecord):
    """How YUV became RGB; `assumed` lists what the file did not say."""

    matrix: str
    range: Literal["limited", "full"]
    transfer: str
    primaries: str
    assumed: Words = ()
    policy: str = "none"


class SceneRecord(DiskRecord):
    """A line of metadata.jsonl: one scene, file names relative to its split's folder.

    `frame1_mid` and the like are there only in a dataset built with --all-exposures.
    """

    scene: Annotated[str, Field(pattern=r"^[0-9]{4,6}$")]
    low_file_name: InsideName
    mid_file_name: InsideName
    high_file_name: InsideName
    gt_file_name: InsideName
    low_sha256: Sha256
    mid_sha256: Sha256
    high_sha256: Sha256
    gt_sha256: Sha256
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    evs: tuple[float, float, float]
    response: ResponseRecord
    source: SourceRecord
    presentation_times: tuple[float, float, float]
    rotation: int
    colour: ColourRecord
    motion: float
    frame1_mid_file_name: InsideName | None = None
    frame1_high_file_name: InsideName | None = None
    frame2_low_file_name: InsideName | None = None
    frame2_high_file_name: InsideName | None = None
    frame3_low_file_name: InsideName | None = None
    frame3_mid_file_name: InsideName | None = None
    frame1_mid_sha256: Sha256 | None = None
    frame1_high_sha256: Sha256 | None = None
    frame2_low_sha256: Sha256 | None = None
    frame2_high_sha256: Sha256 | None = None
    frame3_low_sha256: Sha256 | None = None
    frame3_mid_sha256: Sha256 | None = None

    def pictures(self) -> dict[str, tuple[str, str]]:
        """Picture ("low", "gt", "frame1_mid", ...) -> its file name and SHA-256."""
        found = {}
        for picture in PICTURES + OTHER_PICTURES:
            name, digest = getattr(self, f"{picture}_file_name"), getattr(self, f"{picture}_sha256")
            if name is not None and digest is not None:
                found[picture] = (name, digest)
        return found

    def as_line(self) -> bytes:
        """The line of metadata.jsonl with its line end; equal records give equal bytes."""
        return self.model_dump_json(exclude_none=True).encode() + b"\n"


class RejectionRecord(DiskRecord):
    """A video that was looked at and not taken, with the reason."""

    name: str
    sha256: Sha256 | None
    code: str
    reason: str


class DatasetRecord(DiskRecord):
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

    def as_file(self) -> bytes:
        """The bytes of dataset.json; equal records give equal bytes."""
        return self.model_dump_json(indent=2).encode() + b"\n"
