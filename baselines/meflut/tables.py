"""Look-up tables: out of a network, and as the authors' text files hold them."""

import hashlib
import math
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from baselines.meflut.fusion import guided_lines, weight_along
from baselines.meflut.network import MEFLUT
from baselines.method import WeightsError

ENTRIES: Final = 256
"""Of each table: one for each 8-bit brightness."""

_EXPOSURES: Final = 3
_MAX_BYTES: Final = 2**16


def tables_of(network: MEFLUT) -> Tensor:
    """What a network answers when all exposures are the same plain grey.

    Args:
        network: on any device.

    Returns:
        (frames, 256) in [0, 1], from the darkest exposure to the brightest; each brightness's
        weights sum to 1.
    """
    like = next(network.parameters())
    greys = torch.arange(ENTRIES, device=like.device, dtype=like.dtype) / (ENTRIES - 1)
    luma = greys[:, None, None, None].expand(-1, network.config.frames, 2, 2)
    with torch.no_grad():
        slope, offset = guided_lines(luma, network(luma))
    weights = weight_along(slope, offset, luma).mean((2, 3))
    return (weights / weights.sum(1, keepdim=True)).T


def looked_up(tables: Tensor, luma: Tensor) -> Tensor:
    """Each exposure's weights by its brightness.

    Args:
        tables: (N, 256).
        luma: (B, N, h, w) in [0, 1]; counts as the 8-bit value below it.

    Returns:
        (B, N, h, w), of the tables' dtype.
    """
    entry = (luma * (ENTRIES - 1)).long().clamp_(0, ENTRIES - 1)
    return torch.stack([table[entry[:, n]] for n, table in enumerate(tables)], 1)


def read_tables(path: Path) -> tuple[Tensor, str]:
    """The authors' tables for three exposures: `0_weight.txt`, `1_weight.txt`, `2_weight.txt`.

    Each holds 256 numbers with commas between. 0 belongs to the brightest exposure: its table
    falls with brightness, and the last one's rises.

    Args:
        path: their folder, or one of them.

    Returns:
        (3, 256) float32 in [0, 1], from the darkest exposure to the brightest, and the SHA-256
        of the three files one after the other.

    Raises:
        WeightsError: a file is missing, unreadable, holds other than 256 finite numbers, or the
            folder has tables for more exposures.
    """
    folder = path if path.is_dir() else path.parent
    files = [folder / f"{number}_weight.txt" for number in range(_EXPOSURES)]
    if not path.is_dir() and path not in files:
        raise WeightsError(
            f"{path}: tables are in files called 0_weight.txt, 1_weight.txt and 2_weight.txt"
        )
    if (more := folder / f"{_EXPOSURES}_weight.txt").exists():
        raise WeightsError(f"{more}: these tables are for more than {_EXPOSURES} exposures")
    raw = [_read(file) for file in files]
    tables = [_parsed(file, text) for file, text in zip(files, raw, strict=True)]
    return torch.tensor(tables[::-1]).clamp(0, 1), hashlib.sha256(b"".join(raw)).hexdigest()


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise WeightsError(f"{file}: there is no such file; give all three tables") from None
    except OSError as error:
        raise WeightsError(f"{file}: can't be read ({error.strerror})") from error
    if len(raw) > _MAX_BYTES:
        raise WeightsError(f"{file}: more than {_MAX_BYTES:,} bytes are no table")
    return raw


def _parsed(file: Path, raw: bytes) -> list[float]:
    try:
        numbers = [float(part) for part in raw.decode("ascii").strip().strip(",").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != ENTRIES or not all(math.isfinite(number) for number in numbers):
        raise WeightsError(f"{file}: holds no {ENTRIES} finite numbers with commas between")
    return numbers
