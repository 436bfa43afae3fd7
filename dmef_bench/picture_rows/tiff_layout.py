"""What a TIFF's header says of its pixels, checked before any of them is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import tifffile

from dmef_bench.errors import IntegrityError
from dmef_bench.picture_rows.rows import check_sides

COMPRESSIONS: Final = {1: "none", 5: "LZW", 8: "Deflate", 32773: "PackBits", 32946: "Deflate"}
_GREY, _RGB = 1, 2
_CONTIGUOUS: Final = 1
_UPRIGHT: Final = 1
_LARGEST_PROFILE: Final = 4 << 20


@dataclass(frozen=True)
class Layout:
    """Where a TIFF's pixels are: a grid of tiles; a strip is a tile as wide as the picture.

    Attributes:
        height: of the picture; width likewise.
        samples: values a pixel: 1 grey, 3 RGB, 4 RGB and alpha; what comes after RGB is left out.
        dtype: of a value, with the file's byte order.
        compression: a key of `COMPRESSIONS`.
        differences: whether a value is stored as its difference from its left neighbour.
        tile_height: rows of a tile; the last strip may have fewer.
        tile_width: columns of a tile.
        tiled: whether there are tiles and no strips.
        offsets: of the tiles in the file, row by row.
        counts: bytes of each.
        colour_profile: the ICC profile, or None.
    """

    height: int
    width: int
    samples: int
    dtype: np.dtype[Any]
    compression: int
    differences: bool
    tile_height: int
    tile_width: int
    tiled: bool
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    colour_profile: bytes | None

    @property
    def across(self) -> int:
        """Tiles beside each other."""
        return -(-self.width // self.tile_width)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of a tile, not compressed."""
        return self.tile_width * self.samples * self.dtype.itemsize

    def rows_in(self, line: int) -> int:
        """Rows of the tiles of row number `line` of the grid."""
        if self.tiled:
            return self.tile_height
        return min(self.tile_height, self.height - line * self.tile_height)


def read_layout(path: Path, stream: BinaryIO) -> Layout:
    """The first picture of a TIFF or BigTIFF.

    Args:
        path: for messages.
        stream: the open file.

    Raises:
        IntegrityError: no TIFF, of a kind that is not read by rows, or one whose header
            contradicts itself or the file's length.
    """
    try:
        with tifffile.TiffFile(stream, name=path.name) as tiff:
            page = tiff.pages.first
            order = tiff.byteorder
            layout = _layout(path, page, order)
    except IntegrityError:
        raise
    except Exception as error:  # tifffile raises nearly anything on a hostile header
        said = " ".join(str(error).split())[:200]
        raise IntegrityError(f"{path}: not a readable TIFF ({said})") from error
    _check_segments(path, layout, stream.seek(0, 2))
    return layout


def _layout(path: Path, page: Any, order: str) -> Layout:  # noqa: ANN401 - tifffile's page
    height, width = int(page.imagelength), int(page.imagewidth)
    check_sides(path, height, width)
    samples = int(page.samplesperpixel)
    bits = page.bitspersample
    if bits not in (8, 16) or int(page.sampleformat) != 1:
        kinds = {1: "unsigned", 2: "signed", 3: "float"}
        kind = kinds.get(int(page.sampleformat), "other")
        raise IntegrityError(
            f"{path}: {bits} bit {kind} samples; 8 or 16 bit unsigned integers are needed"
        )
    photometric, wanted = int(page.photometric), {_GREY: (1, 2), _RGB: (3, 4)}
    if samples not in wanted.get(photometric, ()):
        raise IntegrityError(
            f"{path}: {samples} samples a pixel of kind {_named(page.photometric)}; "
            "RGB or grey (not inverted, no palette) is needed to read it by rows"
        )
    if samples > 1 and int(page.planarconfig) != _CONTIGUOUS:
        raise IntegrityError(f"{path}: its colours are stored in separate planes; interleave them")
    compression = int(page.compression)
    if compression not in COMPRESSIONS or int(page.predictor) not in (1, 2):
        raise IntegrityError(
            f"{path}: its compression ({_named(page.compression)}) can't be read by rows; "
            f"store it as one of {', '.join(dict.fromkeys(COMPRESSIONS.values()))}"
        )
    orientation = page.tags.get("Orientation")
    if orientation is not None and int(orientation.value) != _UPRIGHT:
        raise IntegrityError(f"{path}: it is stored turned or mirrored; store it upright")
    tiled = bool(page.is_tiled)
    rows = int(page.tilelength) if tiled else min(int(page.rowsperstrip), height)
    columns = int(page.tilewidth) if tiled else width
    check_sides(path, rows, columns)
    profile = page.tags.get(34675)
    held = profile.value if profile is not None and profile.count <= _LARGEST_PROFILE else None
    return Layout(
        height=height,
        width=width,
        samples=samples,
        dtype=np.dtype(f"{order}u{int(bits) // 8}"),
        compression=compression,
        differences=int(page.predictor) == 2,
        tile_height=rows,
        tile_width=columns,
        tiled=tiled,
        offsets=tuple(int(n) for n in page.dataoffsets),
        counts=tuple(int(n) for n in page.databytecounts),
        colour_profile=held if isinstance(held, bytes) and held[16:20] == b"RGB " else None,
    )


def _named(value: object) -> str:
    """What a TIFF calls a number: tifffile's enumerations print as the number alone."""
    return str(getattr(value, "name", value))


def _check_segments(path: Path, layout: Layout, size: int) -> None:
    lines = -(-layout.height // layout.tile_height)
    expected = lines * layout.across
    if not len(layout.offsets) == len(layout.counts) == expected:
        raise IntegrityError(
            f"{path}: its header says {layout.width}×{layout.height}, which is {expected:,} "
            f"strips or tiles, and lists {len(layout.offsets):,}"
        )
    for number, (offset, count) in enumerate(zip(layout.offsets, layout.counts, strict=True)):
        needed = layout.row_bytes * layout.rows_in(number // layout.across)
        if count < (needed if layout.compression == 1 else 1) or offset < 8:
            raise IntegrityError(
                f"{path}: strip or tile {number} has {count:,} bytes at {offset:,}, too few for "
                "the size the header says"
            )
        if offset + count > size:
            raise IntegrityError(
                f"{path}: cut short, strip or tile {number} ends at {offset + count:,} and the "
                f"file has {size:,} bytes"
            )
