"""What a table is asked for, and what comes back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal["measured", "failed", "not measured"]
Protocol = Literal["paper", "tiled", "native"]
CacheMode = Literal["exact", "approximate", "position"]
Figure = float | str | None
"""What a cell of a table holds: a number, a word such as "256×256", or nothing."""
Form = int | Callable[[float], str]
"""How a column's numbers are shown: with so many decimals, or by a function."""


@dataclass(frozen=True)
class Budget:
    """What every network of an ablation is trained with.

    The defaults are those of the shipped weights' first stage.

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
class Comparison:
    """What Table 1 compares.

    Attributes:
        methods: names, or files and classes; empty for every method there is.
        protocols, tracks: empty for all.
        photographs: a folder whose photographs, set in motion, are the test scenes; None for
            generated ones where there is no dataset.
        tile: side of a tile; None for that of `dmef-bench run`.
        memory_budget: bytes a call on a whole picture may take on a CPU, tried in a process of its
            own first; None for what `dmef_bench.reproduce.compared.default_budget` says.
    """

    methods: tuple[str, ...] = ()
    protocols: tuple[Protocol, ...] = ()
    tracks: tuple[str, ...] = ()
    photographs: Path | None = None
    tile: int | None = None
    memory_budget: int | None = None


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
        comparison: of Table 1.
        quick: small pictures and few scenes where nothing else is said, in folders of their own.
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
    comparison: Comparison = field(default_factory=Comparison)
    quick: bool = False

    def name(self, table: str) -> str:
        """Of the table's folder and files; a quick outcome never lies where a full one does."""
        return f"{table}-quick" if self.quick else table

    def folder(self, table: str) -> Path:
        """Where a table's outcome and everything on the way to it lie."""
        return self.results / self.name(table)


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
        section: heading of the part of the table it belongs to, where it has parts.
    """

    label: str
    method: str
    status: Status
    printed: Mapping[str, Figure]
    measured: Mapping[str, Figure]
    reasons: tuple[str, ...]
    section: str = ""


@dataclass(frozen=True)
class Outcome:
    """A table of the paper beside its measurement.

    Attributes:
        table: "table2"; caption: of the paper's table. dataset: what was measured on, in a line.
        printed, measured: headings in order; those that stand for the same figure have one name.
        digits: heading -> how its numbers are shown.
        rows: in printed order.
        notes: what holds for the whole table, a sentence each.
        settings: what decided the figures, beside the command line.
        started: when the first figure was about to be measured, UTC; empty where that is in the
            records of the single runs.
        pictures: name of a file beside the table -> its SVG.
    """

    table: str
    caption: str
    dataset: str
    printed: tuple[str, ...]
    measured: tuple[str, ...]
    digits: Mapping[str, Form]
    rows: tuple[OutcomeRow, ...]
    notes: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    started: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)

    @property
    def sections(self) -> tuple[str, ...]:
        """Headings of its parts, in order."""
        return tuple(dict.fromkeys(row.section for row in self.rows))

    def part(self, section: str) -> tuple[tuple[str, ...], tuple[OutcomeRow, ...]]:
        """A part's rows, and the headings under which the paper prints anything beside them."""
        rows = tuple(row for row in self.rows if row.section == section)
        headings = self.printed
        if len(self.sections) > 1:
            headings = tuple(h for h in headings if any(row.printed.get(h) for row in rows))
        return headings, rows

    @property
    def failed(self) -> dict[str, str]:
        """Row -> why, for those whose run went wrong."""
        return {
            f"{row.method}, {row.section}" if row.section else row.method: row.reasons[0]
            for row in self.rows
            if row.status == "failed"
        }
