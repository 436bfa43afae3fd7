"""The leaderboard for programs: one CSV file, a line a row, figures at full precision."""

import csv
import io
from collections.abc import Sequence

from leaderboard.pages.flat import Cell, flat_rows
from leaderboard.table import Leaderboard


def as_csv(boards: Sequence[Leaderboard]) -> str:
    """CSV with a header line; the rows of all boards, told apart by their dataset columns.

    Text that a spreadsheet would run as a formula is given a leading apostrophe.
    Source: OWASP, "CSV Injection".
    """
    rows = [row for board in boards for row in flat_rows(board)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([_cell(cell) for cell in row.values()] for row in rows)
    return stream.getvalue()


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
    return repr(cell)
