"""The loss curve as CSV: a row a step, flushed, and cut back to the checkpoint on resume."""

import csv
import io
from pathlib import Path
from types import TracebackType
from typing import Self

from dmef_bench.atomic_write import atomic_write, explained

COLUMNS = ("step", "loss", "learning_rate", "validation_psnr")


class TrainingLog:
    """Appends rows to `log.csv`; holds nothing that depends on the clock or the machine.

    Args:
        path: the CSV file.
        done: steps whose rows are kept; later ones will be computed again.

    Attributes:
        last_psnr: the newest validation in dB, None before the first.
    """

    def __init__(self, path: Path, done: int) -> None:
        kept = [row for row in _rows(path) if int(row[0]) <= done]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *kept])
        atomic_write(path, text.getvalue().encode())
        measured = [float(row[3]) for row in kept if row[3]]
        self.last_psnr = measured[-1] if measured else None
        self._path = path
        self._stream = path.open("a", encoding="utf-8", newline="")

    def add(self, step: int, loss: float, learning_rate: float, psnr: float | None) -> None:
        """Write the row of a finished step (counted from 1).

        Raises:
            MissingError: the disk is full.
        """
        quality = "" if psnr is None else repr(psnr)
        with explained(self._path):
            csv.writer(self._stream, lineterminator="\n").writerow(
                (step, repr(loss), repr(learning_rate), quality)
            )
            self._stream.flush()
        if psnr is not None:
            self.last_psnr = psnr

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()


def _rows(path: Path) -> list[list[str]]:
    """Whole rows only: a kill may have left half a line at the end."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rows = list(csv.reader(line for line in lines[1:] if line.endswith("\n")))
    return [row for row in rows if len(row) == len(COLUMNS) and row[0].isdigit()]
