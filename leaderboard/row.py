"""One line of a leaderboard: a method under a protocol, measured or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leaderboard.loading import Run
from leaderboard.metric import MetricName, metrics_of
from leaderboard.published import Column, PublishedRow
from leaderboard.records import MachineRecord, SampleRecord, Spread
from leaderboard.roster import RosterEntry
from leaderboard.statistics import Estimate, mean_over_scenes
from leaderboard.wording import memory, printable, size

Status = Literal["complete", "incomplete", "failed", "out of memory", "not measured"]


@dataclass(frozen=True)
class Row:
    """A method under a protocol with everything a table says about it.

    Attributes:
        name, title, kind: the method (text is already printable). year, paper, licence: likewise.
        protocol: "paper 256×256", "native, float16", with the weights where a table holds several;
            empty where not measured.
        weights: first 8 digits of the weights' SHA-256, empty where there are none.
        run: the run it comes from, None where not measured.
        status: "complete" only with a figure for every scene of the table.
        why: one line on a status that is not complete; empty otherwise.
        rank: 1 for the best PSNR among complete methods; None for bounds and the rest.
        quality: mean over the scenes that have the figure, by metric; None where there is none.
        succeeded, failed, missing: scenes of the table with a PSNR, with an error, with neither.
        inference, total: seconds a scene, without and with resizing or tiling.
        machine: its number in the table's list of machines, from 1; None where not measured.
        published: the paper's figures for this method; `notes` why each can't be compared.
    """

    name: str
    title: str
    kind: Literal["bound", "classical", "learned"]
    year: int | None
    paper: str
    licence: str
    protocol: str
    weights: str
    run: Run | None
    status: Status
    why: str
    rank: int | None
    quality: Mapping[MetricName, Estimate | None]
    succeeded: int
    failed: int
    missing: int
    inference: Spread | None
    total: Spread | None
    machine: int | None
    published: PublishedRow | None
    notes: Mapping[Column, tuple[str, ...]]

    @property
    def label(self) -> str:
        """Title and protocol: what tells rows apart."""
        return f"{self.title}, {self.protocol}" if self.protocol else self.title

    @property
    def psnr(self) -> float:
        """Mean PSNR, -inf where there is none: what rows are ordered by."""
        quality = self.quality.get("psnr")
        return quality.mean if quality else float("-inf")

    def sample(self, scene: str) -> SampleRecord | None:
        """What this row's run recorded for a scene."""
        samples = self.run.samples if self.run else ()
        return next((sample for sample in samples if sample.scene == scene), None)


def measured_row(
    run: Run,
    scenes: frozenset[str],
    machines: tuple[MachineRecord, ...],
    published: PublishedRow | None,
    notes: Mapping[Column, tuple[str, ...]],
) -> Row:
    """A row from a run; its rank is given later, when all rows are known."""
    record, method = run.record, run.record.method
    failed = sum(sample.error is not None for sample in run.samples)
    succeeded = sum(s.error is None and s.psnr is not None for s in run.samples)
    missing = len(scenes) - failed - succeeded
    status, why = _status(run, failed, missing)
    timed = () if record.times_unavailable else run.samples
    return Row(
        name=printable(method.name),
        title=printable(method.title) or printable(method.name),
        kind=method.kind,
        year=method.year,
        paper=printable(method.paper, 300),
        licence=printable(method.licence),
        protocol=_protocol(run),
        weights=printable((method.weights_sha256 or "")[:8]),
        run=run,
        status=status,
        why=why,
        rank=None,
        quality={
            metric.name: mean_over_scenes(list(metric.by_scene(run).values()))
            for metric in metrics_of(record.metrics)
        },
        succeeded=succeeded,
        failed=failed,
        missing=missing,
        inference=record.cost.inference_seconds
        or _spread([sample.inference_seconds for sample in timed]),
        total=record.cost.total_seconds or _spread([sample.total_seconds for sample in timed]),
        machine=machines.index(record.machine) + 1,
        published=published,
        notes=notes,
    )


def unmeasured_row(
    entry: RosterEntry, published: PublishedRow | None, notes: Mapping[Column, tuple[str, ...]]
) -> Row:
    """A row that holds only what the paper prints."""
    return Row(
        entry.name, entry.title, entry.kind, None, "", "", "", "", None, "not measured", "", None,
        {}, 0, 0, 0, None, None, None, published, notes,
    )  # fmt: skip


def _protocol(run: Run) -> str:
    protocol = run.record.protocol
    fed: str = protocol.name
    if protocol.resolution is not None:
        fed = f"{fed} {size(protocol.resolution)}"
    elif protocol.name != "native":
        fed = f"{fed}, whole picture"
    if protocol.measured:
        fed = f"{fed} (measured MR)" if protocol.name == "paper" else f"{fed} (measured)"
    if protocol.memory_budget is not None:
        fed = f"{fed}, within {memory(protocol.memory_budget)}"
    if protocol.linear is not None:
        fed = f"{fed}, linear by {protocol.linear}"
    return fed if protocol.precision == "float32" else f"{fed}, {printable(protocol.precision)}"


def _status(run: Run, failed: int, missing: int) -> tuple[Status, str]:
    first_error = next((printable(s.error, 200) for s in run.samples if s.error is not None), "")
    because = f": {first_error}" if first_error else ""
    if run.record.outcome == "out-of-memory":
        return "out of memory", f"the memory given does not hold this picture{because}"
    if failed:
        return "failed", f"{failed} of {len(run.samples)} scenes failed{because}"
    if run.record.outcome == "failed":
        return "failed", "the run failed without a line on any scene"
    if run.record.outcome == "running":
        return "incomplete", "the run has not ended; the same command goes on with it"
    if missing:
        return "incomplete", f"no figure for {missing} of the table's scenes"
    return "complete", ""


def _spread(seconds: list[float | None]) -> Spread | None:
    known = [value for value in seconds if value is not None]
    if not known:
        return None
    lower, median, upper = (float(value) for value in np.percentile(known, (25, 50, 75)))
    return Spread(median=median, lower_quartile=lower, upper_quartile=upper, count=len(known))
