"""The leaderboard for people: one HTML file that needs nothing from anywhere else."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from leaderboard import wording
from leaderboard.loading import Skipped
from leaderboard.metric import METRICS
from leaderboard.pages import cells
from leaderboard.pages.definitions import ERROR_MAP, INTERVALS, ORDER, PROTOCOLS
from leaderboard.pages.marks import Marks
from leaderboard.pages.pictures import PictureBudget, scene_pictures
from leaderboard.pages.plots import differences_plot
from leaderboard.pages.quality_speed import quality_speed_figure
from leaderboard.published import HEADINGS, PAPER, TABLES, Column
from leaderboard.table import Leaderboard

_COLUMNS: tuple[Column, ...] = ("psnr", "ssim", "lpips", "seconds", "macs", "parameters")
_TEMPLATES = Path(__file__).parent.parent


def as_html(
    boards: Sequence[Leaderboard], title: str = "Leaderboard", skipped: Sequence[Skipped] = ()
) -> str:
    """A page with tables, plots, published figures and the pictures the runs left behind.

    Every foreign word is escaped by the template; the page's own policy forbids scripts and any
    address outside it. Pictures are read from the runs' folders, as many as keep the page under
    10 MB; what was left out for that is said on the page.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        printable=wording.printable,
        seconds=wording.seconds,
        memory=wording.memory,
        machine_text=cells.machine_text,
    )
    budget = PictureBudget()
    return environment.get_template("page.html.j2").render(
        title=wording.printable(title),
        boards=[
            (
                board,
                differences_plot(board),
                quality_speed_figure(board, alone=False),
                scene_pictures(board, budget),
            )
            for board in boards
        ],
        skipped=skipped,
        left_out=budget.left_out,
        elsewhere=METRICS,
        cells=cells,
        wording=wording,
        protocols=PROTOCOLS,
        order=ORDER,
        intervals=INTERVALS,
        error_map=ERROR_MAP,
        tables=TABLES,
        headings=HEADINGS,
        paper=PAPER,
        marks=Marks.of(boards, _COLUMNS, TABLES),
    )
