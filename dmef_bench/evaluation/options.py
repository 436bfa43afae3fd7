"""What a run may be told, and the protocol that follows from it."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from baselines import MethodInfo
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.protocols import (
    NativeProtocol,
    PaperProtocol,
    Protocol,
    ProtocolName,
    TiledProtocol,
)


@dataclass(frozen=True)
class RunOptions:
    """One run of one method over one split.

    Attributes:
        results: folder under which the run gets its own.
        split: "test" or "train".
        protocol: how the method is fed.
        resolution: (height, width) under protocol `paper`; None takes the method's own.
        antialias: whether protocol `paper` averages on the way down.
        tile: side of a tile under protocol `tiled`; overlap: pixels its tiles share.
        device: where the method runs.
        precision: "float32", "bfloat16" or "float16" tensors for the method.
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
    protocol: ProtocolName = "paper"
    resolution: tuple[int, int] | None = None
    antialias: bool = False
    tile: int = 512
    overlap: int = 64
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: str = "float32"
    weights: Path | None = None
    repeats: int = 1
    save_predictions: bool = False
    pictures: int = 2
    limit: int | None = None
    overwrite: bool = False
    quiet: bool = False
    command: str = ""

    def protocol_for(self, method: MethodInfo) -> Protocol:
        """The protocol with the sizes that this method gets.

        Raises:
            UsageError: sizes that don't go together.
        """
        if self.protocol == "native":
            return NativeProtocol()
        if self.protocol == "paper":
            return PaperProtocol(self.resolution or method.paper_resolution, self.antialias)
        try:
            return TiledProtocol(self.tile, self.overlap)
        except ValueError as error:
            raise UsageError(str(error)) from error
