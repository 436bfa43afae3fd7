"""What a build may be told, how it is recorded, and how two recorded settings differ."""

import re
from dataclasses import dataclass, field
from typing import Literal

import cv2

from dmef_bench import __version__
from dmef_bench.dataset.records import DatasetRecord, ResponseRecord
from dmef_bench.dataset.split import SPLIT_RULE
from dmef_bench.errors import UsageError
from dmef_bench.picture_files import PNG_LEVEL
from dmef_bench.video import FFMPEG_FLAGS, ffmpeg_version
from synth.camera_response import CameraResponse, camera_response
from synth.exposure import DEFAULT_EVS, MAX_EV

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,62}[A-Za-z0-9])?")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_MODEL = re.compile(r"\s*(\w+)\s*(?::(.*))?")


@dataclass(frozen=True)
class BuildSettings:
    """Everything besides the videos that decides what a dataset holds.

    Attributes:
        name: of the dataset: letters, digits, dots, spaces, hyphens; at most 64.
        min_height: least pixels of the shorter side of an accepted video.
        hdr: "reject" HDR videos or "tonemap" them.
        spacing: seconds between the three frames; None chooses them by the motion seen.
        model: camera response model, with other parameters than the authors' behind a colon:
            "sigmoid", "beta:beta=0.7", "sigmoid:n=0.85,sigma=0.6".
        evs: exposure values of low, mid and high relative to the ground truth; rising.
        all_exposures: write all nine pictures of each scene.
        seed: recorded; the paper's track draws no random numbers.
        licence: Hub identifier of the pictures' licence; "other" where it isn't one the Hub knows.

    Raises:
        UsageError: a value that can't be used.
    """

    name: str = "4K-DMEF"
    min_height: int = 2160
    hdr: Literal["reject", "tonemap"] = "reject"
    spacing: float | None = None
    model: str = "sigmoid"
    evs: tuple[float, float, float] = DEFAULT_EVS
    all_exposures: bool = False
    seed: int = 0
    licence: str = "other"
    response: CameraResponse = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"--name {self.name!r}: letters, digits, dots, spaces and hyphens only, at most 64"
            )
        if not _LICENCE.fullmatch(self.licence):
            raise UsageError(
                f"--license {self.licence!r}: give the Hub's identifier, for example cc-by-4.0"
            )
        if self.hdr not in ("reject", "tonemap"):
            raise UsageError(f"--hdr {self.hdr!r}: reject or tonemap")
        if self.min_height < 1:
            raise UsageError(f"--min-height {self.min_height}: at least 1 pixel")
        if self.spacing is not None and not 0 < self.spacing <= 60:
            raise UsageError(f"--spacing {self.spacing}: a number of seconds above 0, at most 60")
        if len(self.evs) != 3 or not -MAX_EV <= self.evs[0] < self.evs[1] < self.evs[2] <= MAX_EV:
            raise UsageError(
                f"--evs {self.evs}: three rising values within ±{MAX_EV:g}, as -1.5,0.5,2.5"
            )
        object.__setattr__(self, "response", _response(self.model))

    @property
    def response_record(self) -> ResponseRecord:
        """The camera response model as each scene's line holds it."""
        return ResponseRecord(model=self.response.name, parameters=dict(self.response.parameters))

    def recorded(self) -> DatasetRecord:
        """`dataset.json` before any video was looked at: what must be equal to extend a dataset."""
        parameters = ", ".join(
            f"{key} {value!r}" for key, value in self.response.parameters.items()
        )
        return DatasetRecord(
            name=self.name,
            package_version=__version__,
            track="paper",
            ffmpeg=ffmpeg_version(),
            ffmpeg_flags=tuple(FFMPEG_FLAGS),
            seed=self.seed,
            split_rule=SPLIT_RULE,
            settings={
                "min_height": str(self.min_height),
                "hdr": self.hdr,
                "spacing": "auto" if self.spacing is None else f"{self.spacing!r} s",
                "model": f"{self.response.name} ({parameters})",
                "evs": ", ".join(f"{ev:+}" for ev in self.evs),
                "all_exposures": "yes" if self.all_exposures else "no",
                "license": self.licence,
                # Other encoders write other bytes of the same pixels.
                "png": f"OpenCV {cv2.__version__}, level {PNG_LEVEL}",
            },
            scenes={},
        )


def _response(model: str) -> CameraResponse:
    found = _MODEL.fullmatch(model)
    if found is None:
        raise UsageError(f"--model {model!r}: a name, or a name with parameters as beta:beta=0.7")
    try:
        pairs = (pair.split("=") for pair in (found[2] or "").split(",") if pair.strip())
        parameters = {name.strip(): float(value) for name, value in pairs}
    except ValueError:
        raise UsageError(f"--model {model!r}: parameters are NAME=NUMBER, with commas") from None
    try:
        return camera_response(found[1], **parameters)
    except ValueError as error:
        raise UsageError(f"--model {model!r}: {error}") from None


def differences(there: DatasetRecord, now: DatasetRecord) -> list[str]:
    """A line for each recorded setting in which two builds differ, empty where none does."""
    old, new = _flat(there), _flat(now)
    return [
        f"{key}: {old.get(key, 'not set')} there, {new.get(key, 'not set')} now"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def _flat(record: DatasetRecord) -> dict[str, str]:
    fields = record.model_dump(exclude={"scenes", "rejected", "settings"})
    fields["ffmpeg_flags"] = " ".join(record.ffmpeg_flags)
    return {key: str(value) for key, value in fields.items()} | record.settings
