"""The forms a leaderboard is published in."""

from leaderboard.pages.csv_text import as_csv
from leaderboard.pages.flat import as_data
from leaderboard.pages.html_text import as_html
from leaderboard.pages.markdown_text import as_markdown
from leaderboard.pages.quality_speed import quality_speed_figure

__all__ = ["as_csv", "as_data", "as_html", "as_markdown", "quality_speed_figure"]
