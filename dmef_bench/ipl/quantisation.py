"""Quantisation compression: a block of features as small whole numbers (eqs. 5-8).

The paper prints
    s = (t_max - t_min) / (q_max - q_min)                (5)
    z = clamp(round(q_min - t_min / s))                  (6)
    q = clamp(round(t / (s + z)))                        (7)
    t' = s (q - z)                                       (8)
and two of these can't be meant. Eq. 8 does not invert eq. 7 as printed; round(t / s + z) is what it
inverts. And where a block's range does not include zero, the clamp of eq. 6 moves the zero point,
so that every value is clamped in eq. 7 (values from 10 to 11 would all come back as 1); the zero
point is therefore not clamped here, which changes nothing for blocks that include zero.

The zero point is carried as `base` = -s z, the value of code 0. The equations stay the same
(t / s + z = (t - base) / s), and a block far from zero, where z has more digits than a float32,
keeps its codes.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

import torch
from torch import Tensor

Bits = Literal[4, 8, 16]
# Outside of these, a step or a range leaves what float32 represents with full precision.
_SMALLEST_STEP: Final = 1e-30
_LARGEST_RANGE: Final = 1e37


@dataclass(frozen=True)
class Quantised:
    """A compressed block.

    Attributes:
        codes: uint8 for 8 bits, uint8 with two codes a byte (low half first) for 4, uint16 for 16;
            flat.
        step: s of eq. 5; 0 for a constant block.
        base: the value code 0 stands for, -s z.
        bits: 4, 8 or 16.
        shape: of the block.
        dtype: of the block.
        places: int64, flat indices of the values kept as they are, as those that are infinite or
            NaN.
        values: those values, in the dtype of the block.
    """

    codes: Tensor
    step: float
    base: float
    bits: Bits
    shape: torch.Size
    dtype: torch.dtype
    places: Tensor
    values: Tensor

    @property
    def bytes(self) -> int:
        """Bytes of the tensors that are kept."""
        return self.codes.nbytes + self.places.nbytes + self.values.nbytes


def quantise(block: Tensor, bits: Bits = 8) -> Quantised:
    """Compress a block with one step and one zero point.

    Infinities and NaN take no part in the range; each is kept beside the codes, with its place,
    and comes back as it was; so do all values of a float64 block at the very ends of what float64
    holds. A constant block comes back exactly.

    Args:
        block: any shape, float16, bfloat16, float32 or float64.
        bits: 4, 8 or 16.

    Returns:
        The codes; `dequantise` gives back every finite value within s/2, and the rounding of the
        block's own dtype.

    Raises:
        ValueError: other bits, or a block that is not floating point.

    Source: eqs. 5-7, read as the module says.
    """
    if bits not in get_args(Bits):
        raise ValueError(f"bits is one of {get_args(Bits)}, got {bits!r}")
    if not block.is_floating_point():
        raise ValueError(f"a block of features is floating point, got {block.dtype}")
    flat = block.detach().reshape(-1)
    largest_code = 2**bits - 1
    finite, low, high, places = set_apart(flat)
    step = (high - low) / largest_code
    base = -step * round(-low / step) if step else low
    if not math.isfinite(base):  # no float64 holds the range or the base of such a float64 block
        step = base = 0.0
        places = torch.arange(flat.numel(), device=flat.device)
    if step == 0:
        codes = torch.zeros_like(flat, dtype=torch.uint8)
    else:
        work = finite.to(_working_dtype(flat.dtype, step, high - low), copy=True)
        codes = work.sub_(base).div_(step).round_().clamp_(0, largest_code)
    return Quantised(
        _pack(codes, bits), step, base, bits, block.shape, block.dtype, places, flat[places]
    )


def dequantise(quantised: Quantised) -> Tensor:
    """Eq. 8: the block, each finite value within s/2 of what it was.

    Returns:
        A new tensor with the shape and dtype of the block, on the device of its codes.
    """
    codes = _unpack(quantised.codes, quantised.bits, quantised.shape.numel())
    largest = 2**quantised.bits * quantised.step
    work = codes.to(_working_dtype(quantised.dtype, quantised.step, largest))
    work.mul_(quantised.step).add_(quantised.base)
    # The last code stands for up to half a step more than the block's largest value.
    most = torch.finfo(quantised.dtype).max
    if max(-quantised.base, quantised.base + largest) > most:
        work.clamp_(-most, most)
    flat = work.to(quantised.dtype)
    if quantised.places.numel():
        flat[quantised.places] = quantised.values
    return flat.reshape(quantised.shape)


def set_apart(flat: Tensor) -> tuple[Tensor, float, float, Tensor]:
    """Finite values, their smallest and largest, and the places of those that were not finite.

    Another value of the block stands in for a value that is not finite, so that the range stays.

    Args:
        flat: one dimension, floating point.

    Returns:
        The values (`flat` itself where all are finite), smallest, largest, and int64 places.
    """
    nowhere = torch.empty(0, dtype=torch.int64, device=flat.device)
    if not flat.numel():
        return flat, 0.0, 0.0, nowhere
    low, high = (float(value) for value in torch.aminmax(flat))
    if math.isfinite(low) and math.isfinite(high):
        return flat, low, high, nowhere
    good = torch.isfinite(flat)
    first = flat[good][:1]
    finite = torch.where(good, flat, first if first.numel() else flat.new_zeros(1))
    low, high = (float(value) for value in torch.aminmax(finite))
    return finite, low, high, (~good).nonzero().flatten()


def _working_dtype(dtype: torch.dtype, step: float, extent: float) -> torch.dtype:
    ordinary = step == 0 or (step > _SMALLEST_STEP and extent < _LARGEST_RANGE)
    return torch.float32 if ordinary and dtype != torch.float64 else torch.float64


def _pack(codes: Tensor, bits: Bits) -> Tensor:
    if bits == 16:
        return codes.to(torch.int32).to(torch.uint16)
    small = codes.to(torch.uint8)
    if bits == 8:
        return small
    if small.numel() % 2:
        small = torch.cat([small, small.new_zeros(1)])
    return small[0::2] | (small[1::2] << 4)


def _unpack(packed: Tensor, bits: Bits, count: int) -> Tensor:
    if bits != 4:
        return packed
    return torch.stack([packed & 15, packed >> 4], 1).flatten()[:count]
