"""Convolutions of features (images, rows · columns, channels) as implicit matrix products.

Channels are stored in multiples of 16, what is too many as zeros.
"""

# Triton has no types, and is not installed everywhere.
# mypy: disable-error-code="import-untyped,import-not-found,untyped-decorator"

import triton
import triton.language as tl

from dmef_bench.gpu.arithmetic import narrowed, place, product
from dmef_bench.ipl_plus.cuda.brightness_kernels import leaky


@triton.jit
def three_by_three(
    source: tl.tensor, weight: tl.tensor, image: tl.tensor, y: tl.tensor, x: tl.tensor,
    valid: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    IN: tl.constexpr, BK: tl.constexpr, NP: tl.constexpr, DILATION: tl.constexpr, P: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """Around P pixels of the source, zeros beyond its border; weight (9, IN, NP), float32 sums."""
    channel = tl.arange(0, NP)
    total = tl.zeros((P, NP), tl.float32)
    parts: tl.constexpr = IN // BK
    for step in range(9 * parts):
        tap = step // parts
        k = (step % parts) * BK + tl.arange(0, BK)
        fy = y + (tap // 3 - 1) * DILATION
        fx = x + (tap % 3 - 1) * DILATION
        here = valid & (fy >= 0) & (fy < rows) & (fx >= 0) & (fx < columns)
        at = (image.to(tl.int64) * (rows * columns) + fy * columns + fx) * IN
        near = tl.load(source + at[:, None] + k[None, :], mask=here[:, None], other=0)
        part = tl.load(weight + (tap * IN + k)[:, None] * NP + channel[None, :])
        total = product(near, part, total)
    return total


@triton.jit
def convolve(
    source: tl.tensor, weight: tl.tensor, bias: tl.tensor, residual: tl.tensor, out: tl.tensor,
    images: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    IN: tl.constexpr, BK: tl.constexpr, OUT: tl.constexpr, NP: tl.constexpr,
    STRIDE: tl.constexpr, DILATION: tl.constexpr, LEAKY: tl.constexpr, RESIDUAL: tl.constexpr,
    P: tl.constexpr,
) -> None:  # fmt: skip
    """3×3, with what comes after: bias, leaky ReLU, and a residual like out; grid (tiles,)."""
    n = tl.program_id(0) * P + tl.arange(0, P)
    out_rows = (rows + STRIDE - 1) // STRIDE
    out_columns = (columns + STRIDE - 1) // STRIDE
    cells = out_rows * out_columns
    valid = n < images * cells
    y = (n % cells) // out_columns * STRIDE
    x = n % out_columns * STRIDE
    total = three_by_three(
        source, weight, n // cells, y, x, valid, rows, columns, IN, BK, NP, DILATION, P
    )
    channel = tl.arange(0, NP)
    total += tl.load(bias + channel)[None, :]
    if LEAKY:
        total = leaky(total)
    at = n[:, None].to(tl.int64) * OUT + channel[None, :]
    mask = valid[:, None] & (channel < OUT)[None, :]
    if RESIDUAL:
        total += tl.load(residual + at, mask=mask, other=0).to(tl.float32)
    tl.store(out + at, narrowed(total, out.dtype.element_ty), mask=mask)


@triton.jit
def join(
    coarse: tl.tensor, fine: tl.tensor, weight: tl.tensor, bias: tl.tensor, out: tl.tensor,
    images: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    COARSE: tl.constexpr, COARSE_BK: tl.constexpr, FINE: tl.constexpr, FINE_BK: tl.constexpr,
    OUT: tl.constexpr, NP: tl.constexpr, P: tl.constexpr,
) -> None:  # fmt: skip
    """1×1 of coarse features, enlarged twofold, beside fine ones; leaky ReLU; grid (tiles,).

    weight is (COARSE + FINE, NP); rows and columns are the fine ones', both even.
    """
    n = tl.program_id(0) * P + tl.arange(0, P)
    cells = rows * columns
    valid = n < images * cells
    channel = tl.arange(0, NP)
    total = tl.zeros((P, NP), tl.float32)
    top, down = place((n % cells) // columns, 0.5, rows // 2)
    left, across = place(n % columns, 0.5, columns // 2)
    bottom = tl.minimum(top + 1, rows // 2 - 1)
    right = tl.minimum(left + 1, columns // 2 - 1)
    first = (n // cells).to(tl.int64) * (cells // 4)
    for start in range(0, COARSE, COARSE_BK):
        k = start + tl.arange(0, COARSE_BK)
        larger = tl.zeros((P, COARSE_BK), tl.float32)
        for corner in tl.static_range(4):
            fy = bottom if corner // 2 == 1 else top
            fx = right if corner % 2 == 1 else left
            part = down if corner // 2 == 1 else 1.0 - down
            part = part * (across if corner % 2 == 1 else 1.0 - across)
            at = (first + fy * (columns // 2) + fx) * COARSE
            near = tl.load(coarse + at[:, None] + k[None, :], mask=valid[:, None], other=0)
            larger += near.to(tl.float32) * part[:, None]
        matrix = tl.load(weight + k[:, None] * NP + channel[None, :])
        total = product(narrowed(larger, weight.dtype.element_ty), matrix, total)
    for start in range(0, FINE, FINE_BK):
        k = start + tl.arange(0, FINE_BK)
        at = n[:, None].to(tl.int64) * FINE + k[None, :]
        near = tl.load(fine + at, mask=valid[:, None], other=0)
        matrix = tl.load(weight + (COARSE + k)[:, None] * NP + channel[None, :])
        total = product(near, matrix, total)
    total = leaky(total + tl.load(bias + channel)[None, :])
    tl.store(
        out + n[:, None].to(tl.int64) * OUT + channel[None, :],
        narrowed(total, out.dtype.element_ty),
        mask=valid[:, None] & (channel < OUT)[None, :],
    )
