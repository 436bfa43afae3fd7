"""Full resolution: the outer exposures aligned; the judge's first layer, and its last with mixing.

A tile of the judge's is of pixels at half resolution; the four of full resolution under each are
columns of a matrix, colour by colour: 12 and four that are not used.
"""

# Triton has no types, and is not installed everywhere.
# mypy: disable-error-code="import-untyped,import-not-found,untyped-decorator"

import triton
import triton.language as tl

from dmef_bench.gpu.arithmetic import clipped, narrowed, pixel_values, product, to_eight_bit
from dmef_bench.ipl_plus.cuda.brightness_kernels import leaky
from dmef_bench.ipl_plus.cuda.convolution_kernels import three_by_three
from dmef_bench.ipl_plus.cuda.motion_kernels import flow_at, inside


@triton.jit
def align(
    estimates: tl.tensor, flow: tl.tensor, outer: tl.tensor, batch: tl.tensor,
    height: tl.tensor, width: tl.tensor, padded_height: tl.tensor, padded_width: tl.tensor,
    flow_rows: tl.tensor, flow_columns: tl.tensor, SCALE: tl.constexpr, P: tl.constexpr,
) -> None:  # fmt: skip
    """Fetches the outer exposures along the flow; grid (tiles of a row, rows, 2 · batch).

    outer is (2 · batch, 3, padded H, padded W), low exposures first.
    """
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    pair = tl.program_id(2)
    valid = x < padded_width
    own = flow + pair.to(tl.int64) * (flow_rows * flow_columns) * 2
    u, v = flow_at(own, y, x, valid, flow_rows, flow_columns, SCALE, SCALE)
    top, bottom, down = inside(y + v, padded_height)
    left, right, across = inside(x + u, padded_width)
    top = tl.minimum(top, height - 1) * width
    bottom = tl.minimum(bottom, height - 1) * width
    left = tl.minimum(left, width - 1)
    right = tl.minimum(right, width - 1)
    size = height * width
    first = (pair % batch) * 9 + tl.where(pair < batch, 0, 6)
    source = estimates + first.to(tl.int64) * size
    padded_size = padded_height * padded_width
    goal = outer + pair.to(tl.int64) * 3 * padded_size + y * padded_width + x
    for colour in tl.static_range(3):
        at = source + colour * size
        a = tl.load(at + (top + left), mask=valid, other=0).to(tl.float32)
        a += (tl.load(at + (top + right), mask=valid, other=0).to(tl.float32) - a) * across
        c = tl.load(at + (bottom + left), mask=valid, other=0).to(tl.float32)
        c += (tl.load(at + (bottom + right), mask=valid, other=0).to(tl.float32) - c) * across
        found = narrowed(a + (c - a) * down, outer.dtype.element_ty)
        tl.store(goal + colour * padded_size, found, mask=valid)


