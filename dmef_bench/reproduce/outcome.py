"""What a table is asked for, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal["measured", "failed", "not measured"]
Protocol = Literal["paper", "tiled", "native"]
CacheMode = Literal["exact", "approximate", "position"]


@dataclass(frozen=True)
class Budget:
    """What every network of an ablation is trained with; the defaults are the shipped weights'.

    Attributes:
        steps: optimiser steps.
        batch: crops a step.
        crop: their side in pixels.
        learning_rate: peak of the schedule.
        seed: of initial weights and data.
        generated: train on generated scenes instead of the dataset's train split.
        photographs: a folder that serves every other crop.
        options: `IPLConfig` fields of all rows, as text.
        workers: processes that prepare crops; the outcome does not depend on them.
    """

    steps: int = 2000
    batch: int = 4
    crop: int = 192
    learning_rate: float = 1e-3
    seed: int = 0
    generated: bool = False
    photographs: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    workers: int = 0


@dataclass(frozen=True)
class CacheOptions:
    """How the attention cache is measured.

    Attributes:
        tolerance: of mode "approximate".
        max_bytes: the most bytes a cache may hold.
        mode: in which the kinds of compression are compared.
        times: False measures quality alone, for a machine that has other work.
    """

    tolerance: float = 0.05
    max_bytes: int = 4 * 2**30
    mode: CacheMode = "position"
    times: bool = True


@dataclass(frozen=True)
class Request:
    """Everything a user may say about a table.

    Attributes:
        data: the dataset, as imported or as distributed; None looks where the import puts it.
        results: where runs are kept; a second call goes on with them.
        weights: method name -> weights file.
        protocol: how methods are fed; None takes the table's own way.
        device: "auto", "cpu", "cuda" or "cuda:N".
        limit: take only the first scenes; the table then says so.
        overwrite: replace runs with other settings.
        quiet: no progress bars.
        command: the command line, for the records.
        size: (height, width): pictures are cut to their centre, or generated at this size; None
            takes whole pictures.
        lpips_net: LPIPS network; lpips_backbone: its file, None looks into torch hub's cache.
        budget: of the ablations.
        cache: of the tables about the attention cache.
    """

    data: Path | None = None
    results: Path = Path("results")
    weights: Mapping[str, Path] = field(default_factory=dict)
    protocol: Protocol | None = None
    device: str = "auto"
    limit: int | None = None
    overwrite: bool = False
    quiet: bool = False
    command: str = ""
    size: tuple[int, int] | None = None
    lpips_net: Literal["alex", "vgg", "squeeze"] = "alex"
    lpips_backbone: Path | None = None
    budget: Budget = field(default_factory=Budget)
    cache: CacheOptions = field(default_factory=CacheOptions)


@dataclass(frozen=True)
class OutcomeRow:
    """A row of the paper's table.

    Attributes:
        label: as printed; method: its name on the command line.
        status: "measured" only with a figure for every scene.
        printed: heading -> figure of the paper; None where it prints none.
        measured: heading -> mean over scenes; None where there is none.
        reasons: why the two differ or can't be compared, a sentence each; where the row was not
            measured the first says why not.
    """

    label: str
    method: str
    status: Status
    printed: Mapping[str, float | None]
    measured: Mapping[str, float | None]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A table of the paper beside its measurement.

    Attributes:
        table: "table2"; caption: of the paper's table. dataset: what was measured on, in a line.
        printed, measured: headings in order; those that stand for the same figure have one name.
        digits: heading -> decimals.
        rows: in printed order.
        notes: what holds for the whole table, a sentence each.
        settings: what decided the figures, beside the command line.
        started: when the first figure was about to be measured, UTC; empty where that is in the
            records of the single runs.
    """

    table: str
    caption: str
    dataset: str
    printed: tuple[str, ...]
    measured: tuple[str, ...]
    digits: Mapping[str, int]
    rows: tuple[OutcomeRow, ...]
    notes: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    started: str = ""

    @property
    def failed(self) -> dict[str, str]:
        """Method -> why, for the rows whose run went wrong."""
        return {row.method: row.reasons[0] for row in self.rows if row.status == "failed"}
