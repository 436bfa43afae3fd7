"""Attention cache (eq. 4): features of blocks that were met before are read, not computed.

What is kept of a block is F_LFE, the output of the local feature extractor, compressed. A result
is read back from its compressed form also when it has just been computed, so that a hit and a miss
give the same bits, and what an `exact` cache returns never depends on what it happens to hold.

docs/attention-cache.md says what each mode guarantees and costs.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast, get_args

import torch
from torch import Tensor

from dmef_bench.ipl.block_coders import BlockCoders, Coded, CoderKind, load_coders
from dmef_bench.ipl.quantisation import Bits, Quantised, dequantise, quantise

Compression = Literal["quantised", "cnn-width", "cnn-channels", "none"]
Mode = Literal["off", "exact", "approximate", "position"]
# What an entry costs beside the numbers it keeps, measured: key, digest, objects; and a compressed
# block its three tensors.
_ENTRY_BYTES = 512
_COMPRESSED_BYTES = 2048
_KEY_BITS: Bits = 16


class Place(NamedTuple):
    """Where a block comes from.

    Attributes:
        fib: number of the Feature Integration Block.
        dimension: "C", "W" or "H".
        picture: number of the picture in its batch.
        block: number of the block along its dimension.
    """

    fib: int
    dimension: str
    picture: int
    block: int


@dataclass(frozen=True)
class CacheStatistics:
    """What a cache did since it was made or cleared.

    Attributes:
        hits: blocks that were read.
        misses: blocks that were computed.
        evictions: entries dropped to make room.
        entries: entries held now.
        bytes: bytes held now.
        peak_bytes: most bytes held at any time.
    """

    hits: int
    misses: int
    evictions: int
    entries: int
    bytes: int
    peak_bytes: int


class _Entry(NamedTuple):
    value: Quantised | Coded | Tensor
    origin: Quantised | None
    bytes: int


class AttentionCache:
    """Holds F_LFE of blocks within a bound of memory; the least recently used go first.

    A cache belongs to one network (`IPL.use_cache`) and to one thread.

    - `off`: nothing is read or kept; every block is computed.
    - `exact`: hit where a block of the same FIB and dimension had the same bytes (SHA-256). The
      result is a function of the picture alone, whatever was fused before, and differs from `off`
      by at most half a quantisation step for each block; not at all with `bits=None`.
    - `approximate`: hit where the block kept from the same place differs in no value by more than
      `tolerance`. The result is that of a block within the tolerance; it is compared with the
      block that was computed, not with the last one seen, so that slow changes don't add up.
    - `position`: hit where there is an entry from the same place, whatever it holds: eq. 4 read
      literally. A second picture gets the features of the first.

    Args:
        mode: one of the four.
        tolerance: τ of `approximate`, in units of the features; finite and not negative.
        bits: of the quantised features, 4, 8 or 16; None keeps them as they are.
        max_bytes: the most bytes held; a result that does not fit alone is not kept.
        compression: "quantised" by `bits`; "cnn-width" or "cnn-channels" by learned coders, with
            no bound on what they lose; "none" keeps features as they are.
        coders: for the two learned kinds; the shipped ones, made for the shipped weights, where
            None.
    """

    def __init__(
        self,
        mode: Mode = "exact",
        *,
        tolerance: float = 0.0,
        bits: Bits | None = 8,
        max_bytes: int = 2 * 2**30,
        compression: Compression = "quantised",
        coders: BlockCoders | None = None,
    ) -> None:
        if mode not in get_args(Mode):
            raise ValueError(f"the mode of a cache is one of {get_args(Mode)}, got {mode!r}")
        if not (tolerance >= 0 and math.isfinite(tolerance)):
            raise ValueError(f"the tolerance of a cache is 0 or more, got {tolerance!r}")
        if bits is not None and bits not in get_args(Bits):
            raise ValueError(f"bits is one of {get_args(Bits)} or None, got {bits!r}")
        if max_bytes < 0:
            raise ValueError(f"max_bytes is 0 or more, got {max_bytes!r}")
        if compression not in get_args(Compression):
            raise ValueError(f"compression is one of {get_args(Compression)}, got {compression!r}")
        self.compression: Compression = "none" if bits is None else compression
        if compression not in get_args(CoderKind):
            coders = None
        elif coders is None:
            coders = load_coders(cast(CoderKind, compression))
        if coders is not None and coders.kind != compression:
            raise ValueError(f"these are coders of {coders.kind}, not of {compression}")
        self.coders = coders
        self.mode = mode
        self.tolerance = tolerance
        self.bits = bits
        self.max_bytes = max_bytes
        self.clear()

    def clear(self) -> None:
        """Forget every entry and start the statistics again."""
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._bytes = self._peak_bytes = 0
        self._hits = self._misses = self._evictions = 0

    @property
    def statistics(self) -> CacheStatistics:
        """The figures of this moment."""
        return CacheStatistics(
            self._hits, self._misses, self._evictions,
            len(self._entries), self._bytes, self._peak_bytes,
        )  # fmt: skip

    def read(self, place: Place, block: Tensor, extract: Callable[[Tensor], Tensor]) -> Tensor:
        """F_k of eq. 4.

        Args:
            place: where the block comes from.
            block: (1, c, h, w) of any floating dtype; not kept.
            extract: the local feature extractor, or what else is to be kept of a block; called on
                a miss.

        Returns:
            What `extract` makes of the block, or made of the one the mode takes for the same; of
            the same shape and dtype, a tensor of its own or one not to be written to.
        """
        if self.mode == "off":
            return extract(block)
        key = self._key(place, block)
        entry = self._entries.get(key)
        if entry is not None and self._holds(entry, block):
            self._hits += 1
            self._entries.move_to_end(key)
            return self._restored(place, entry.value)
        self._misses += 1
        # In one layout, as others round otherwise: equal blocks are to give equal bits.
        value = self._compressed(place, extract(block.contiguous()))
        origin = quantise(block, _KEY_BITS) if self.mode == "approximate" else None
        self._keep(key, value, origin)
        return self._restored(place, value)

    @property
    def description(self) -> str:
        """The settings that decide what is returned, in a few words."""
        mode = f"{self.mode} {self.tolerance:g}" if self.mode == "approximate" else self.mode
        kept = f"{self.bits} bit" if self.compression == "quantised" else self.compression
        return f"{mode}, {kept}"

    def check(self, channels: dict[tuple[int, str], int]) -> None:
        """Refuse a network whose blocks the coders were not made for.

        Args:
            channels: of its blocks, by number of the FIB and dimension.

        Raises:
            ValueError: says which blocks.
        """
        if self.coders is not None:
            self.coders.check(channels)

    def _compressed(self, place: Place, extracted: Tensor) -> Quantised | Coded | Tensor:
        if self.coders is not None:
            return self.coders.compress(place.fib, place.dimension, extracted)
        if self.compression == "none" or self.bits is None:
            return extracted
        return quantise(extracted, self.bits)

    def _restored(self, place: Place, value: Quantised | Coded | Tensor) -> Tensor:
        if isinstance(value, Quantised):
            return dequantise(value)
        if isinstance(value, Coded) and self.coders is not None:
            return self.coders.restore(place.fib, place.dimension, value)
        return cast(Tensor, value)

    def _key(self, place: Place, block: Tensor) -> Hashable:
        kind = (block.shape, block.dtype, block.device)
        if self.mode != "exact":
            return place, kind
        return place.fib, place.dimension, kind, _digest(block)

    def _holds(self, entry: _Entry, block: Tensor) -> bool:
        if entry.origin is None:
            return True
        kept = dequantise(entry.origin)
        # The kept block is known within half a step, or a step once it is rounded to half
        # precision; where that leaves a doubt, it is a miss. NaN differs from everything, so that
        # a block with NaN is always computed.
        wide = torch.promote_types(block.dtype, torch.float32)
        largest = float((block.to(wide) - kept.to(wide)).abs().max())
        return largest + entry.origin.step <= self.tolerance

    def _keep(
        self, key: Hashable, value: Quantised | Coded | Tensor, origin: Quantised | None
    ) -> None:
        replaced = self._entries.pop(key, None)
        if replaced is not None:
            self._bytes -= replaced.bytes
        size = _ENTRY_BYTES + _bytes(value) + (0 if origin is None else _bytes(origin))
        if size > self.max_bytes:
            return
        while self._bytes + size > self.max_bytes:
            _, dropped = self._entries.popitem(last=False)
            self._bytes -= dropped.bytes
            self._evictions += 1
        self._entries[key] = _Entry(value, origin, size)
        self._bytes += size
        self._peak_bytes = max(self._peak_bytes, self._bytes)


def _digest(block: Tensor) -> bytes:
    content = block.detach().contiguous().cpu().flatten().view(torch.uint8)
    return hashlib.sha256(content.numpy().data).digest()


def _bytes(value: Quantised | Coded | Tensor) -> int:
    return value.nbytes if isinstance(value, Tensor) else _COMPRESSED_BYTES + value.bytes
