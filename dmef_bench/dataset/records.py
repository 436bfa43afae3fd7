"""The dataset's own words on disk: `dataset.json` and the lines of `metadata.jsonl`."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from synth.camera_response import camera_response

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

# The camera track's exposures where they lie beside those of the paper's.
CAMERA_PICTURES = ("camera_low", "camera_mid", "camera_high")

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

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        camera_response(self.model, **self.parameters)
        return self


def _split_numbers(numbers: Any) -> Any:  # noqa: ANN401 - what JSON held
    if not isinstance(numbers, str):
        return numbers
    return dict(pair.partition("=")[::2] for pair in numbers.split(","))


def _join_numbers(numbers: dict[str, float]) -> str:
    return ",".join(f"{name}={value!r}" for name, value in numbers.items())


class DrawnResponseRecord(ResponseRecord):
    """The same drawn for one scene; one string on disk, since models differ in their parameters."""

    parameters: Annotated[
        dict[str, float],
        BeforeValidator(_split_numbers),
        PlainSerializer(_join_numbers, return_type=str),
    ]


_Variance = Annotated[float, Field(ge=0)]


class NoiseRecord(DiskRecord):
    """Sensor noise of low, mid and high (synth.sensor_noise): two variances in linear light."""

    shot: tuple[_Variance, _Variance, _Variance]
    read: tuple[_Variance, _Variance, _Variance]


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

    `frame1_mid` and the like are there only in a dataset built with --all-exposures; `camera_low`
    and the like, with `camera_evs` and `camera_response`, only where the camera track lies beside
    the paper's; `camera_noise` and `camera_jpeg_quality` wherever there is a camera track.
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
    response: ResponseRecord | DrawnResponseRecord
    source: SourceRecord
    presentation_times: tuple[float, float, float]
    rotation: int
    colour: ColourRecord
    motion: float
    # Measured by dataset.measures; datasets of earlier versions don't have them.
    place: Annotated[int, Field(ge=1)] | None = None
    flow_mean_12: float | None = None
    flow_p95_12: float | None = None
    moving_12: float | None = None
    flow_mean_23: float | None = None
    flow_p95_23: float | None = None
    moving_23: float | None = None
    sharpness: float | None = None
    blur: float | None = None
    white_low: float | None = None
    white_mid: float | None = None
    white_high: float | None = None
    white_gt: float | None = None
    black_low: float | None = None
    black_mid: float | None = None
    black_high: float | None = None
    black_gt: float | None = None
    gt_phash: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
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
    camera_low_file_name: InsideName | None = None
    camera_mid_file_name: InsideName | None = None
    camera_high_file_name: InsideName | None = None
    camera_low_sha256: Sha256 | None = None
    camera_mid_sha256: Sha256 | None = None
    camera_high_sha256: Sha256 | None = None
    camera_evs: tuple[float, float, float] | None = None
    camera_response: DrawnResponseRecord | None = None
    camera_noise: NoiseRecord | None = None
    camera_jpeg_quality: Annotated[int, Field(ge=1, le=100)] | None = None

    @model_validator(mode="after")
    def _camera_is_whole(self) -> Self:
        beside = [
            getattr(self, f"{picture}_{what}")
            for picture in CAMERA_PICTURES
            for what in ("file_name", "sha256")
        ] + [self.camera_evs, self.camera_response]
        there = [value is not None for value in beside]
        if any(there) and not (all(there) and self.camera_noise is not None):
            raise ValueError("the camera track is there in part only")
        return self

    @property
    def tracks(self) -> tuple[str, ...]:
        """Which exposures there are; those of the first track are `low`, `mid` and `high`."""
        if self.camera_evs is not None:
            return ("paper", "camera")
        return ("paper",) if self.camera_noise is None else ("camera",)

    def pictures(self) -> dict[str, tuple[str, str]]:
        """Picture ("low", "gt", "frame1_mid", ...) -> its file name and SHA-256."""
        found = {}
        for picture in PICTURES + OTHER_PICTURES + CAMERA_PICTURES:
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
    track: Literal["paper", "camera", "paper+camera"]
    ffmpeg: str
    ffmpeg_flags: tuple[str, ...]
    seed: int
    split_rule: str
    settings: dict[str, str]
    scenes: dict[str, int]
    rejected: tuple[RejectionRecord, ...] = ()

    @property
    def tracks(self) -> tuple[str, ...]:
        """Which exposures its scenes have; those of the first track are `low`, `mid`, `high`."""
        return tuple(self.track.split("+"))

    def as_file(self) -> bytes:
        """The bytes of dataset.json; equal records give equal bytes."""
        return self.model_dump_json(indent=2).encode() + b"\n"
