"""What a shipped weights file states about itself, beside how it was trained."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from dmef_bench.training.samples import Track

FORMAT: Final = "dmef-bench-weights/1"
FORMAT_KEY, RECORD_KEY, TRAINING_KEY = "format", "shipped", "training"

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrackFigures(_Record):
    """Mean quality of 8-bit results on one track.

    Attributes:
        psnr: in dB.
        ssim: in [-1, 1]; None where only the PSNR was recorded.
    """

    psnr: _Finite
    ssim: _Finite | None = None


class FigureSet(_Record):
    """Quality on the first held-out generated scenes, which no training sees.

    Attributes:
        scenes: how many, on each track.
        side: of the square scenes in pixels.
        tracks: the figures by track.
    """

    scenes: Annotated[int, Field(ge=1)]
    side: Annotated[int, Field(ge=16)]
    tracks: dict[Track, TrackFigures]


class Photographs(_Record):
    """The photographs that were set in motion for a training.

    Attributes:
        count: how many.
        licences: how many are under each licence.
    """

    count: Annotated[int, Field(ge=1)]
    licences: dict[str, int]


class ShippedRecord(_Record):
    """JSON under "shipped" in the metadata of a shipped file.

    Attributes:
        parameters: of the network.
        storage: floating point type of the tensors in the file; float32 once they are loaded.
        trained_sha256: of the file the training left.
        hours: that the training took, on the clock.
        processor: what it ran on.
        commit: of the code that trained.
        package_version: of the package that measured the figures.
        photographs: those in the training's data; None where there were none.
        validation: quality of the weights as stored.
        copy_of_reference: quality of a copy of the reference on the same scenes.
        check: quality on a few small scenes, to be measured again at any time.
    """

    parameters: Annotated[int, Field(ge=1)]
    storage: Literal["float32", "float16"]
    trained_sha256: _Digest
    hours: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    processor: Annotated[str, Field(min_length=1)]
    commit: Annotated[str, Field(min_length=7)]
    package_version: str
    photographs: Photographs | None
    validation: FigureSet
    copy_of_reference: FigureSet
    check: FigureSet
