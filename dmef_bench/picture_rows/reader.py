"""Open a picture by rows, by what its name and first bytes say."""

from pathlib import Path

from dmef_bench.errors import UsageError
from dmef_bench.picture_rows.array_rows import ArrayFileRows
from dmef_bench.picture_rows.rows import PictureRows
from dmef_bench.picture_rows.tiff_rows import TiffRows

_BIG_TIFF = (b"II+\0", b"MM\0+")


def open_rows(path: Path) -> PictureRows:
    """A TIFF or .npy file, open for reading by rows.

    Raises:
        UsageError: its name says that it is neither.
        IntegrityError: missing, damaged, or not of 8 or 16 bit RGB.
    """
    match path.suffix.lower():
        case ".tif" | ".tiff":
            return TiffRows(path)
        case ".npy":
            return ArrayFileRows(path)
    raise UsageError(
        f"{path}: only TIFF and .npy files can be read by rows; convert it, or leave out "
        "--max-memory to read it whole"
    )


def is_big_tiff(path: Path) -> bool:
    """Whether a file starts as a BigTIFF does; False for one that can't be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(4) in _BIG_TIFF
    except OSError:
        return False
