"""Safetensors whose bytes depend on their content alone, so that equal runs leave equal files."""

import json
from collections.abc import Mapping

import safetensors.torch
from torch import Tensor


def tensor_file(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file with sorted metadata; the library's own order changes from call to call.

    Args:
        tensors: by name, on any device.
        metadata: text by key.
    """
    plain = safetensors.torch.save({name: t.detach().contiguous() for name, t in tensors.items()})
    length = int.from_bytes(plain[:8], "little")
    header = {"__metadata__": dict(sorted(metadata.items())), **json.loads(plain[8 : 8 + length])}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the format wants the tensors aligned
    return len(text).to_bytes(8, "little") + text + plain[8 + length :]
