"""Convolutions of features (images, rows · columns, channels) as implicit matrix products.

Channels are stored in multiples of 16, what is too many as zeros. Every grid is (tiles of a row,
rows, images). Sizes are not specialised on: a pyramid has many, and channels alone decide how
addresses are aligned.
"""

# Triton has no types, and is not installed everywhere.
# mypy: disable-error-code="import-untyped,import-not-found,untyped-decorator"

import triton
import triton.language as tl

from dmef_bench.gpu.arithmetic import narrowed, place, product
from dmef_bench.ipl_plus.cuda.brightness_kernels import leaky


@triton.jit
def three_by_three(
    source: tl.tensor, weight: tl.tensor, y: tl.tensor, x: tl.tensor,
    rows: tl.tensor, columns: tl.tensor,
    IN: tl.constexpr, KP: tl.constexpr, BK: tl.constexpr, NP: tl.constexpr,
    DILATION: tl.constexpr, P: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """Around row y and columns x of an image, zeros beyond its border; float32 sums.

    weight is (9, KP, NP); the inputs beyond IN are not read.
    """
    channel = tl.arange(0, NP)
    total = tl.zeros((P, NP), tl.float32)
    parts: tl.constexpr = KP // BK
    for step in range(9 * parts):
        tap = step // parts
        k = (step % parts) * BK + tl.arange(0, BK)
        fy = y + (tap // 3 - 1) * DILATION
        fx = x + (tap % 3 - 1) * DILATION
        here = (fx >= 0) & (fx < columns) & (fy >= 0) & (fy < rows)
        mask = here[:, None]
        if KP > IN:
            mask = mask & (k < IN)[None, :]
        at = source + fy.to(tl.int64) * columns * IN + (fx[:, None] * IN + k[None, :])
        part = tl.load(weight + (tap * KP + k)[:, None] * NP + channel[None, :])
        total = product(tl.load(at, mask=mask, other=0), part, total)
    return total


@triton.jit(do_not_specialize=["rows", "columns"])
def convolve(
    source: tl.tensor, weight: tl.tensor, bias: tl.tensor, residual: tl.tensor, out: tl.tensor,
    rows: tl.tensor, columns: tl.tensor, IN: tl.constexpr, KP: tl.constexpr, BK: tl.constexpr,
    OUT: tl.constexpr, NP: tl.constexpr, STRIDE: tl.constexpr, DILATION: tl.constexpr,
    LEAKY: tl.constexpr, RESIDUAL: tl.constexpr, P: tl.constexpr,
) -> None:  # fmt: skip
    """3×3, with what comes after: bias, leaky ReLU, and a residual like out."""
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    image = tl.program_id(2).to(tl.int64)
    out_rows = (rows + STRIDE - 1) // STRIDE
    out_columns = (columns + STRIDE - 1) // STRIDE
    total = three_by_three(
        source + image * rows * columns * IN, weight, y * STRIDE, x * STRIDE, rows, columns,
        IN, KP, BK, NP, DILATION, P,
    )  # fmt: skip
    channel = tl.arange(0, NP)
    total += tl.load(bias + channel)[None, :]
    if LEAKY:
        total = leaky(total)
    at = (image * out_rows + y) * out_columns * OUT + (x[:, None] * OUT + channel[None, :])
    mask = (x < out_columns)[:, None] & (channel < OUT)[None, :]
    if RESIDUAL:
        total += tl.load(residual + at, mask=mask, other=0).to(tl.float32)
    tl.store(out + at, narrowed(total, out.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["rows", "columns"])
def join(
    coarse: tl.tensor, fine: tl.tensor, weight: tl.tensor, bias: tl.tensor, out: tl.tensor,
    rows: tl.tensor, columns: tl.tensor,
    COARSE: tl.constexpr, COARSE_BK: tl.constexpr, FINE: tl.constexpr, FINE_BK: tl.constexpr,
    OUT: tl.constexpr, NP: tl.constexpr, P: tl.constexpr,
) -> None:  # fmt: skip
    """1×1 of coarse features, enlarged twofold, beside fine ones; leaky ReLU.

    weight is (COARSE + FINE, NP); rows and columns are the fine ones', both even.
    """
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    image = tl.program_id(2).to(tl.int64)
    mask = (x < columns)[:, None]
    channel = tl.arange(0, NP)
    total = tl.zeros((P, NP), tl.float32)
    top, down = place(y, 0.5, rows // 2)
    left, across = place(x, 0.5, columns // 2)
    right = tl.minimum(left + 1, columns // 2 - 1)
    first = coarse + image * (rows // 2) * (columns // 2) * COARSE
    upper = first + (top * (columns // 2)).to(tl.int64) * COARSE
    lower = first + (tl.minimum(top + 1, rows // 2 - 1) * (columns // 2)).to(tl.int64) * COARSE
    for start in range(0, COARSE, COARSE_BK):
        k = start + tl.arange(0, COARSE_BK)
        here = left[:, None] * COARSE + k[None, :]
        there = right[:, None] * COARSE + k[None, :]
        a = tl.load(upper + here, mask=mask, other=0).to(tl.float32)
        a += (tl.load(upper + there, mask=mask, other=0).to(tl.float32) - a) * across[:, None]
        c = tl.load(lower + here, mask=mask, other=0).to(tl.float32)
        c += (tl.load(lower + there, mask=mask, other=0).to(tl.float32) - c) * across[:, None]
        larger = narrowed(a + (c - a) * down, weight.dtype.element_ty)
        matrix = tl.load(weight + k[:, None] * NP + channel[None, :])
        total = product(larger, matrix, total)
    row = (image * rows + y) * columns
    for start in range(0, FINE, FINE_BK):
        k = start + tl.arange(0, FINE_BK)
        near = tl.load(fine + row * FINE + (x[:, None] * FINE + k[None, :]), mask=mask, other=0)
        matrix = tl.load(weight + (COARSE + k)[:, None] * NP + channel[None, :])
        total = product(near, matrix, total)
    total = leaky(total + tl.load(bias + channel)[None, :])
    tl.store(
        out + row * OUT + (x[:, None] * OUT + channel[None, :]),
        narrowed(total, out.dtype.element_ty),
        mask=mask & (channel < OUT)[None, :],
    )
