"""NumPy array files (.npy) by rows."""

from pathlib import Path

import numpy as np

from dmef_bench.errors import IntegrityError
from dmef_bench.picture_rows.rows import PIECE_BYTES, PictureRows, Rows, check_sides


class ArrayFileRows(PictureRows):
    """An (H, W, 3) array of uint8 or uint16 in a .npy file, as `numpy.save` leaves it.

    The file is read by its offsets and not mapped, so that what was read does not stay in memory.

    Args:
        path: of the file.

    Raises:
        IntegrityError: missing, no such array, or cut short.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._stream = path.open("rb")
        except OSError as error:
            raise IntegrityError(f"{path}: can't be read ({error.strerror})") from error
        try:
            self._read_header()
        except BaseException:
            self._stream.close()
            raise

    def _read_header(self) -> None:
        try:
            version = np.lib.format.read_magic(self._stream)
            if version == (1, 0):
                header = np.lib.format.read_array_header_1_0(self._stream)
            else:
                header = np.lib.format.read_array_header_2_0(self._stream)
        except (ValueError, EOFError, MemoryError) as error:
            raise IntegrityError(f"{self.path}: no .npy file that can be read ({error})") from error
        shape, columns_first, self.dtype = header
        if len(shape) != 3 or shape[2] != 3 or columns_first:
            raise IntegrityError(
                f"{self.path}: an array of shape {shape}"
                f"{' in Fortran order' if columns_first else ''}; (height, width, 3) in C order "
                "is needed"
            )
        if self.dtype.kind != "u" or self.dtype.itemsize > 2:
            raise IntegrityError(f"{self.path}: {self.dtype} values; uint8 or uint16 are needed")
        self.height, self.width = shape[:2]
        check_sides(self.path, self.height, self.width)
        self._start = self._stream.tell()
        self._row_bytes = self.width * 3 * self.dtype.itemsize
        expected = self._start + self.height * self._row_bytes
        size = self._stream.seek(0, 2)
        if size < expected:
            raise IntegrityError(
                f"{self.path}: cut short, {expected:,} bytes are needed for "
                f"{self.width}×{self.height} and it has {size:,}"
            )
        self.piece = max(1, min(self.height, PIECE_BYTES // self._row_bytes))
        self.held_bytes = 2 * self.piece * self._row_bytes

    def read(self, top: int, bottom: int) -> Rows:
        """Rows top to bottom: (bottom - top, W, 3).

        Raises:
            IntegrityError: the file was changed while it was read.
        """
        data = self._bytes_at(self._start + top * self._row_bytes, (bottom - top) * self._row_bytes)
        rows: Rows = np.frombuffer(data, self.dtype).reshape(bottom - top, self.width, 3)
        return rows