@triton.jit
def _under(
    y: tl.tensor, x: tl.tensor, height: tl.tensor, width: tl.tensor, columns: tl.tensor,
    EVEN: tl.constexpr,
) -> tuple[tl.tensor, tl.tensor]:  # fmt: skip
    """Where the pixels under a tile lie in three planes, (P, 16), and which of them there are.

    Those beyond the border are the border's.
    """
    k = tl.arange(0, 16)
    py = y * 2 + k % 4 // 2
    px = x[:, None] * 2 + (k % 2)[None, :]
    mask = (x < columns)[:, None] & (k < 12)[None, :]
    if not EVEN:
        mask = mask & (py < height)[None, :] & (px < width)
        py = tl.minimum(py, height - 1)
        px = tl.minimum(px, width - 1)
    here = ((k // 4) * (height * width) + py * width)[None, :] + px
    if EVEN:  # pixels come in pairs, which one load fetches
        here = tl.max_contiguous(tl.multiple_of(here, (1, 2)), (1, 2))
    return here, mask


@triton.jit
def look(
    images: tl.tensor, estimates: tl.tensor, outer: tl.tensor, half: tl.tensor,
    weight: tl.tensor, bias: tl.tensor,
    batch: tl.tensor, height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    OUT: tl.constexpr, NP: tl.constexpr, P: tl.constexpr,
    ALIGNED: tl.constexpr, EVEN: tl.constexpr, EIGHT_BIT: tl.constexpr,
) -> None:  # fmt: skip
    """The judge's first layer; grid (tiles of a row, rows, batch).

    half is (batch, rows · columns, OUT); weight (4, 16, NP): of the reference, low, high, and the
    reference as it was encoded. Without aligned outer exposures they are taken as they lie.
    """
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    b = tl.program_id(2).to(tl.int64)
    k = tl.arange(0, 16)
    channel = tl.arange(0, NP)
    matrix = weight + k[:, None] * NP + channel[None, :]
    dtype = weight.dtype.element_ty
    size = height * width
    here, _ = _under(y, x, height, width, columns, EVEN)
    mask = (x < columns)[:, None] & (k < 12)[None, :]
    reference = estimates + b * 9 * size + 3 * size
    values = tl.load(reference + here, mask=mask, other=0)
    total = product(values, tl.load(matrix), tl.zeros((P, NP), tl.float32))
    if ALIGNED:
        there, _ = _under(y, x, rows * 2, columns * 2, columns, True)
        low = outer + b * 12 * rows * columns
        high = low + batch * 12 * rows * columns
    else:
        there = here
        low = reference - 3 * size
        high = reference + 3 * size
    values = tl.load(low + there, mask=mask, other=0)
    total = product(values, tl.load(matrix + 16 * NP), total)
    values = tl.load(high + there, mask=mask, other=0)
    total = product(values, tl.load(matrix + 2 * 16 * NP), total)
    values = pixel_values(images + b * 9 * size + 3 * size + here, mask, EIGHT_BIT)
    total = product(narrowed(values, dtype), tl.load(matrix + 3 * 16 * NP), total)
    total = leaky(total + tl.load(bias + channel)[None, :])
    tl.store(
        half + (b * rows + y) * columns * OUT + (x[:, None] * OUT + channel[None, :]),
        narrowed(total, half.dtype.element_ty),
        mask=(x < columns)[:, None] & (channel < OUT)[None, :],
    )


@triton.jit
def mix(
    inner: tl.tensor, residual: tl.tensor, images: tl.tensor, estimates: tl.tensor,
    outer: tl.tensor, out: tl.tensor, weight: tl.tensor, bias: tl.tensor,
    exit_weight: tl.tensor, exit_bias: tl.tensor, trust: tl.tensor,
    batch: tl.tensor, height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    IN: tl.constexpr, KP: tl.constexpr, BK: tl.constexpr, NP: tl.constexpr, P: tl.constexpr,
    NEARLY: tl.constexpr, ALIGNED: tl.constexpr, EVEN: tl.constexpr, CLIP: tl.constexpr,
    EIGHT_BIT: tl.constexpr, EIGHT_BIT_OUT: tl.constexpr,
) -> None:  # fmt: skip
    """The judge's last block and layer, and the picture; grid (tiles of a row, rows, batch).

    out is (batch, 3, H, W), inner and residual (batch, rows · columns, IN); exit_weight (3, NP, 16)
    and exit_bias (3, 16): the low exposure's share, the high one's, what is added.
    """
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    b = tl.program_id(2).to(tl.int64)
    features = three_by_three(
        inner + b * rows * columns * IN, weight, y, x, rows, columns, IN, KP, BK, NP, 1, P
    )
    channel = tl.arange(0, NP)
    features += tl.load(bias + channel)[None, :]
    at = (b * rows + y) * columns * IN + (x[:, None] * IN + channel[None, :])
    mask = (x < columns)[:, None] & (channel < IN)[None, :]
    features += tl.load(residual + at, mask=mask, other=0).to(tl.float32)
    known = narrowed(features, exit_weight.dtype.element_ty)
    k = tl.arange(0, 16)
    matrix = exit_weight + channel[:, None] * 16 + k[None, :]
    zero = tl.zeros((P, 16), tl.float32)
    low_logit = product(known, tl.load(matrix), zero) + tl.load(exit_bias + k)[None, :]
    high_logit = product(known, tl.load(matrix + NP * 16), zero)
    high_logit += tl.load(exit_bias + 16 + k)[None, :]
    extra = product(known, tl.load(matrix + 2 * NP * 16), zero)
    extra += tl.load(exit_bias + 32 + k)[None, :]
    size = height * width
    here, mask = _under(y, x, height, width, columns, EVEN)
    given = estimates + b * 9 * size + 3 * size
    reference = tl.load(given + here, mask=mask, other=0).to(tl.float32)
    encoded = pixel_values(images + b * 9 * size + 3 * size + here, mask, EIGHT_BIT)
    if ALIGNED:
        there, _ = _under(y, x, rows * 2, columns * 2, columns, True)
        below = outer + b * 12 * rows * columns
        above = below + batch * 12 * rows * columns
    else:
        there = here
        below = given - 3 * size
        above = given + 3 * size
    low = tl.load(below + there, mask=mask, other=0).to(tl.float32)
    high = tl.load(above + there, mask=mask, other=0).to(tl.float32)
    nearly = clipped((encoded - NEARLY) / (1 - NEARLY))
    low_logit += tl.load(trust) + tl.load(trust + 1) * nearly
    high_logit += tl.load(trust + 2)
    fused = reference + (low - reference) / (1.0 + tl.exp(-low_logit))
    fused += (high - reference) / (1.0 + tl.exp(-high_logit)) + 0.1 * extra
    if CLIP:
        fused = clipped(fused)
    if EIGHT_BIT_OUT:
        fused = to_eight_bit(fused)
    tl.store(out + b * 3 * size + here, narrowed(fused, out.dtype.element_ty), mask=mask)
