"""Read the arrays of a foreign .npz: headers before values, no pickles, no links."""

import os
import zipfile
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from dmef_bench.dataset.importers.found import BrokenSceneError

MAX_VALUES: Final = 400_000_000


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
    """The named arrays as float32.

    Raises:
        BrokenSceneError: missing, a link, no .npz, or an array that is missing, too large, of
            another type than numbers, or holds NaN.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise BrokenSceneError(f"{path}: can't be read ({error.strerror})") from error
    with os.fdopen(descriptor, "rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return {name: _array(archive, path, name) for name in names}
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
            said = " ".join(str(error).split())[:200]
            raise BrokenSceneError(
                f"{path}: not a whole .npz file ({said}); download it again"
            ) from None


def _array(archive: zipfile.ZipFile, path: Path, name: str) -> NDArray[np.float32]:
    try:
        member = archive.getinfo(f"{name}.npy")
    except KeyError:
        held = ", ".join(sorted(one.removesuffix(".npy") for one in archive.namelist())[:8])
        raise BrokenSceneError(
            f"{path}: holds no array {name!r} (but {held or 'nothing'!r}); take the file as it is "
            "distributed"
        ) from None
    with archive.open(member) as stream:
        shape, dtype = _header(stream, path, name)
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        content = stream.read(size + 1)
    if len(content) != size:
        raise BrokenSceneError(f"{path}: array {name!r} is not {size:,} bytes; download it again")
    values = np.frombuffer(content, dtype).reshape(shape).astype(np.float32)
    if not np.isfinite(values).all():
        raise BrokenSceneError(f"{path}: array {name!r} holds NaN or infinity; download it again")
    return values


def _header(stream: IO[bytes], path: Path, name: str) -> tuple[tuple[int, ...], np.dtype]:
    try:
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(stream)
    except (ValueError, KeyError) as error:
        raise BrokenSceneError(f"{path}: array {name!r} has a broken header ({error})") from None
    if dtype.kind != "f" or fortran or len(shape) != 3:
        raise BrokenSceneError(
            f"{path}: array {name!r} is {dtype} of shape {shape}; floats of (channels, height, "
            "width) are due"
        )
    if not 0 < int(np.prod(shape, dtype=object)) <= MAX_VALUES:
        raise BrokenSceneError(f"{path}: array {name!r} of shape {shape} is out of bounds")
    return shape, dtype
