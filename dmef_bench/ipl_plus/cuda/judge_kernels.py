"""Where the judge meets full resolution: its first layer behind the flow, its last before mixing.

A tile is of pixels at half resolution; the four of full resolution under each are columns of a
matrix, colour by colour: 12 and four that are not used.
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
def _for_each_colour(of_four: tl.tensor, P: tl.constexpr) -> tl.tensor:
    """(P, 4) for the pixels under each tile's to (P, 16), the same for every colour."""
    return tl.reshape(tl.broadcast_to(of_four[:, None, :], (P, 4, 4)), (P, 16))


@triton.jit
def look(
    images: tl.tensor, estimates: tl.tensor, flow: tl.tensor, outer: tl.tensor, half: tl.tensor,
    weight: tl.tensor, bias: tl.tensor,
    batch: tl.tensor, height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    flow_rows: tl.tensor, flow_columns: tl.tensor,
    SCALE: tl.constexpr, OUT: tl.constexpr, NP: tl.constexpr, P: tl.constexpr,
    ALIGN: tl.constexpr, EIGHT_BIT: tl.constexpr,
) -> None:  # fmt: skip
    """Fetches the outer exposures along the flow; the judge's first layer; grid (tiles,).

    Writes outer (2 · batch, 3, H, W), low exposures first, and half (batch, rows · columns, OUT).
    weight is (4, 16, NP): of the reference, low, high, and the reference as it was encoded.
    """
    n = tl.program_id(0) * P + tl.arange(0, P)
    cells = rows * columns
    valid = n < batch * cells
    b = n // cells
    q = tl.arange(0, 4)
    k = tl.arange(0, 16)
    channel = tl.arange(0, NP)
    matrix = weight + k[:, None] * NP + channel[None, :]
    dtype = weight.dtype.element_ty
    size = height * width
    y = ((n % cells) // columns * 2)[:, None] + (q // 2)[None, :]
    x = (n % columns * 2)[:, None] + (q % 2)[None, :]
    here = _for_each_colour(tl.minimum(y, height - 1) * width + tl.minimum(x, width - 1), P)
    within = _for_each_colour((y < height) & (x < width), P)
    mask = valid[:, None] & (k < 12)[None, :]
    plane = (b[:, None].to(tl.int64) * 9 + (k // 4)[None, :]) * size
    values = tl.load(estimates + plane + 3 * size + here, mask=mask, other=0)
    total = product(values, tl.load(matrix), tl.zeros((P, NP), tl.float32))
    values = pixel_values(images + plane + 3 * size + here, mask, EIGHT_BIT)
    total = product(narrowed(values, dtype), tl.load(matrix + 3 * 16 * NP), total)
    for outer_exposure in tl.static_range(2):
        source = estimates + plane + outer_exposure * 6 * size
        if ALIGN:
            pair = outer_exposure * batch + b[:, None] + tl.zeros((P, 4), tl.int32)
            inner = valid[:, None] & (q >= 0)[None, :]
            u, v = flow_at(flow, pair, y, x, inner, flow_rows, flow_columns, SCALE, SCALE)
            top, bottom, down = inside(y.to(tl.float32) + v, rows * 2)
            left, right, across = inside(x.to(tl.float32) + u, columns * 2)
            top = tl.minimum(top, height - 1) * width
            bottom = tl.minimum(bottom, height - 1) * width
            left = tl.minimum(left, width - 1)
            right = tl.minimum(right, width - 1)
            down = _for_each_colour(down, P)
            across = _for_each_colour(across, P)
            at = source + _for_each_colour(top + left, P)
            a = tl.load(at, mask=mask, other=0).to(tl.float32)
            at = source + _for_each_colour(top + right, P)
            a += (tl.load(at, mask=mask, other=0).to(tl.float32) - a) * across
            at = source + _for_each_colour(bottom + left, P)
            c = tl.load(at, mask=mask, other=0).to(tl.float32)
            at = source + _for_each_colour(bottom + right, P)
            c += (tl.load(at, mask=mask, other=0).to(tl.float32) - c) * across
            found = narrowed(a + (c - a) * down, dtype)
        else:
            found = tl.load(source + here, mask=mask, other=0)
        goal = (outer_exposure * batch + b)[:, None].to(tl.int64) * 3 + (k // 4)[None, :]
        tl.store(outer + goal * size + here, found, mask=mask & within)
        total = product(found, tl.load(matrix + (1 + outer_exposure) * 16 * NP), total)
    total = leaky(total + tl.load(bias + channel)[None, :])
    tl.store(
        half + n[:, None].to(tl.int64) * OUT + channel[None, :],
        narrowed(total, half.dtype.element_ty),
        mask=valid[:, None] & (channel < OUT)[None, :],
    )


@triton.jit
def mix(
    inner: tl.tensor, residual: tl.tensor, images: tl.tensor, estimates: tl.tensor,
    outer: tl.tensor, out: tl.tensor, weight: tl.tensor, bias: tl.tensor,
    exit_weight: tl.tensor, exit_bias: tl.tensor, trust: tl.tensor,
    batch: tl.tensor, height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    IN: tl.constexpr, BK: tl.constexpr, NP: tl.constexpr, P: tl.constexpr,
    NEARLY: tl.constexpr, CLIP: tl.constexpr,
    EIGHT_BIT: tl.constexpr, EIGHT_BIT_OUT: tl.constexpr,
) -> None:  # fmt: skip
    """The judge's last block and layer, and the picture: out (batch, 3, H, W); grid (tiles,).

    inner and residual are (batch, rows · columns, IN); exit_weight (3, NP, 16) and exit_bias
    (3, 16): the low exposure's share, the high one's, what is added.
    """
    n = tl.program_id(0) * P + tl.arange(0, P)
    cells = rows * columns
    valid = n < batch * cells
    b = n // cells
    y = (n % cells) // columns
    x = n % columns
    features = three_by_three(inner, weight, b, y, x, valid, rows, columns, IN, BK, NP, 1, P)
    channel = tl.arange(0, NP)
    features += tl.load(bias + channel)[None, :]
    at = n[:, None].to(tl.int64) * IN + channel[None, :]
    mask = valid[:, None] & (channel < IN)[None, :]
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
    py = y[:, None] * 2 + (k % 4 // 2)[None, :]
    px = x[:, None] * 2 + (k % 2)[None, :]
    mask = valid[:, None] & (k < 12)[None, :] & (py < height) & (px < width)
    size = height * width
    pixel = py * width + px
    colour = (k // 4)[None, :]
    plane = b[:, None].to(tl.int64) * 9 + 3 + colour
    reference = tl.load(estimates + plane * size + pixel, mask=mask, other=0).to(tl.float32)
    encoded = pixel_values(images + plane * size + pixel, mask, EIGHT_BIT)
    plane = b[:, None].to(tl.int64) * 3 + colour
    low = tl.load(outer + plane * size + pixel, mask=mask, other=0).to(tl.float32)
    above = (b + batch)[:, None].to(tl.int64) * 3 + colour
    high = tl.load(outer + above * size + pixel, mask=mask, other=0).to(tl.float32)
    nearly = clipped((encoded - NEARLY) / (1 - NEARLY))
    low_logit += tl.load(trust) + tl.load(trust + 1) * nearly
    high_logit += tl.load(trust + 2)
    fused = reference + (low - reference) / (1.0 + tl.exp(-low_logit))
    fused += (high - reference) / (1.0 + tl.exp(-high_logit)) + 0.1 * extra
    if CLIP:
        fused = clipped(fused)
    if EIGHT_BIT_OUT:
        fused = to_eight_bit(fused)
    tl.store(out + plane * size + pixel, narrowed(fused, out.dtype.element_ty), mask=mask)
