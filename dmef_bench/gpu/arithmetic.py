"""Steps that kernels of every network take; each runs in Triton's interpreter too."""

# Triton has no types, and is not installed everywhere.
# mypy: disable-error-code="import-untyped,import-not-found,untyped-decorator"

import triton
import triton.language as tl
from triton.runtime.interpreter import InterpretedFunction

# Numbers are annotated like tensors: naming their type would keep Triton from seeing that a width
# is a multiple of 16, and from loading several pixels at once.


@triton.jit
def place(old: tl.tensor, scale: tl.tensor, limit: tl.tensor) -> tuple[tl.tensor, tl.tensor]:
    """Bilinear interpolation at half-pixel centres: the lower place and the weight of the next."""
    position = tl.maximum((old.to(tl.float32) + 0.5) * scale - 0.5, 0.0)
    low = tl.minimum(position.to(tl.int32), limit - 1)
    return low, position - low.to(tl.float32)


INTERPRETED = tl.constexpr(isinstance(place, InterpretedFunction))


@triton.jit
def product(left: tl.tensor, right: tl.tensor, total: tl.tensor) -> tl.tensor:
    """Total + left · right, in float32.

    float32 operands are multiplied as three products of TF32, which together keep 21 bits: what
    Triton makes of full float32 products fits into no registers. The interpreter multiplies float32
    as it is, and bfloat16 only as float32, which is the same.
    """
    if INTERPRETED:
        left = left.to(tl.float32)
        right = right.to(tl.float32)
    return tl.dot(left, right, total, input_precision="tf32x3")


@triton.jit
def narrowed(values: tl.tensor, dtype: tl.constexpr) -> tl.tensor:
    """float32 rounded to dtype, halves to even; the interpreter alone would cut bfloat16 off."""
    if INTERPRETED and dtype == tl.bfloat16 and values.dtype == tl.float32:
        bits = values.to(tl.uint32, bitcast=True)
        values = (bits + 0x7FFF + ((bits >> 16) & 1)).to(tl.float32, bitcast=True)
    return values.to(dtype)


@triton.jit
def pixel_values(pointers: tl.tensor, mask: tl.tensor, EIGHT_BIT: tl.constexpr) -> tl.tensor:
    """Pixels as float32 in [0, 1]; 0 outside the mask."""
    values = tl.load(pointers, mask=mask, other=0).to(tl.float32)
    if EIGHT_BIT:
        values = values / 255.0
    return values


@triton.jit
def clipped(values: tl.tensor) -> tl.tensor:
    """To [0, 1]; NaN stays NaN, as in torch: otherwise whoever looks for it finds zeros."""
    values = tl.maximum(values, 0.0, tl.PropagateNan.ALL)
    return tl.minimum(values, 1.0, tl.PropagateNan.ALL)


@triton.jit
def to_eight_bit(values: tl.tensor) -> tl.tensor:
    """[0, 1] to whole numbers up to 255, halves to even."""
    # Adding and taking away 1.5·2²³ rounds a float32 to whole numbers.
    return (values * 255.0 + 12582912.0) - 12582912.0
