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
    # Boards of linear light have columns that the others have not.
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return stream.getvalue()


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
    return repr(cell)
