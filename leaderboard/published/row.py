"""What a printed table is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Column = Literal["resolution", "psnr", "ssim", "lpips", "seconds", "macs", "parameters"]

# headings as the paper prints them
HEADINGS: Mapping[Column, str] = MappingProxyType(
    {
        "resolution": "MR",
        "psnr": "PSNR",
        "ssim": "SSIM",
        "lpips": "LPIPS",
        "seconds": "time (s)",
        "macs": "MACs",
        "parameters": "params",
    }
)


@dataclass(frozen=True)
class PublishedRow:
    """A row of a printed table; None where the table prints nothing.

    Attributes:
        label: as printed.
        method: the name of the same method on this command line, empty for a variant.
        resolution: (height, width) of the MR column.
        psnr: dB. ssim, lpips: dimensionless. seconds: per picture.
        macs: as printed, 162.77M = 162.77e6. parameters: likewise.
        notes: names of the notes that hold for one figure of this row only, by column.
    """

    label: str
    method: str = ""
    resolution: tuple[int, int] | None = None
    psnr: float | None = None
    ssim: float | None = None
    lpips: float | None = None
    seconds: float | None = None
    macs: float | None = None
    parameters: float | None = None
    notes: Mapping[Column, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedTable:
    """A table of the paper.

    Attributes:
        number: 1 to 7. caption: what it shows. dataset: what it was measured on.
        rows: in printed order.
        notes: names of the notes that hold for every figure of a column.
        remarks: where the table contradicts the text around it.
    """

    number: int
    caption: str
    dataset: str
    rows: tuple[PublishedRow, ...]
    notes: Mapping[Column, tuple[str, ...]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in which at least one row prints something."""
        return tuple(
            column
            for column in HEADINGS
            if any(getattr(row, column) is not None for row in self.rows)
        )

    def row(self, method: str) -> PublishedRow | None:
        """The row of a method by its name on this command line."""
        return next((row for row in self.rows if method and row.method == method), None)

    def notes_on(self, row: PublishedRow, column: Column) -> tuple[str, ...]:
        """Names of the notes that hold for one figure; empty where nothing is printed."""
        if getattr(row, column) is None:
            return ()
        return self.notes.get(column, ()) + row.notes.get(column, ())
