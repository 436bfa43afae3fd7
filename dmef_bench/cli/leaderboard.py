"""`dmef-bench leaderboard`: run records in; files, a figure and a table on screen out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmef_bench.atomic_write import atomic_write
from dmef_bench.cli.options import emit, format_option
from dmef_bench.errors import ScenesFailedError, UsageError
from leaderboard import (
    Leaderboard,
    LeaderboardError,
    Results,
    Run,
    Skipped,
    as_csv,
    as_data,
    as_html,
    as_markdown,
    build_leaderboard,
    group_runs,
    quality_speed_figure,
    read_results,
)
from leaderboard.metric import Metric
from leaderboard.pages import cells
from leaderboard.row import Row
from leaderboard.wording import printable

TITLE = "4K-DMEF leaderboard"
# Where the output is a file or a pipe, and what every column together needs.
_PIPE_WIDTH = 180
_FULL_WIDTH = 150


@dataclass(frozen=True)
class Published:
    """What `publish` made: the tables, what it could not read, and the files it wrote."""

    boards: tuple[Leaderboard, ...]
    skipped: tuple[Skipped, ...]
    files: tuple[Path, ...]


def publish(
    results: Path,
    output: Path,
    *,
    baseline: str | None = None,
    dataset: str | None = None,
    title: str = TITLE,
) -> Published:
    """Write leaderboard.csv, .md, .html and a figure a table from the runs below `results`.

    The first table's figure is leaderboard.svg, the second's leaderboard-2.svg and so on; a table
    without both qualities and times has none.

    Args:
        results: where `dmef-bench run` wrote to.
        output: folder for the files; made where it is missing.
        baseline: method that paired differences are taken against; the best one where None.
        dataset: first digits of a dataset's digest, to take only its runs.
        title: of the page.

    Raises:
        UsageError: there are no runs, or none of this baseline or dataset.
        MissingError: `output` can't be written.
    """
    try:
        found = read_results(results)
        runs = _wanted(found, results, dataset)
        boards = tuple(build_leaderboard(group, baseline) for group in group_runs(runs))
    except LeaderboardError as error:
        raise UsageError(str(error)) from error
    drawn = {n: quality_speed_figure(board, alone=True) for n, board in enumerate(boards)}
    figures = {n: f"leaderboard{f'-{n + 1}' if n else ''}.svg" for n, svg in drawn.items() if svg}
    contents = {
        "leaderboard.csv": as_csv(boards),
        "leaderboard.md": as_markdown(boards, title, found.skipped, figures),
        "leaderboard.html": as_html(boards, title, found.skipped),
        **{name: str(drawn[n]) for n, name in figures.items()},
    }
    for name, text in contents.items():
        atomic_write(output / name, text.encode())
    return Published(boards, found.skipped, tuple(output / name for name in contents))


def print_boards(boards: Sequence[Leaderboard]) -> None:
    """Print every table on stdout, for people."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH)
    for board in boards:
        console.print(_table(board, full=console.width >= _FULL_WIDTH))


@click.command("leaderboard")
@click.argument("results", type=click.Path(path_type=Path), default="results")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), default="leaderboard",
    show_default=True,
    help="Folder for leaderboard.csv, .md, .html and .svg, a figure of quality against speed.",
)  # fmt: skip
@click.option(
    "--baseline", metavar="NAME", default=None,
    help="Method that differences are taken against; NAME/PROTOCOL to be exact.  "
    "[default: the best]",
)  # fmt: skip
@click.option(
    "--dataset", metavar="DIGEST8", default=None, help="Only runs on the dataset of this digest."
)
@click.option("--title", default=TITLE, show_default=True, help="Title of the page.")
@format_option
def command(
    results: Path,
    output: Path,
    baseline: str | None,
    dataset: str | None,
    title: str,
    output_format: str,
) -> None:
    """Turn the run records below RESULTS into CSV, Markdown, one HTML file and a figure."""
    published = publish(results, output, baseline=baseline, dataset=dataset, title=title)
    emit(output_format, as_data(published.boards), lambda: print_boards(published.boards))
    for path in published.files:
        click.echo(str(path), err=True)
    for one in published.skipped:
        click.echo(f"skipped: {one.reason}", err=True)
    if published.skipped:
        raise ScenesFailedError(
            f"{len(published.skipped)} of the runs below {results} could not be read; "
            "the leaderboard holds the others"
        )


def _wanted(found: Results, results: Path, dataset: str | None) -> list[Run]:
    if not found.runs:
        reason = "".join(f"; {one.reason}" for one in found.skipped)
        raise UsageError(
            f"{results}: there are no runs here that can be read{reason}. "
            "Make some with `dmef-bench run`."
        )
    runs = [run for run in found.runs if run.record.dataset.digest.startswith(dataset or "")]
    if not runs:
        known = ", ".join(sorted({printable(r.record.dataset.digest[:8]) for r in found.runs}))
        raise UsageError(f"{results}: no runs on dataset {dataset}; there are runs on {known}")
    return runs


def _table(board: Leaderboard, *, full: bool) -> Table:
    """All columns, or those that a narrow terminal has room for, without intervals."""
    data = board.dataset
    title = f"{data.name}, {data.split} split, track {data.track}, dataset {data.digest[:8]}"
    table = Table(
        title=Text(printable(title)),
        caption=_caption(board, full=full),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    columns = _columns(board, full=full)
    for heading in columns:
        left = heading in ("method", "protocol")
        table.add_column(heading, justify="left" if left else "right", no_wrap=not left)
    for group in (board.bounds, board.methods):
        for row in group:
            table.add_row(*(Text(cell(row)) for cell in columns.values()), style=_style(row))
        table.add_section()
    return table


def _columns(board: Leaderboard, *, full: bool) -> dict[str, Callable[[Row], str]]:
    def quality(metric: Metric) -> Callable[[Row], str]:
        return lambda row: (
            cells.quality(row, metric) if full else cells.quality(row, metric).partition(" ±")[0]
        )

    def fed(row: Row) -> str:
        status = "" if row.status == "complete" else row.status
        return ", ".join(part for part in (row.protocol, cells.machine(board, row), status) if part)

    columns: dict[str, Callable[[Row], str]] = {
        "#": lambda row: "bound" if row.kind == "bound" else str(row.rank or ""),
        "method": lambda row: row.title,
        "protocol": fed,
        **{metric.heading: quality(metric) for metric in board.columns},
        "inference": cells.inference,
        "total": cells.total,
        "memory": cells.memory,
        "scenes": cells.scenes,
        "paper PSNR": lambda row: (
            cells.published_text(row.published, "psnr") if row.published else cells.NOTHING
        ),
    }
    if not full:
        for heading in ("inference", "memory", "scenes"):
            del columns[heading]
    return columns


def _caption(board: Leaderboard, *, full: bool) -> Text:
    lines = ["± is half a 95 % interval over scenes."] if full else []
    if board.metrics.of_light:
        lines.append("The page says what keeps measured and printed figures apart.")
    else:
        lines.append("The paper measured on other pictures; the page says what keeps them apart.")
    lines += [f"{row.label}: {row.why}" for row in board.measured if row.why]
    return Text("\n".join(lines))


def _style(row: Row) -> str:
    if row.run is None:
        return "dim"
    return "bold" if row.rank == 1 else ""
