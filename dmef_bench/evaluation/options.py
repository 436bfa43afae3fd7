"""What a run may be told, and the protocol that follows from it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import torch

from baselines import MethodInfo
from baselines.conventions import Linear
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.protocols import (
    NativeProtocol,
    PaperProtocol,
    Protocol,
    ProtocolName,
    TiledProtocol,
)

MeasuredResolution = Literal["probed", "probed-16:9"]
DEFAULT_TILE: Final = 512


@dataclass(frozen=True)
class RunOptions:
    """One run of one method over one split.

    Attributes:
        results: folder under which the run gets its own.
        split: "test" or "train".
        track: "paper" or "camera" where a dataset has both; None for its first.
        protocol: how the method is fed.
        resolution: (height, width) under protocol `paper`; None takes the method's own, "probed"
            the largest square that fits `memory_budget`, "probed-16:9" the largest of that shape.
        antialias: whether protocol `paper` averages on the way down.
        tile: side of a tile under protocol `tiled`, "auto" for the largest that fits
            `memory_budget`; overlap: pixels its tiles share, None for 64, at most half a tile.
        memory_budget: bytes that one call may take beside the program and the weights; calls are
            tried in a child process first. None for what the machine has.
        device: where the method runs.
        precision: "float32", "bfloat16" or "float16" tensors for the method.
        linear: how exposures become linear light for a learned baseline; None as its weights say.
        weights: file for `Method.load`; None takes the shipped weights.
        repeats: timed inferences a scene, whose medians are recorded.
        save_predictions: keep every prediction as PNG.
        pictures: leave pictures for the leaderboard's page for so many scenes.
        limit: take only the first scenes.
        overwrite: replace what is in the run's folder.
        quiet: no progress bar.
        command: the command line, for the record.
    """

    results: Path = Path("results")
    split: str = "test"
    track: str | None = None
    protocol: ProtocolName = "paper"
    resolution: tuple[int, int] | MeasuredResolution | None = None
    antialias: bool = False
    tile: int | Literal["auto"] = DEFAULT_TILE
    overlap: int | None = None
    memory_budget: int | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: str = "float32"
    linear: Linear | None = None
    weights: Path | None = None
    repeats: int = 1
    save_predictions: bool = False
    pictures: int = 2
    limit: int | None = None
    overwrite: bool = False
    quiet: bool = False
    command: str = ""

    @property
    def measures_resolution(self) -> bool:
        """Whether a size follows from what fits the memory budget."""
        if self.protocol == "paper":
            return isinstance(self.resolution, str)
        return self.protocol == "tiled" and self.tile == "auto" and self.memory_budget is not None

    def protocol_for(self, method: MethodInfo, measured: tuple[int, int] | None = None) -> Protocol:
        """The protocol with the sizes that this method gets.

        Args:
            method: whose own resolution counts where none is given.
            measured: (height, width) that fits, where `measures_resolution`.

        Raises:
            UsageError: sizes that don't go together.
        """
        if self.protocol == "native":
            return NativeProtocol()
        if self.protocol == "paper":
            given = measured if isinstance(self.resolution, str) else self.resolution
            return PaperProtocol(given or method.paper_resolution, self.antialias)
        tile = self.tile
        if tile == "auto":
            tile = DEFAULT_TILE if measured is None else measured[0]
        try:
            return TiledProtocol(tile, min(64, tile // 2) if self.overlap is None else self.overlap)
        except ValueError as error:
            raise UsageError(str(error)) from error
