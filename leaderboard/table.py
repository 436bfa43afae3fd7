"""Runs in, one leaderboard out: rows, ranks, intervals, paired differences, published figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from leaderboard.comparable import check_comparable
from leaderboard.errors import LeaderboardError
from leaderboard.loading import Run
from leaderboard.metric import Metric, MetricName, metrics_of
from leaderboard.published import Column, PublishedRow, PublishedTable, table_beside
from leaderboard.published.row import HEADINGS
from leaderboard.records import DatasetRecord, MachineRecord, MetricsRecord
from leaderboard.roster import ROSTER
from leaderboard.row import Row, measured_row, unmeasured_row
from leaderboard.statistics import Estimate, paired_difference

_UHD = (2160, 3840)


@dataclass(frozen=True)
class Difference:
    """A row less the base, over the scenes both have, by metric; None where none are shared."""

    row: Row
    by_metric: Mapping[MetricName, Estimate | None]


@dataclass(frozen=True)
class Leaderboard:
    """One table: comparable runs of one dataset split.

    Attributes:
        dataset: what was measured on. metrics: how (LPIPS None where no run has it).
        scenes: every scene that at least one run has a line for.
        bounds: rows that put the others in proportion, best first. methods: the others, by rank,
            then the unranked, then those not measured.
        base: what paired differences are taken against; None without a measured row.
        differences: one a measured row other than the base, in the order of the rows.
        machines: where the runs ran; a row's `machine` counts from 1 in it.
        published: the paper's table that belongs beside this one.
    """

    dataset: DatasetRecord
    metrics: MetricsRecord
    scenes: tuple[str, ...]
    bounds: tuple[Row, ...]
    methods: tuple[Row, ...]
    base: Row | None
    differences: tuple[Difference, ...]
    machines: tuple[MachineRecord, ...]
    published: PublishedTable

    @property
    def columns(self) -> tuple[Metric, ...]:
        """The figures of quality its runs are compared by."""
        return metrics_of(self.metrics)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Bounds, then methods."""
        return self.bounds + self.methods

    @property
    def measured(self) -> tuple[Row, ...]:
        """The rows that come from a run."""
        return tuple(row for row in self.rows if row.run is not None)


def build_leaderboard(runs: Sequence[Run], baseline: str | None = None) -> Leaderboard:
    """Make one table of runs that measure the same thing.

    Args:
        runs: at least one; all of the same dataset, split, metric definitions and schema.
        baseline: name of the method that paired differences are taken against, or
            "<name>/<protocol>"; the best ranked method where None.

    Raises:
        MixedRunsError: the runs don't measure the same thing.
        LeaderboardError: there are no runs, or none is `baseline`.
    """
    if not runs:
        raise LeaderboardError("a leaderboard needs at least one run")
    check_comparable(runs)
    # runs on the first scenes only say a smaller number
    dataset = max((run.record.dataset for run in runs), key=lambda one: one.scenes)
    published = table_beside(dataset.name, of_light=runs[0].record.metrics.of_light)
    scenes = frozenset(sample.scene for run in runs for sample in run.samples)
    machines = tuple(dict.fromkeys(run.record.machine for run in runs))
    rows = _told_apart([_measured(run, scenes, machines, published) for run in runs])
    measured_names = {row.name for row in rows}
    for entry in ROSTER:
        if entry.name not in measured_names:
            printed = published.row(entry.name)
            rows.append(unmeasured_row(entry, printed, _notes(published, printed, ())))
    ordered = _ranked(rows)
    bounds = tuple(row for row in ordered if row.kind == "bound")
    methods = tuple(row for row in ordered if row.kind != "bound")
    base = _base(bounds, methods, baseline)
    return Leaderboard(
        dataset=dataset,
        metrics=next((r.record.metrics for r in runs if r.record.metrics.lpips is not None),
                     runs[0].record.metrics),
        scenes=tuple(sorted(scenes)),
        bounds=bounds,
        methods=methods,
        base=base,
        differences=_differences(bounds + methods, base),
        machines=machines,
        published=published,
    )  # fmt: skip


def _measured(
    run: Run,
    scenes: frozenset[str],
    machines: tuple[MachineRecord, ...],
    published: PublishedTable,
) -> Row:
    printed = published.row(run.record.method.name)
    fed = run.record.protocol.resolution or _UHD
    fed_otherwise = printed is not None and printed.resolution not in (None, fed)
    contradicted = printed is not None and "resolution" in printed.notes
    extra = ("fed-otherwise",) if fed_otherwise and not contradicted else ()
    return measured_row(run, scenes, machines, printed, _notes(published, printed, extra))


def _told_apart(rows: list[Row]) -> list[Row]:
    """Rows of a method that was run with several weights say which."""
    weights = {
        name: {row.weights for row in rows if row.name == name}
        for name in {row.name for row in rows}
    }
    return [
        replace(row, protocol=f"{row.protocol}, weights {row.weights or 'none'}")
        if len(weights[row.name]) > 1
        else row
        for row in rows
    ]


def _notes(
    published: PublishedTable, row: PublishedRow | None, extra: tuple[str, ...]
) -> dict[Column, tuple[str, ...]]:
    if row is None:
        return {}
    names = {column: published.notes_on(row, column) for column in HEADINGS}
    return {
        column: own + (extra if column in ("psnr", "ssim", "lpips", "seconds") else ())
        for column, own in names.items()
        if getattr(row, column) is not None
    }


def _ranked(rows: list[Row]) -> list[Row]:
    """Ranked rows first, then the other measured ones, then the rest; better PSNR first."""

    def order(row: Row) -> tuple[bool, bool, float, str, str]:
        return row.run is None, row.status != "complete", -row.psnr, row.title, row.protocol

    ordered = [row for row in rows if row.run is None]
    measured = sorted((row for row in rows if row.run is not None), key=order)
    rank = 0
    ranked = []
    for row in measured:
        if row.status == "complete" and row.kind != "bound" and row.quality["psnr"] is not None:
            rank += 1
            ranked.append(replace(row, rank=rank))
        else:
            ranked.append(row)
    return ranked + ordered


def _base(bounds: tuple[Row, ...], methods: tuple[Row, ...], baseline: str | None) -> Row | None:
    candidates = [row for row in methods + bounds if row.quality.get("psnr") is not None]
    if baseline is None:
        return candidates[0] if candidates else None
    for row in candidates:
        run = row.run
        if run is not None and baseline in (row.name, f"{row.name}/{run.record.protocol.name}"):
            return row
    known = ", ".join(dict.fromkeys(row.name for row in candidates)) or "none"
    raise LeaderboardError(
        f"{baseline}: no measured method of this name to compare with; there are: {known}"
    )


def _differences(rows: tuple[Row, ...], base: Row | None) -> tuple[Difference, ...]:
    if base is None or base.run is None:
        return ()
    return tuple(
        Difference(
            row,
            {
                metric.name: paired_difference(metric.by_scene(row.run), metric.by_scene(base.run))
                for metric in metrics_of(base.run.record.metrics)
            },
        )
        for row in rows
        if row.run is not None and row is not base
    )
