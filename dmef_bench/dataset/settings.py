"""What a build may be told, how it is recorded, and how two recorded settings differ."""

import re
from dataclasses import dataclass, field
from typing import Literal

from dmef_bench import __version__
from dmef_bench.dataset.records import DatasetRecord, ResponseRecord
from dmef_bench.dataset.split import SPLIT_RULE
from dmef_bench.errors import UsageError
from dmef_bench.picture_files import PNG_ENCODER
from dmef_bench.video import FFMPEG_FLAGS, ffmpeg_version
from synth.camera_response import CameraResponse, camera_response
from synth.camera_track import DRAWN_MODELS, CameraOptions
from synth.exposure import DEFAULT_EVS, MAX_EV

DEFAULT_CAMERA = CameraOptions()
# So that what is remembered of a video while it is looked at stays small.
MAX_SCENES_PER_VIDEO = 50
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
        scenes_per_video: the most scenes one video gives.
        near_duplicates: "refuse" scenes that look like another, or "keep" them.
        model: camera response model, with other parameters than the authors' behind a colon:
            "sigmoid", "beta:beta=0.7", "sigmoid:n=0.85,sigma=0.6".
        evs: exposure values of low, mid and high relative to the ground truth; rising.
        all_exposures: write all nine pictures of each scene.
        seed: of what the camera track draws; the paper's track draws nothing.
        track: "paper", "camera" or "both" over the same frames. `model` belongs to the first,
            `ev_jitter`, `noise` and `jpeg` to the second, `evs` to both.
        ev_jitter: the camera track moves each EV by up to so many stops.
        noise: least and most shot noise the camera track draws from; None for none.
        jpeg: least and best JPEG quality the camera track draws from; None for no JPEG.
        licence: Hub identifier of the pictures' licence; "other" where it isn't one the Hub knows.

    Raises:
        UsageError: a value that can't be used.
    """

    name: str = "4K-DMEF"
    min_height: int = 2160
    hdr: Literal["reject", "tonemap"] = "reject"
    spacing: float | None = None
    scenes_per_video: int = 1
    near_duplicates: Literal["refuse", "keep"] = "refuse"
    model: str = "sigmoid"
    evs: tuple[float, float, float] = DEFAULT_EVS
    all_exposures: bool = False
    seed: int = 0
    licence: str = "other"
    track: Literal["paper", "camera", "both"] = "paper"
    ev_jitter: float = DEFAULT_CAMERA.ev_jitter
    noise: tuple[float, float] | None = DEFAULT_CAMERA.shot_noise
    jpeg: tuple[int, int] | None = DEFAULT_CAMERA.jpeg
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
        if not 1 <= self.scenes_per_video <= MAX_SCENES_PER_VIDEO:
            raise UsageError(
                f"--scenes-per-video {self.scenes_per_video}: from 1 to {MAX_SCENES_PER_VIDEO}"
            )
        if self.near_duplicates not in ("refuse", "keep"):
            raise UsageError(f"--near-duplicates {self.near_duplicates!r}: refuse or keep")
        if len(self.evs) != 3 or not -MAX_EV <= self.evs[0] < self.evs[1] < self.evs[2] <= MAX_EV:
            raise UsageError(
                f"--evs {self.evs}: three rising values within ±{MAX_EV:g}, as -1.5,0.5,2.5"
            )
        object.__setattr__(self, "response", _response(self.model))
        self._check_tracks()

    def _check_tracks(self) -> None:
        if self.track not in ("paper", "camera", "both"):
            raise UsageError(f"--track {self.track!r}: paper, camera or both")
        if self.track != "paper":
            try:
                _ = self.camera
            except ValueError as error:
                raise UsageError(f"--track {self.track}: {error}") from None
        elif (self.ev_jitter, self.noise, self.jpeg) != (
            DEFAULT_CAMERA.ev_jitter, DEFAULT_CAMERA.shot_noise, DEFAULT_CAMERA.jpeg,
        ):  # fmt: skip
            raise UsageError(
                "--ev-jitter, --noise and --jpeg belong to the camera track; add --track camera "
                "or --track both"
            )
        if self.track == "camera" and (self.model != "sigmoid" or self.all_exposures):
            raise UsageError(
                "--model and --all-exposures belong to the paper's track, and the camera track "
                "draws its response for each scene; leave them out, or add --track both"
            )

    @property
    def camera(self) -> CameraOptions | None:
        """What the camera track draws from; None without that track."""
        if self.track == "paper":
            return None
        return CameraOptions(self.evs, self.ev_jitter, self.noise, self.jpeg)

    @property
    def response_record(self) -> ResponseRecord:
        """The camera response model as each scene's line holds it."""
        return ResponseRecord(model=self.response.name, parameters=dict(self.response.parameters))

    def recorded(self) -> DatasetRecord:
        """`dataset.json` before any video was looked at: what must be equal to extend a dataset."""
        parameters = ", ".join(
            f"{key} {value!r}" for key, value in self.response.parameters.items()
        )
        model = f"{self.response.name} ({parameters})"
        return DatasetRecord(
            name=self.name,
            package_version=__version__,
            track="paper+camera" if self.track == "both" else self.track,
            ffmpeg=ffmpeg_version(),
            ffmpeg_flags=tuple(FFMPEG_FLAGS),
            seed=self.seed,
            split_rule=SPLIT_RULE,
            settings={
                "min_height": str(self.min_height),
                "hdr": self.hdr,
                "spacing": "auto" if self.spacing is None else f"{self.spacing!r} s",
                "scenes_per_video": str(self.scenes_per_video),
                "near_duplicates": self.near_duplicates,
                "model": "drawn for each scene" if self.track == "camera" else model,
                "evs": ", ".join(f"{ev:+}" for ev in self.evs),
                "all_exposures": "yes" if self.all_exposures else "no",
                "license": self.licence,
                # Other encoders write other bytes of the same pixels.
                "png": PNG_ENCODER,
            }
            | self._camera_settings(),
            scenes={},
        )

    def _camera_settings(self) -> dict[str, str]:
        if self.camera is None:
            return {}
        return {
            "camera_models": ", ".join(model.name for model in DRAWN_MODELS),
            "camera_ev_jitter": repr(float(self.ev_jitter)),
            "camera_noise": _range(self.noise),
            "camera_jpeg": _range(self.jpeg),
        }


def _range(values: tuple[float, float] | None) -> str:
    return "none" if values is None else f"{values[0]!r} to {values[1]!r}"


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
