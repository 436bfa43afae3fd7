"""What a run leaves behind: `run.json` and a line a scene in `samples.jsonl`.

The schema version is apart from the package version; old files stay loadable.
Layout: results/<method>@<weights sha, 8>/<dataset digest, 8>/<track>-<protocol>[-<resolution>]/.
"""

import math
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 1
RUN_FILE = "run.json"
SAMPLES_FILE = "samples.jsonl"
PICTURES_FOLDER = "pictures"


def _decibels(value: float) -> float:
    """Any number or +inf; NaN and -inf are no PSNR."""
    if math.isnan(value) or value == -math.inf:
        raise ValueError(f"{value} is no PSNR; a scene without one has null and an error")
    return value


Decibels = Annotated[float, AfterValidator(_decibels)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class _Record(BaseModel):
    # JSON has no infinity: it is written as the string "Infinity", not as null.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=True, ser_json_inf_nan="strings"
    )


class Spread(_Record):
    """A set of timings in seconds: median, quartiles and how many."""

    median: Seconds
    lower_quartile: Seconds
    upper_quartile: Seconds
    count: Count


class SampleRecord(_Record):
    """One scene of a run; figures are None where the scene failed or a metric is n/a.

    Attributes:
        scene: "<split>/<number>", for example "test/0001".
        psnr: dB; `inf` for identical pictures, never NaN. ssim: [-1, 1]. lpips: >= 0. Of linear
            light where the ground truth is that (see MetricsRecord).
        psnr_mu, ssim_mu: of light compressed by the μ-law; psnr_pu21: dB, of PU21 values.
        inference_seconds: the method alone, device synchronised.
        total_seconds: with both resizes (or tiling and blending).
        error: one line that says why the scene failed.
    """

    scene: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+/[A-Za-z0-9_-]+$")]
    psnr: Decibels | None = None
    ssim: Finite | None = None
    lpips: Finite | None = None
    psnr_mu: Decibels | None = None
    ssim_mu: Finite | None = None
    psnr_pu21: Decibels | None = None
    inference_seconds: Seconds | None = None
    total_seconds: Seconds | None = None
    prediction_sha256: str | None = None
    error: str | None = None


class PublishedRecord(_Record):
    """A published figure the method declares (see baselines.method.PublishedFigure)."""

    source: str
    dataset: str
    psnr: Finite | None = None
    ssim: Finite | None = None
    lpips: Finite | None = None
    seconds: Seconds | None = None
    note: str = ""


class MethodRecord(_Record):
    """Which method, with which weights.

    Attributes:
        weights_training: how long they were trained, where the file says so.
    """

    name: str
    title: str
    year: int
    paper: str
    licence: str
    kind: Literal["bound", "classical", "learned"]
    weights_sha256: str | None = None
    weights_training: str | None = None
    parameters: Count | None = None
    published: tuple[PublishedRecord, ...] = ()


class DatasetRecord(_Record):
    """Which pictures. `digest` is the SHA-256 of the dataset's manifest."""

    name: str
    digest: str
    track: str
    split: str
    scenes: Count


class ProtocolRecord(_Record):
    """How the method was fed.

    Attributes:
        resolution: (height, width) the method saw: the MR of protocol `paper`, the tile of
            `tiled`, None where it saw the whole picture.
        overlap: pixels shared by neighbouring tiles; None unless `tiled`.
        precision: dtype of the tensors given to the method.
        linear: how exposures became linear light, where it was not left to the weights.
        memory_budget: bytes a call was allowed beside the program and the weights.
        measured: whether `resolution` is the largest that fits `memory_budget`.
    """

    name: Literal["paper", "tiled", "native"]
    resolution: tuple[int, int] | None = None
    overlap: int | None = None
    precision: str = "float32"
    linear: Literal["gamma", "response"] | None = None
    memory_budget: Count | None = None
    measured: bool = False


class MetricsRecord(_Record):
    """How quality was measured; runs that differ here never share a table.

    The last three are there only where the ground truth is linear light; `psnr` and `ssim` are
    then those of linear values.
    """

    psnr: str
    ssim: str
    lpips: str | None = None
    psnr_mu: str | None = None
    ssim_mu: str | None = None
    psnr_pu21: str | None = None

    @property
    def of_light(self) -> bool:
        """Whether light was compared instead of display-referred pictures."""
        return self.psnr_mu is not None


class PrecisionRecord(_Record):
    """What a network's precision changes in the first scene's first call, against float32.

    Attributes:
        relative: Frobenius norm of the difference over that of the float32 picture.
        largest: the largest difference of a value in [0, 1].
    """

    relative: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    largest: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CostRecord(_Record):
    """What one picture costs.

    Attributes:
        macs: multiply-accumulates of one picture's inference (all tiles), None where the method
            has no network; macs_size: (height, width) of one call they were counted at.
        peak_memory_bytes: highest memory of an inference above what was held before it.
        memory_kind: "cuda" (allocator peak) or "rss" (resident set of the process).
        precision_error: None in float32, and where float32 did not fit.
    """

    inference_seconds: Spread | None = None
    total_seconds: Spread | None = None
    macs: Count | None = None
    macs_size: tuple[int, int] | None = None
    peak_memory_bytes: Count | None = None
    memory_kind: Literal["cuda", "rss"] = "rss"
    precision_error: PrecisionRecord | None = None


class MachineRecord(_Record):
    """Where it ran."""

    device: str
    processor: str
    cores: int
    memory_bytes: int
    system: str
    threads: int


class RunRecord(_Record):
    """One method × weights × dataset × protocol on one machine: everything to repeat it.

    Attributes:
        outcome: "running" until every scene has its line; "complete"; "failed" where some scenes
            failed; "out-of-memory" where the method can't take the picture under this protocol.
        lpips_unavailable: why LPIPS is n/a, empty where it was measured.
        times_unavailable: why no times stand for the method, as where several kinds of machines
            took part; empty where the times do.
        other_machines: those beside `machine` that worked on the run.
        settings: what a resumed run must match, by name.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    package_version: str
    command: str
    started: str
    finished: str | None = None
    outcome: Literal["running", "complete", "failed", "out-of-memory"] = "running"
    method: MethodRecord
    dataset: DatasetRecord
    protocol: ProtocolRecord
    metrics: MetricsRecord
    lpips_unavailable: str = ""
    times_unavailable: str = ""
    cost: CostRecord = CostRecord()
    machine: MachineRecord
    other_machines: tuple[MachineRecord, ...] = ()
    software: dict[str, str] = Field(default_factory=dict)
    settings: dict[str, str] = Field(default_factory=dict)
