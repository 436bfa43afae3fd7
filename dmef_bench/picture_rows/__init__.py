"""Pictures that are read and written by rows, so that their size does not matter."""

from dmef_bench.picture_rows.array_rows import ArrayFileRows
from dmef_bench.picture_rows.bracket import BracketFiles
from dmef_bench.picture_rows.reader import is_big_tiff, open_rows
from dmef_bench.picture_rows.rows import PictureRows
from dmef_bench.picture_rows.tiff_rows import TiffRows
from dmef_bench.picture_rows.writer import OUTPUT_SUFFIXES, RowWriter, row_writer

__all__ = [
    "OUTPUT_SUFFIXES",
    "ArrayFileRows",
    "BracketFiles",
    "PictureRows",
    "RowWriter",
    "TiffRows",
    "is_big_tiff",
    "open_rows",
    "row_writer",
]
