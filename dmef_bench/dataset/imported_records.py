"""Records of datasets that were imported: photographed brackets with a ground truth of light."""

from typing import Annotated, Literal

from pydantic import Field

from dmef_bench.dataset.records import (
    PICTURES,
    SCHEMA_VERSION,
    DiskRecord,
    InsideName,
    RejectionRecord,
    ResponseRecord,
    Sha256,
)

EVs = tuple[float, float, float]


class ImportedSceneRecord(DiskRecord):
    """A line of metadata.jsonl: three photographs and their ground truth in linear light.

    Attributes:
        source: folder or file it came from, relative to what was imported, printable.
        evs: of low, mid and high relative to the ground truth: linear light is
            exposure^2.2 / 2^EV, and 1 in the ground truth is where EV 0 saturates.
        stated_evs: the same three as the source states them.
        truth_scale: what the values in the ground truth's file are multiplied with when read.
        truth_offset: EV by which the ground truth (scaled) is brighter than the mid exposure says,
            a median over well-exposed pixels; None where there are too few.
    """

    scene: Annotated[str, Field(pattern=r"^[0-9]{4,6}$")]
    source: str
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
    evs: EVs
    stated_evs: EVs
    response: ResponseRecord
    truth_scale: Annotated[float, Field(gt=0)] = 1.0
    truth_offset: float | None = None

    def pictures(self) -> dict[str, tuple[str, str]]:
        """Picture ("low", "mid", "high", "gt") -> its file name and SHA-256."""
        return {
            picture: (getattr(self, f"{picture}_file_name"), getattr(self, f"{picture}_sha256"))
            for picture in PICTURES
        }

    def as_line(self) -> bytes:
        """The line of metadata.jsonl with its line end; equal records give equal bytes."""
        return self.model_dump_json().encode() + b"\n"


class ImportedDatasetRecord(DiskRecord):
    """`dataset.json` of an imported dataset.

    Attributes:
        kind: what tells it from a dataset that was built.
        importer: "kalantari", "mobile-hdr" or "folders".
        rejected: scenes that were left out, with the reason.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    kind: Literal["imported"] = "imported"
    name: str
    package_version: str
    track: Literal["captured"] = "captured"
    importer: str
    citation: str
    settings: dict[str, str]
    scenes: dict[str, int]
    rejected: tuple[RejectionRecord, ...] = ()

    def as_file(self) -> bytes:
        """The bytes of dataset.json; equal records give equal bytes."""
        return self.model_dump_json(indent=2).encode() + b"\n"
