"""Write a picture by rows: TIFF, BigTIFF where it must be, or .npy; whole or absent."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import tifffile
import torch
from torch import Tensor

from dmef_bench.atomic_write import explained, fsync_folder
from dmef_bench.errors import MissingError, UsageError
from dmef_bench.picture_rows.rows import PIECE_BYTES

OUTPUT_SUFFIXES: Final = (".tif", ".tiff", ".npy")
_STRIP_BYTES: Final = 1 << 18
# A plain TIFF addresses 4 GiB; its directory comes on top of the pixels.
_LARGEST_PLAIN: Final = 2**32 - 2**26


class RowWriter:
    """Takes rows from top to bottom; made by `row_writer`.

    Args:
        stream: where the pixels go, interleaved and not compressed.
        start: where they begin in it.
        width: of the picture.
        dtype: of the pixels, uint8 or uint16.

    Attributes:
        held_bytes: the most memory it takes.
    """

    def __init__(self, stream: BinaryIO, start: int, width: int, dtype: np.dtype[Any]) -> None:
        self._stream, self._start, self._dtype = stream, start, dtype
        self._row_bytes = width * 3 * dtype.itemsize
        self._piece = max(1, PIECE_BYTES // (width * 3 * 4))
        # A piece as it was clipped, and interleaved.
        self.held_bytes = self._piece * width * 3 * (4 + dtype.itemsize)
        self._rows = 0

    def write(self, first: int, rows: Tensor) -> None:
        """Write rows, clipped to [0, 1] and rounded.

        Args:
            first: number of the first row, the one after the last that was written.
            rows: (3, h, W) float.

        Raises:
            ValueError: rows were left out, or a value is NaN or infinite.
        """
        if first != self._rows:
            raise ValueError(f"row {first} comes after row {self._rows - 1}")
        highest = np.iinfo(self._dtype).max
        self._stream.seek(self._start + first * self._row_bytes)
        for top in range(0, rows.shape[1], self._piece):
            piece = rows[:, top : top + self._piece]
            if not torch.isfinite(piece.sum()):
                raise ValueError(f"NaN or infinity in rows {first + top} and below")
            scaled = piece.clamp(0, 1).mul_(highest).round_().numpy()
            interleaved = np.empty((scaled.shape[1], scaled.shape[2], 3), self._dtype)
            interleaved[...] = np.moveaxis(scaled, 0, -1)
            self._stream.write(interleaved.data)
        self._rows += rows.shape[1]


def _begin_tiff(
    stream: BinaryIO, shape: tuple[int, int, int], dtype: np.dtype[Any], profile: bytes | None
) -> int:
    row_bytes = shape[1] * 3 * dtype.itemsize
    with tifffile.TiffWriter(stream, bigtiff=shape[0] * row_bytes > _LARGEST_PLAIN) as tiff:
        placed = tiff.write(
            shape=shape,
            dtype=dtype,
            photometric="rgb",
            rowsperstrip=min(shape[0], max(1, _STRIP_BYTES // row_bytes)),
            iccprofile=profile,
            metadata=None,
            software=False,
            returnoffset=True,
        )
    if placed is None:
        raise RuntimeError("tifffile laid the picture out in pieces")
    return int(placed[0])


def _begin_array(
    stream: BinaryIO, shape: tuple[int, int, int], dtype: np.dtype[Any], _: bytes | None
) -> int:
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.tell()


@contextlib.contextmanager
def row_writer(
    path: Path,
    height: int,
    width: int,
    dtype: np.dtype[Any],
    colour_profile: bytes | None = None,
) -> Iterator[RowWriter]:
    """Write the picture `path`; it appears there once the block has ended without an error.

    Args:
        path: a .tif, .tiff or .npy file; an old one stays until the new one is whole.
        height: of the picture.
        width: of the picture.
        dtype: uint8 or uint16.
        colour_profile: ICC profile to embed in a TIFF.

    Raises:
        UsageError: the name ends otherwise.
        MissingError: the disk has no room for it, or the folder can't be written.
    """
    if path.suffix.lower() not in OUTPUT_SUFFIXES:
        raise UsageError(
            f"{path}: what is fused by rows is written as {', '.join(OUTPUT_SUFFIXES)}"
        )
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        size, free = height * width * 3 * dtype.itemsize, shutil.disk_usage(path.parent).free
        if size > free:
            raise MissingError(
                f"{path}: {size:,} bytes are needed there and {free:,} are free; make room"
            )
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        try:
            with temporary.open("w+b") as stream:
                begin = _begin_array if path.suffix.lower() == ".npy" else _begin_tiff
                start = begin(stream, (height, width, 3), dtype, colour_profile)
                yield RowWriter(stream, start, width, dtype)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        fsync_folder(path.parent)
