"""The loss curve as CSV: a row a step, flushed, and cut back to the checkpoint on resume."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dmef_bench.atomic_write import atomic_write, explained
from dmef_bench.training.samples import Track
from dmef_bench.training.validation import Quality, mean

_STEP: Final = ("step", "loss", "learning_rate")
_MEAN: Final = ("validation_psnr", "validation_ssim")


class TrainingLog:
    """Appends rows to `log.csv`; holds nothing that depends on the clock or the machine.

    A log that an earlier version left without some column goes on with that column empty.

    Args:
        path: the CSV file.
        done: steps whose rows are kept; later ones will be computed again.
        tracks: on which validations measure; with several each has columns of its own, beside
            those of the mean over them.

    Attributes:
        last_psnr: the newest validation's mean in dB, None before the first.
        last_ssim: the same of SSIM.
    """

    def __init__(self, path: Path, done: int, tracks: Sequence[Track] = ("paper",)) -> None:
        self._columns: tuple[str, ...] = (*_STEP, *_MEAN)
        if len(tracks) > 1:
            self._columns += tuple(name for track in tracks for name in _columns_of(track))
        kept = [row for row in read_rows(path) if int(row["step"]) <= done]
        text = io.StringIO()
        table = [[row.get(name, "") for name in self._columns] for row in kept]
        csv.writer(text, lineterminator="\n").writerows([self._columns, *table])
        atomic_write(path, text.getvalue().encode())
        self.last_psnr, self.last_ssim = (_newest(kept, name) for name in _MEAN)
        self._path = path
        self._stream = path.open("a", encoding="utf-8", newline="")

    def add(
        self,
        step: int,
        loss: float,
        learning_rate: float,
        validation: Mapping[Track, Quality] | None = None,
    ) -> None:
        """Write the row of a finished step (counted from 1).

        Raises:
            MissingError: the disk is full.
        """
        figures: dict[str, float] = {}
        if validation is not None:
            whole = mean(list(validation.values()))
            self.last_psnr, self.last_ssim = whole.psnr, whole.ssim
            figures = dict(zip(_MEAN, (whole.psnr, whole.ssim), strict=True))
            for track, quality in validation.items():
                figures |= zip(_columns_of(track), (quality.psnr, quality.ssim), strict=True)
        row = {"step": step, "loss": loss, "learning_rate": learning_rate} | figures
        with explained(self._path):
            csv.writer(self._stream, lineterminator="\n").writerow(
                repr(row[name]) if name in row else "" for name in self._columns
            )
            self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()


def read_rows(path: Path) -> list[dict[str, str]]:
    """The log's rows by column, whole ones only: a kill may have left half a line at the end."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    table = list(csv.reader(line for line in lines if line.endswith("\n")))
    return [
        dict(zip(table[0], row, strict=True))
        for row in table[1:]
        if len(row) == len(table[0]) and row[0].isdigit()
    ]


def _columns_of(track: Track) -> tuple[str, str]:
    return f"{track}_psnr", f"{track}_ssim"


def _newest(rows: list[dict[str, str]], name: str) -> float | None:
    measured = [float(row[name]) for row in rows if row.get(name)]
    return measured[-1] if measured else None
