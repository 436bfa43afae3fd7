"""The network as Triton kernels: pixels in rows, one launch for all blocks on a tile of pixels.

Products take operands of the weights' dtype and add up in float32 (never TF32); what is pointwise
between them is float32. Channels are padded with zeros to a power of two inside a tile, never in
memory. Pictures are planar (batch, 9, H, W) in uint8 or any float; features are (pixels, C).

Every kernel also runs in Triton's interpreter (TRITON_INTERPRET=1), on CPU tensors.
"""

# Triton has no types, and is not installed everywhere.
# mypy: disable-error-code="import-untyped,import-not-found,untyped-decorator"

import triton
import triton.language as tl

from dmef_bench.gpu.arithmetic import (
    clipped,
    narrowed,
    pixel_values,
    place,
    product,
    to_eight_bit,
)


@triton.jit
def _downsampled(
    images: tl.tensor, weight: tl.tensor, bias: tl.tensor,
    b: tl.tensor, y: tl.tensor, x: tl.tensor, valid: tl.tensor,
    height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    R: tl.constexpr, CP: tl.constexpr, KP: tl.constexpr, BK: tl.constexpr,
    P: tl.constexpr, EVEN: tl.constexpr, EIGHT_BIT: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """Space to depth and 3×3 convolution as an implicit product: F0 of P feature pixels."""
    dtype = weight.dtype.element_ty
    channel = tl.arange(0, CP)
    total = tl.zeros((P, CP), tl.float32)
    for tap in range(9):
        fy = y + tap // 3 - 1
        fx = x + tap % 3 - 1
        inside = valid & (fy >= 0) & (fy < rows) & (fx >= 0) & (fx < columns)
        for start in range(0, KP, BK):
            k = start + tl.arange(0, BK)
            py = fy[:, None] * R + ((k % (R * R)) // R)[None, :]
            px = fx[:, None] * R + (k % R)[None, :]
            if not EVEN:  # the border is replicated up to a multiple of the factor
                py = tl.minimum(py, height - 1)
                px = tl.minimum(px, width - 1)
            plane = b[:, None].to(tl.int64) * 9 + (k // (R * R))[None, :]
            values = pixel_values(
                images + plane * (height * width) + (py * width + px),
                inside[:, None] & (k < 9 * R * R)[None, :],
                EIGHT_BIT,
            )
            part = tl.load(weight + (tap * KP + k)[:, None] * CP + channel[None, :])
            total = product(narrowed(values, dtype), part, total)
    return total + tl.load(bias + channel)[None, :]


@triton.jit
def _attended(
    pixels: tl.tensor, block: tl.tensor,
    squeeze: tl.tensor, squeeze_bias: tl.tensor, excite: tl.tensor, excite_bias: tl.tensor,
    D: tl.constexpr, CP: tl.constexpr, P: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """DAEM in the prose reading: pixels times the sum of the D dimensions' weights (eq. 2)."""
    if D > 0:
        dtype = squeeze.dtype.element_ty
        channel = tl.arange(0, CP)
        square = channel[:, None] * CP + channel[None, :]
        operand = narrowed(pixels, dtype)
        weights = tl.zeros((P, CP), tl.float32)
        zero = tl.zeros((P, CP), tl.float32)
        for dimension in tl.static_range(D):
            at = block * D + dimension
            hidden = product(operand, tl.load(squeeze + at * CP * CP + square), zero)
            hidden += tl.load(squeeze_bias + at * CP + channel)[None, :]
            hidden = narrowed(tl.maximum(hidden, 0.0, tl.PropagateNan.ALL), dtype)
            logits = product(hidden, tl.load(excite + at * CP * CP + square), zero)
            logits += tl.load(excite_bias + at * CP + channel)[None, :]
            weights += 1.0 / (1.0 + tl.exp(-logits))
        pixels = pixels * weights
    return pixels


@triton.jit
def _spread(
    contexts: tl.tensor, block: tl.tensor, batch: tl.tensor,
    b: tl.tensor, y: tl.tensor, x: tl.tensor, valid: tl.tensor,
    row_scale: tl.tensor, column_scale: tl.tensor,
    S: tl.constexpr, C: tl.constexpr, CP: tl.constexpr,
) -> tl.tensor:  # fmt: skip
    """A DRTM's context, contexts (blocks, batch, S, S, C), interpolated at P feature pixels."""
    channel = tl.arange(0, CP)
    mask = valid[:, None] & (channel < C)[None, :]
    top, down = place(y, row_scale, S)
    left, right = place(x, column_scale, S)
    bottom = tl.minimum(top + 1, S - 1)
    next_left = tl.minimum(left + 1, S - 1)
    first = (block * batch + b) * (S * S)
    at = contexts + channel[None, :]
    a = tl.load(at + ((first + top * S + left) * C)[:, None], mask=mask, other=0).to(tl.float32)
    c = tl.load(at + ((first + bottom * S + left) * C)[:, None], mask=mask, other=0).to(tl.float32)
    left_column = a + (c - a) * down[:, None]
    a = tl.load(at + ((first + top * S + next_left) * C)[:, None], mask=mask, other=0)
    c = tl.load(at + ((first + bottom * S + next_left) * C)[:, None], mask=mask, other=0)
    a = a.to(tl.float32)
    right_column = a + (c.to(tl.float32) - a) * down[:, None]
    return left_column + (right_column - left_column) * right[:, None]


@triton.jit
def sample_features(
    images: tl.tensor, weight: tl.tensor, bias: tl.tensor, samples: tl.tensor,
    height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    down_row_scale: tl.tensor, down_column_scale: tl.tensor,
    R: tl.constexpr, C: tl.constexpr, CP: tl.constexpr,
    KP: tl.constexpr, BK: tl.constexpr, S: tl.constexpr, P: tl.constexpr,
    EVEN: tl.constexpr, EIGHT_BIT: tl.constexpr,
) -> None:  # fmt: skip
    """F0 where the DRTMs look: samples (batch, S·S, 4, C) float32; grid (tiles, batch)."""
    n = tl.program_id(0) * P + tl.arange(0, P)
    valid = n < 4 * S * S
    output = n // 4
    y, _ = place(output // S, down_row_scale, rows)
    x, _ = place(output % S, down_column_scale, columns)
    y = tl.minimum(y + (n % 4) // 2, rows - 1)
    x = tl.minimum(x + n % 2, columns - 1)
    b = tl.zeros((P,), tl.int32) + tl.program_id(1)
    features = _downsampled(
        images, weight, bias, b, y, x, valid, height, width, rows, columns,
        R, CP, KP, BK, P, EVEN, EIGHT_BIT,
    )  # fmt: skip
    channel = tl.arange(0, CP)
    at = (tl.program_id(1) * (4 * S * S) + n) * C
    tl.store(
        samples + at[:, None] + channel[None, :],
        features,
        mask=valid[:, None] & (channel < C)[None, :],
    )


@triton.jit(do_not_specialize=["block"])
def sample_block(
    samples: tl.tensor, fixed: tl.tensor, contexts: tl.tensor, block: tl.tensor,
    squeeze: tl.tensor, squeeze_bias: tl.tensor, excite: tl.tensor, excite_bias: tl.tensor,
    batch: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    down_row_scale: tl.tensor, down_column_scale: tl.tensor,
    up_row_scale: tl.tensor, up_column_scale: tl.tensor, D: tl.constexpr,
    C: tl.constexpr, CP: tl.constexpr, S: tl.constexpr, P: tl.constexpr, FIRST: tl.constexpr,
) -> None:  # fmt: skip
    """A block on the samples, in place, up to its DRTM; their interpolation to fixed size.

    The context of the block before is applied first. fixed is (batch, S·S, C) in the weights'
    dtype; grid (tiles, batch).
    """
    output = tl.program_id(0) * P + tl.arange(0, P)
    valid = output < S * S
    b = tl.zeros((P,), tl.int32) + tl.program_id(1)
    channel = tl.arange(0, CP)
    mask = valid[:, None] & (channel < C)[None, :]
    top, down = place(output // S, down_row_scale, rows)
    left, right = place(output % S, down_column_scale, columns)
    total = tl.zeros((P, CP), tl.float32)
    for corner in range(4):
        y = tl.minimum(top + corner // 2, rows - 1)
        x = tl.minimum(left + corner % 2, columns - 1)
        at = ((tl.program_id(1) * (S * S) + output) * 4 + corner) * C
        here = samples + at[:, None] + channel[None, :]
        pixels = tl.load(here, mask=mask, other=0)
        if not FIRST:
            pixels += pixels * _spread(
                contexts, block - 1, batch, b, y, x, valid, up_row_scale, up_column_scale, S, C, CP
            )
        pixels = _attended(pixels, block, squeeze, squeeze_bias, excite, excite_bias, D, CP, P)
        tl.store(here, pixels, mask=mask)
        share = tl.where(corner // 2 == 1, down, 1.0 - down)
        share *= tl.where(corner % 2 == 1, right, 1.0 - right)
        total += pixels * share[:, None]
    at = (tl.program_id(1) * (S * S) + output) * C
    tl.store(
        fixed + at[:, None] + channel[None, :], narrowed(total, fixed.dtype.element_ty), mask=mask
    )


@triton.jit
def roll(
    given: tl.tensor, rolled: tl.tensor, weight: tl.tensor, bias: tl.tensor,
    pixels: tl.tensor, K: tl.constexpr, KP: tl.constexpr, P: tl.constexpr,
) -> None:  # fmt: skip
    """One of DRTM's three steps (eqs. 10-12): convolution, GELU, permutation.

    From given (batch, pixels, K) to rolled (batch, K, pixels): read as rows of its last dimension,
    the result is what the next step takes. Grid (tiles, batch); weight (KP, KP), input first.
    """
    n = tl.program_id(0) * P + tl.arange(0, P)
    k = tl.arange(0, KP)
    mask = (n < pixels)[:, None] & (k < K)[None, :]
    first = tl.program_id(1) * pixels * K
    values = tl.load(given + first + n[:, None] * K + k[None, :], mask=mask, other=0)
    matrix = tl.load(weight + k[:, None] * KP + k[None, :])
    zero = tl.zeros((P, KP), tl.float32)
    mixed = product(narrowed(values, weight.dtype.element_ty), matrix, zero)
    mixed += tl.load(bias + k)[None, :]
    mixed = mixed * 0.5 * (1.0 + tl.erf(mixed * 0.7071067811865476))
    out = rolled + first + k[None, :] * pixels + n[:, None]
    tl.store(out, narrowed(mixed, rolled.dtype.element_ty), mask=mask)


@triton.jit
def trunk(
    images: tl.tensor, features: tl.tensor, contexts: tl.tensor,
    down_weight: tl.tensor, down_bias: tl.tensor,
    squeeze: tl.tensor, squeeze_bias: tl.tensor, excite: tl.tensor, excite_bias: tl.tensor,
    batch: tl.tensor, height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    up_row_scale: tl.tensor, up_column_scale: tl.tensor,
    BLOCKS: tl.constexpr, D: tl.constexpr, R: tl.constexpr, C: tl.constexpr, CP: tl.constexpr,
    KP: tl.constexpr, BK: tl.constexpr, S: tl.constexpr, P: tl.constexpr, DRTM: tl.constexpr,
    SUM: tl.constexpr, EVEN: tl.constexpr, EIGHT_BIT: tl.constexpr,
) -> None:  # fmt: skip
    """DownSampler and all blocks: pixels are read, features written, nothing between.

    features (batch · rows · columns, C), what goes to the UpSampler. Grid (tiles,).
    """
    n = tl.program_id(0) * P + tl.arange(0, P)
    valid = n < batch * rows * columns
    b = n // (rows * columns)
    y = (n // columns) % rows
    x = n % columns
    pixels = _downsampled(
        images, down_weight, down_bias, b, y, x, valid, height, width, rows, columns,
        R, CP, KP, BK, P, EVEN, EIGHT_BIT,
    )  # fmt: skip
    total = tl.zeros((P, CP), tl.float32)
    for block in range(BLOCKS):
        pixels = _attended(pixels, block, squeeze, squeeze_bias, excite, excite_bias, D, CP, P)
        if DRTM:
            pixels += pixels * _spread(
                contexts, block, batch, b, y, x, valid, up_row_scale, up_column_scale, S, C, CP
            )
        if SUM:
            total += pixels
    if SUM:
        pixels = total
    channel = tl.arange(0, CP)
    tl.store(
        features + n[:, None].to(tl.int64) * C + channel[None, :],
        narrowed(pixels, features.dtype.element_ty),
        mask=valid[:, None] & (channel < C)[None, :],
    )


@triton.jit
def upsample(
    features: tl.tensor, images: tl.tensor, out: tl.tensor, weight: tl.tensor, bias: tl.tensor,
    batch: tl.tensor, height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    R: tl.constexpr, C: tl.constexpr, CP: tl.constexpr, NP: tl.constexpr, P: tl.constexpr,
    CLIP: tl.constexpr, EIGHT_BIT: tl.constexpr, EIGHT_BIT_OUT: tl.constexpr,
) -> None:  # fmt: skip
    """UpSampler, depth to space, gain times X2, clip and rounding: out (batch, 3, H, W)."""
    n = tl.program_id(0) * P + tl.arange(0, P)
    valid = n < batch * rows * columns
    b = n // (rows * columns)
    y = (n // columns) % rows
    x = n % columns
    channel = tl.arange(0, CP)
    k = tl.arange(0, NP)
    gain = tl.zeros((P, NP), tl.float32)
    for tap in range(9):
        fy = y + tap // 3 - 1
        fx = x + tap % 3 - 1
        inside = valid & (fy >= 0) & (fy < rows) & (fx >= 0) & (fx < columns)
        at = ((b * rows + fy) * columns + fx).to(tl.int64) * C
        near = tl.load(
            features + at[:, None] + channel[None, :],
            mask=inside[:, None] & (channel < C)[None, :],
            other=0,
        )
        part = tl.load(weight + (tap * CP + channel)[:, None] * NP + k[None, :])
        gain = product(near, part, gain)
    gain += tl.load(bias + k)[None, :]
    py = y[:, None] * R + ((k % (R * R)) // R)[None, :]
    px = x[:, None] * R + (k % R)[None, :]
    mask = valid[:, None] & (k < 3 * R * R)[None, :] & (py < height) & (px < width)
    plane = (k // (R * R))[None, :]
    pixel = py * width + px
    size = height * width
    reference = images + (b[:, None].to(tl.int64) * 9 + 3 + plane) * size + pixel
    fused = gain * pixel_values(reference, mask, EIGHT_BIT)
    if CLIP:
        fused = clipped(fused)
    if EIGHT_BIT_OUT:
        fused = to_eight_bit(fused)
    goal = out + (b[:, None].to(tl.int64) * 3 + plane) * size + pixel
    tl.store(goal, narrowed(fused, out.dtype.element_ty), mask=mask)
