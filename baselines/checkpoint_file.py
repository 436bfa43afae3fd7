"""A file of weights, read once and without running any code that is in it."""

import hashlib
import io
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from baselines.method import WeightsError

# The largest of the five networks has 53 MB, three times that with an optimiser's state.
_MAX_BYTES: Final = 2**30


@dataclass(frozen=True)
class CheckpointFile:
    """What a file of weights holds.

    Attributes:
        content: what was saved: a state dict, perhaps wrapped in another mapping.
        metadata: text by key (safetensors only).
        sha256: hexadecimal digest of the file.
    """

    content: object
    metadata: Mapping[str, str]
    sha256: str


def read_checkpoint_file(path: Path) -> CheckpointFile:
    """Read safetensors, or anything else as a `.pth` with `weights_only=True`.

    Raises:
        WeightsError: missing, too large, unreadable, or it would run code when opened.
    """
    try:
        if (size := path.stat().st_size) > _MAX_BYTES:
            raise WeightsError(f"{path}: {size:,} bytes are too many for one of these networks")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise WeightsError(f"{path}: there is no such file") from None
    except OSError as error:
        raise WeightsError(f"{path}: can't be read ({error.strerror})") from error
    try:
        content, metadata = _decode(path, raw)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: refused, it holds more than tensors and could run code when opened; "
            "ask for a state dict or safetensors"
        ) from error
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(f"{path}: is no readable checkpoint ({error})") from error
    return CheckpointFile(content, metadata, hashlib.sha256(raw).hexdigest())


def _decode(path: Path, raw: bytes) -> tuple[object, dict[str, str]]:
    if path.suffix != ".safetensors":
        return torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True), {}
    tensors = load(raw)
    header_length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + header_length])
    return tensors, header.get("__metadata__", {})
