"""TIFF and BigTIFF by rows: tiles and strips, compressed or not."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dmef_bench.errors import IntegrityError
from dmef_bench.picture_rows.rows import PIECE_BYTES, PictureRows, Rows
from dmef_bench.picture_rows.tiff_layout import COMPRESSIONS, Layout, read_layout

_DEFLATE: Final = "Deflate"


class TiffRows(PictureRows):
    """The first picture of a TIFF: 8 or 16 bit, RGB, RGBA or grey.

    Rows of a file that is not compressed are read by their offsets; of a compressed one a whole
    row of tiles is decoded and kept until another is asked for.

    Args:
        path: of the file.

    Raises:
        IntegrityError: missing, no TIFF, of a kind that is not read by rows, or cut short.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._stream = path.open("rb")
        except OSError as error:
            raise IntegrityError(f"{path}: can't be read ({error.strerror})") from error
        try:
            self._layout = layout = read_layout(path, self._stream)
        except BaseException:
            self._stream.close()
            raise
        self.height, self.width = layout.height, layout.width
        self.dtype = layout.dtype.newbyteorder("=")
        self.colour_profile = layout.colour_profile
        self._decoded: tuple[int, Rows] | None = None
        line_bytes = self.width * layout.samples * layout.dtype.itemsize
        if layout.compression == 1:
            self.piece = max(1, min(self.height, PIECE_BYTES // line_bytes))
            self.held_bytes = 3 * self.piece * max(line_bytes, layout.row_bytes)
        else:
            self.piece = max(1, min(layout.tile_height, PIECE_BYTES // line_bytes))
            # The row of tiles; a tile as stored (twice), as decoded and with its differences
            # undone; a piece of rows.
            tile = layout.tile_height * layout.row_bytes
            self.held_bytes = (
                layout.tile_height * line_bytes
                + 3 * tile
                + 2 * max(layout.counts)
                + self.piece * line_bytes
            )

    def read(self, top: int, bottom: int) -> Rows:
        """Rows top to bottom: (bottom - top, W, 3).

        Raises:
            IntegrityError: a tile can't be decoded, or the file was changed while it was read.
        """
        height = self._layout.tile_height
        values = np.empty((bottom - top, self.width, self._layout.samples), self.dtype)
        for line in range(top // height, (bottom - 1) // height + 1):
            first, last = max(top, line * height), min(bottom, (line + 1) * height)
            goal = values[first - top : last - top]
            start = first - line * height
            if self._layout.compression == 1:
                self._copy(line, start, goal)
            else:
                goal[...] = self._line(line)[start : start + len(goal)]
        return np.broadcast_to(values[..., :3], (*values.shape[:2], 3))

    def _copy(self, line: int, start: int, goal: Rows) -> None:
        """Rows of the tiles of a line, from row `start` of each, of a file that is raw."""
        layout = self._layout
        for column in range(layout.across):
            offset = layout.offsets[line * layout.across + column]
            data = self._bytes_at(offset + start * layout.row_bytes, len(goal) * layout.row_bytes)
            _place(self._values(data, len(goal)), column * layout.tile_width, goal)

    def _line(self, line: int) -> Rows:
        """A decoded row of tiles, (rows, W, samples)."""
        if self._decoded is not None and self._decoded[0] == line:
            return self._decoded[1]
        self._decoded = None
        layout = self._layout
        rows = layout.rows_in(line)
        decoded = np.empty((rows, self.width, layout.samples), self.dtype)
        for column in range(layout.across):
            number = line * layout.across + column
            stored = self._bytes_at(layout.offsets[number], layout.counts[number])
            try:
                data = _decompressed(stored, layout, rows)
            except ValueError as error:
                raise IntegrityError(
                    f"{self.path}: strip or tile {number} is damaged ({error}); make the file anew"
                ) from error
            values = self._values(data, rows)
            if layout.differences:
                values = np.add.accumulate(values, axis=1, dtype=self.dtype)
            _place(values, column * layout.tile_width, decoded)
        self._decoded = line, decoded
        return decoded

    def _values(self, data: bytes | NDArray[np.uint8], rows: int) -> Rows:
        values = np.frombuffer(data, self._layout.dtype)
        return values.reshape(rows, self._layout.tile_width, self._layout.samples)


def _place(tile: Rows, left: int, goal: Rows) -> None:
    width = min(tile.shape[1], goal.shape[1] - left)
    goal[:, left : left + width] = tile[:, :width]


def _decompressed(stored: bytes, layout: Layout, rows: int) -> bytes | NDArray[np.uint8]:
    """The bytes of a tile; never more than its size says, whatever is stored.

    Raises:
        ValueError: it can't be decoded to that size.
    """
    size = rows * layout.row_bytes
    if COMPRESSIONS[layout.compression] == _DEFLATE:
        stream = zlib.decompressobj()
        try:
            data = stream.decompress(stored, size)
            more = stream.decompress(stream.unconsumed_tail, 1)  # which checks the sum at the end
        except zlib.error as error:
            raise ValueError(str(error)) from error
        if len(data) != size or more:
            raise ValueError(f"{'more than' if more else f'{len(data):,} of'} {size:,} bytes")
        return data
    return _decoded_by_libtiff(stored, layout, rows)


def _decoded_by_libtiff(stored: bytes, layout: Layout, rows: int) -> NDArray[np.uint8]:
    """LZW and PackBits: both work on bytes, so a tile is a grey picture of its bytes."""
    entries = {
        256: layout.row_bytes,
        257: rows,
        258: 8,
        259: layout.compression,
        262: 1,
        273: 8,
        277: 1,
        278: rows,
        279: len(stored),
    }
    directory = struct.pack("<H", len(entries))
    for tag, value in entries.items():
        directory += struct.pack("<HHII", tag, 4, 1, value)
    padding = b"\0" * (len(stored) % 2)
    start = 8 + len(stored) + len(padding)
    whole = b"".join((b"II*\0", struct.pack("<I", start), stored, padding, directory, bytes(4)))
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None  # the tile's size was weighed by who opened the file
    try:
        # Unlike OpenCV, Pillow says so where libtiff finds damage.
        with Image.open(BytesIO(whole), formats=["TIFF"]) as image:
            decoded = np.asarray(image)
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(str(error)) from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    return decoded.reshape(-1)
