"""From run records to a leaderboard: statistics, CSV, Markdown, HTML, published figures.

Knows records only; it neither runs a method nor writes a file.
"""

from leaderboard.comparable import group_runs
from leaderboard.errors import LeaderboardError, MixedRunsError, RecordError
from leaderboard.loading import Results, Run, Skipped, load_run, load_runs, read_results
from leaderboard.pages import as_csv, as_data, as_html, as_markdown, quality_speed_figure
from leaderboard.row import Row
from leaderboard.table import Difference, Leaderboard, build_leaderboard

__all__ = [
    "Difference",
    "Leaderboard",
    "LeaderboardError",
    "MixedRunsError",
    "RecordError",
    "Results",
    "Row",
    "Run",
    "Skipped",
    "as_csv",
    "as_data",
    "as_html",
    "as_markdown",
    "build_leaderboard",
    "group_runs",
    "load_run",
    "load_runs",
    "quality_speed_figure",
    "read_results",
]
