"""What stands in the cells of the Markdown, HTML and terminal tables."""

from leaderboard import wording
from leaderboard.metric import METRICS, Metric
from leaderboard.published import Column, PublishedRow
from leaderboard.records import MachineRecord
from leaderboard.row import Row
from leaderboard.table import Leaderboard

NOTHING = "–"


def quality(row: Row, metric: Metric) -> str:
    """Mean ± half an interval; "n/a" for a run without this metric, a dash without any."""
    if row.run is None or (row.succeeded == 0 and row.status != "complete"):
        return NOTHING
    return wording.estimate(row.quality.get(metric.name), metric.digits)


def best(board: Leaderboard, row: Row, metric: Metric) -> bool:
    """Whether no ranked method has a better mean."""
    ours = row.quality.get(metric.name)
    if row.rank is None or ours is None:
        return False
    ranked = (one.quality.get(metric.name) for one in board.methods if one.rank is not None)
    means = [found.mean for found in ranked if found is not None]
    return ours.mean == (max if metric.higher_is_better else min)(means)


def inference(row: Row) -> str:
    """Median seconds of the method alone."""
    return wording.seconds(row.inference.median) if row.inference else NOTHING


def total(row: Row) -> str:
    """Median seconds with resizing or tiling."""
    return wording.seconds(row.total.median) if row.total else NOTHING


def memory(row: Row) -> str:
    """Peak memory of an inference."""
    cost = row.run.record.cost if row.run else None
    if cost is None or cost.peak_memory_bytes is None:
        return NOTHING
    return wording.memory(cost.peak_memory_bytes)


def memory_kind(row: Row) -> str:
    """Whose memory it was: the accelerator's or the process's; empty where not measured."""
    cost = row.run.record.cost if row.run else None
    if cost is None or cost.peak_memory_bytes is None:
        return ""
    return "accelerator" if cost.memory_kind == "cuda" else "process"


def macs(row: Row) -> str:
    """Multiply-accumulates of one picture."""
    cost = row.run.record.cost if row.run else None
    return NOTHING if cost is None or cost.macs is None else wording.amount(cost.macs)


def macs_size(row: Row) -> str:
    """The size of one call they were counted at; empty where they were not."""
    size = row.run.record.cost.macs_size if row.run else None
    return f"at {wording.size(size)}" if size and macs(row) != NOTHING else ""


def parameters(row: Row) -> str:
    """Number of parameters in millions, as the paper prints them."""
    count = row.run.record.method.parameters if row.run else None
    return NOTHING if count is None else f"{count / 1e6:.4f}M"


def scenes(row: Row) -> str:
    """How many scenes have a figure, of how many."""
    if row.run is None:
        return NOTHING
    return f"{row.succeeded}/{row.succeeded + row.failed + row.missing}"


def machine(board: Leaderboard, row: Row) -> str:
    """M1, M2, ... where the table's runs come from several machines; empty for one."""
    return f"M{row.machine}" if row.machine and len(board.machines) > 1 else ""


def definitions(board: Leaderboard) -> dict[str, str]:
    """Title of each figure of quality -> how it was measured."""
    found = {
        metric.title: wording.printable(getattr(board.metrics, metric.name) or "", 400)
        for metric in board.columns
    }
    trained = trainings(board)
    return found | {"LPIPS": lpips_definition(board)} | ({"Weights": trained} if trained else {})


def trainings(board: Leaderboard) -> str:
    """How long the weights were trained that say so; the same training named once."""
    told: dict[str, list[str]] = {}
    for row in board.measured:
        text = row.run.record.method.weights_training if row.run else None
        titles = told.setdefault(wording.printable(text or "", 100), [])
        if row.title not in titles:
            titles.append(row.title)
    told.pop("", None)
    return "; ".join(f"{', '.join(titles)}: {text}" for text, titles in told.items())


def lpips_definition(board: Leaderboard) -> str:
    """How LPIPS was measured, or why it was not."""
    if board.metrics.lpips:
        return wording.printable(board.metrics.lpips, 400)
    reasons = (row.run.record.lpips_unavailable for row in board.measured if row.run)
    reason = next((wording.printable(one, 300) for one in reasons if one), "")
    return f"n/a: {reason}" if reason else "not measured"


def machine_text(record: MachineRecord) -> str:
    """A machine in one line."""
    device = "" if record.device == record.processor else f"{record.device}, "
    return wording.printable(
        f"{device}{record.processor}, {record.cores} cores ({record.threads} threads "
        f"used), {wording.memory(record.memory_bytes)} memory, {record.system}",
        300,
    )


def published_text(row: PublishedRow, column: Column) -> str:
    """A figure as the paper prints it; empty where it prints none."""
    if column == "resolution":
        return wording.size(row.resolution) if row.resolution else ""
    figure: float | None = getattr(row, column, None)
    if figure is None:
        return ""
    if column in ("macs", "parameters"):
        digits = 2 if column == "macs" else 4
        return f"{figure / 1e12:.2f}T" if figure >= 1e12 else f"{figure / 1e6:.{digits}f}M"
    if column == "seconds":
        return f"{figure:.2f}" if figure >= 1 else f"{figure:.4f}"
    return f"{figure:.{next(metric.digits for metric in METRICS if metric.name == column)}f}"
