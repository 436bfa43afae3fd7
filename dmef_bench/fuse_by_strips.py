"""Fuse pictures of any size with IPL: read by rows, fused by bands, written by rows."""

import math
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from torch import Tensor

from dmef_bench.errors import ScenesFailedError, UsageError
from dmef_bench.ipl import IPL, IPLMethod, TooLittleMemoryError
from dmef_bench.picture_files import MAX_PIXELS, picture_size
from dmef_bench.picture_rows import BracketFiles, is_big_tiff, open_rows, row_writer
from dmef_bench.progress import progress_bar

DEFAULT_MAX_MEMORY: Final = 2**30
# Exposures as read and as float32, twice while they are put together; features; the result as
# float32 and, for rounding, float64.
_WHOLE_BYTES_A_PIXEL: Final = 130
_TIFF: Final = (".tif", ".tiff")


def must_stream(paths: Sequence[Path], output: Path) -> bool:
    """Whether pictures can't be fused whole: by their kind, or too large for this machine.

    That is: .npy or BigTIFF files, and TIFFs with more than `picture_files.MAX_PIXELS` pixels or
    that would take more than half of the machine's memory as a whole.

    Args:
        paths: of the exposures.
        output: of the result.

    Raises:
        IntegrityError: a TIFF is missing or damaged.
    """
    files = (*paths, output)
    if any(path.suffix.lower() == ".npy" for path in files) or any(map(is_big_tiff, paths)):
        return True
    if not all(path.suffix.lower() in _TIFF for path in files):
        return False
    pixels = math.prod(picture_size(paths[0], max_pixels=2**62))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return pixels > min(MAX_PIXELS, memory / 2 / _WHOLE_BYTES_A_PIXEL)


def open_bracket(paths: Sequence[Path]) -> BracketFiles:
    """Three TIFF or .npy files as one bracket; a context manager that closes them.

    Raises:
        UsageError: another kind of file, or two sizes differ.
        IntegrityError: a file is missing or damaged.
    """
    with ExitStack() as opened:
        bracket = BracketFiles([opened.enter_context(open_rows(path)) for path in paths])
        opened.pop_all()
        return bracket


def fuse_by_strips(
    network: IPL, bracket: BracketFiles, output: Path, max_memory: int, *, quiet: bool = False
) -> None:
    """Fuse a bracket on disk into a file, in bounded memory.

    Args:
        network: on the CPU, in evaluation mode.
        bracket: open.
        output: .tif, .tiff or .npy; 16 bit where one of the exposures is; with the colour profile
            of mid in a TIFF. It appears when it is whole.
        max_memory: bytes that reading, fusing and writing may take together, beside the program
            and the network.
        quiet: show no progress.

    Raises:
        UsageError: `max_memory` is too small, and the message says how much is needed; or the
            pictures are smaller than IPL takes.
        IntegrityError: a file is damaged.
        MissingError: no room for the result.
        ScenesFailedError: the network gave NaN or infinity.
    """
    height, width = bracket.height, bracket.width
    smallest = IPLMethod.info.size.minimum
    if min(height, width) < smallest:
        raise UsageError(
            f"pictures of {width}×{height} are too small to be fused by strips, {smallest} rows "
            "and columns are needed; leave out --max-memory"
        )
    with (
        row_writer(output, height, width, bracket.dtype, bracket.colour_profile) as writer,
        progress_bar(quiet=quiet) as bar,
    ):
        task = bar.add_task("rows", total=height)

        def write(first: int, rows: Tensor) -> None:
            try:
                writer.write(first, rows)
            except ValueError as error:
                raise ScenesFailedError(f"ipl gave {error}; nothing was written") from error
            bar.update(task, completed=first + rows.shape[1])

        held = bracket.held_bytes + writer.held_bytes
        try:
            network.fuse_stream(bracket, write, max_bytes=max(0, max_memory - held))
        except TooLittleMemoryError as error:
            needed = -(-(error.needed + held) // 2**20)
            raise UsageError(
                f"--max-memory is too small for pictures {width} wide stored as these are: "
                f"{needed:,}MiB are needed"
            ) from None
