"""What every picture that is read by rows offers."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

from dmef_bench.errors import IntegrityError

Rows = NDArray[np.uint8] | NDArray[np.uint16]

# Raw bytes read at one time, where a row is not longer.
PIECE_BYTES: Final = 2 << 20
# Beyond this a header is wrong or hostile; 2**20 pixels are 87 m of print at 300 dpi.
MAX_SIDE: Final = 1 << 20


class PictureRows(ABC):
    """An RGB picture on disk, read by rows; a context manager that closes the file.

    Attributes:
        path: of the file.
        height: of the picture; width likewise.
        dtype: of its pixels, uint8 or uint16.
        piece: the most rows `read` gives at once.
        held_bytes: the most memory `read` takes, what it returns included.
        colour_profile: the ICC profile in the file, or None.
    """

    path: Path
    height: int
    width: int
    dtype: np.dtype[Any]
    piece: int
    held_bytes: int
    colour_profile: bytes | None = None
    _stream: BinaryIO

    @abstractmethod
    def read(self, top: int, bottom: int) -> Rows:
        """Rows top to bottom, no more than `piece` of them: (bottom - top, W, 3) RGB.

        Raises:
            IntegrityError: the file is damaged there, or was changed while it was read.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()

    def _bytes_at(self, offset: int, count: int) -> bytes:
        self._stream.seek(offset)
        data = self._stream.read(count)
        if len(data) != count:
            raise IntegrityError(f"{self.path}: was cut short while it was read; make it anew")
        return data


def check_sides(path: Path, height: int, width: int) -> None:
    """Refuse a picture without pixels or with a side that no picture has.

    Raises:
        IntegrityError: says which size.
    """
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise IntegrityError(
            f"{path}: its header says {width}×{height}; sides of 1 to {MAX_SIDE:,} pixels "
            "can be read"
        )
