"""Rows as flat mappings: the one source of the CSV file and of `--format json`."""

import math
from collections.abc import Iterable

from leaderboard.published import HEADINGS, NOTES
from leaderboard.records import Spread
from leaderboard.row import Row
from leaderboard.statistics import Estimate
from leaderboard.table import Leaderboard
from leaderboard.wording import printable

Cell = str | int | float | None


def flat_rows(board: Leaderboard) -> list[dict[str, Cell]]:
    """Every row with every figure at full precision, its units in the name of the column."""
    return [_flat(board, row) for row in board.rows]


def as_data(boards: Iterable[Leaderboard]) -> list[dict[str, object]]:
    """The boards as plain JSON values; infinities become the strings "inf" and "-inf"."""
    return [
        {
            "dataset": board.dataset.model_dump(),
            "metrics": board.metrics.model_dump(),
            "scenes": list(board.scenes),
            "baseline": board.base.label if board.base else None,
            "machines": [machine.model_dump() for machine in board.machines],
            "rows": [
                {name: _plain(cell) for name, cell in row.items()} for row in flat_rows(board)
            ],
        }
        for board in boards
    ]


def _plain(cell: Cell) -> Cell:
    return str(cell) if isinstance(cell, float) and math.isinf(cell) else cell


def _flat(board: Leaderboard, row: Row) -> dict[str, Cell]:
    record = row.run.record if row.run else None
    cells: dict[str, Cell] = {
        "dataset": printable(board.dataset.name),
        "dataset_digest": printable(board.dataset.digest),
        "track": printable(board.dataset.track),
        "split": printable(board.dataset.split),
        "kind": row.kind,
        "rank": row.rank,
        "method": row.name,
        "title": row.title,
        "year": row.year,
        "weights": row.weights,
        "protocol": row.protocol,
        "status": row.status,
        "reason": row.why,
        "scenes_succeeded": row.succeeded,
        "scenes_failed": row.failed,
        "scenes_missing": row.missing,
    }
    for metric in board.columns:
        cells |= _interval(metric.column, row.quality.get(metric.name))
    cells |= _spread("inference_seconds", row.inference)
    cells |= _spread("total_seconds", row.total)
    cost = record.cost if record else None
    macs_size = cost.macs_size if cost else None
    cells |= {
        "peak_memory_bytes": cost.peak_memory_bytes if cost else None,
        "memory_kind": cost.memory_kind if cost and cost.peak_memory_bytes is not None else None,
        "macs": cost.macs if cost else None,
        "macs_height": macs_size[0] if macs_size else None,
        "macs_width": macs_size[1] if macs_size else None,
        "parameters": record.method.parameters if record else None,
        "device": printable(record.machine.device) if record else None,
        "processor": printable(record.machine.processor) if record else None,
    }
    cells |= _differences(board, row)
    return cells | _published(row)


def _interval(name: str, estimate: Estimate | None) -> dict[str, Cell]:
    has_interval = estimate is not None and estimate.half_width is not None
    return {
        name: estimate.mean if estimate else None,
        f"{name}_low": estimate.low if estimate and has_interval else None,
        f"{name}_high": estimate.high if estimate and has_interval else None,
    }


def _spread(name: str, spread: Spread | None) -> dict[str, Cell]:
    return {
        f"{name}_median": spread.median if spread else None,
        f"{name}_lower_quartile": spread.lower_quartile if spread else None,
        f"{name}_upper_quartile": spread.upper_quartile if spread else None,
    }


def _differences(board: Leaderboard, row: Row) -> dict[str, Cell]:
    found = next((one.by_metric for one in board.differences if one.row is row), {})
    cells: dict[str, Cell] = {"baseline": board.base.label if board.base else None}
    for metric in board.columns:
        estimate = found.get(metric.name)
        cells |= _interval(f"{metric.column}_difference", estimate)
        cells[f"{metric.column}_difference_scenes"] = estimate.count if estimate else None
    return cells


def _published(row: Row) -> dict[str, Cell]:
    printed = row.published
    cells: dict[str, Cell] = {}
    for column in HEADINGS:
        if column == "resolution":
            resolution = printed.resolution if printed else None
            cells["published_height"] = resolution[0] if resolution else None
            cells["published_width"] = resolution[1] if resolution else None
        else:
            cells[f"published_{column}"] = getattr(printed, column) if printed else None
    names = dict.fromkeys(name for column in row.notes.values() for name in column)
    cells["published_not_comparable"] = " ".join(NOTES[name] for name in names)
    return cells
