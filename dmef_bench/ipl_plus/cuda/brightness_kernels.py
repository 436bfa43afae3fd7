"""From pixels to what the alignment sees: estimates, features and pictures at an eighth.

Brackets are planar (batch, 9, H, W) in uint8 or any float, estimates likewise in the weights'
dtype. Beyond the picture's border, up to the padded size, its border is read.
"""

# Triton has no types, and is not installed everywhere.
# mypy: disable-error-code="import-untyped,import-not-found,untyped-decorator"

import triton
import triton.language as tl

from dmef_bench.gpu.arithmetic import clipped, narrowed, pixel_values, product


@triton.jit
def leaky(values: tl.tensor) -> tl.tensor:
    """Leaky ReLU of slope 0.1."""
    return tl.where(values < 0, 0.1 * values, values)


@triton.jit
def estimate(
    images: tl.tensor, tables: tl.tensor, estimates: tl.tensor, peaks: tl.tensor,
    size: tl.tensor, tiles: tl.tensor,
    KNOTS: tl.constexpr, P: tl.constexpr, EIGHT_BIT: tl.constexpr,
) -> None:  # fmt: skip
    """Tone curves, and each tile's largest estimate; grid (tiles, batch · 9).

    tables is (batch, 3, KNOTS) float32, peaks (batch · 9, tiles) float32.
    """
    n = tl.program_id(0) * P + tl.arange(0, P)
    mask = n < size
    plane = tl.program_id(1)
    first = plane.to(tl.int64) * size
    values = clipped(pixel_values(images + first + n, mask, EIGHT_BIT)) * (KNOTS - 1)
    # NaN has no place on the curve, but stays in the result.
    index = tl.minimum(tl.where(values == values, values, 0.0), KNOTS - 2.0).to(tl.int32)
    knot = tables + (plane // 3) * KNOTS + index
    start = tl.load(knot)
    through = start + (tl.load(knot + 1) - start) * (values - index.to(tl.float32))
    tl.store(estimates + first + n, narrowed(through, estimates.dtype.element_ty), mask=mask)
    tl.store(
        peaks + plane * tiles + tl.program_id(0), tl.max(tl.where(mask, through, -float("inf")))
    )


@triton.jit
def enter(
    images: tl.tensor, estimates: tl.tensor, limits: tl.tensor,
    features: tl.tensor, pictures: tl.tensor, weight: tl.tensor, bias: tl.tensor,
    batch: tl.tensor, height: tl.tensor, width: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    SCALE: tl.constexpr, C: tl.constexpr, CP: tl.constexpr,
    P: tl.constexpr, EIGHT_BIT: tl.constexpr,
) -> None:  # fmt: skip
    """The alignment's first layer, and the comparable pictures' means.

    features is (3 · batch, rows · columns, C), low exposures first; pictures (4 · batch,
    rows · columns, 4) float32 in `comparable`'s order; limits (batch, 3) float32, the exposures'
    largest estimates; weight (6 · SCALE², CP), input first. Grid (tiles of a row, rows,
    batch · 3).
    """
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    image = tl.program_id(2)
    valid = x < columns
    exposure = image % 3
    b = image // 3
    k = tl.arange(0, SCALE * SCALE)
    channel = tl.arange(0, CP)
    colour = tl.arange(0, 16)
    row = tl.minimum(y * SCALE + k // SCALE, height - 1) * width
    pixel = row[None, :] + tl.minimum(x[:, None] * SCALE + (k % SCALE)[None, :], width - 1)
    # A pair is clipped where its brighter exposure ends: the low exposure at the reference's limit,
    # the reference, once more, at the high one's.
    limit = tl.where(exposure == 0, tl.load(limits + b * 3 + 1), float("inf"))
    limit_high = tl.load(limits + b * 3 + 2)
    dtype = weight.dtype.element_ty
    total = tl.zeros((P, CP), tl.float32)
    means = tl.zeros((P, 16), tl.float32)
    means_high = tl.zeros((P, 16), tl.float32)
    for c in range(3):
        plane = (image.to(tl.int64) * 3 + c) * height * width
        encoded = pixel_values(images + plane + pixel, valid[:, None], EIGHT_BIT)
        known = tl.load(estimates + plane + pixel, mask=valid[:, None], other=0)
        own = weight + (c * (SCALE * SCALE) + k)[:, None] * CP + channel[None, :]
        total = product(narrowed(encoded, dtype), tl.load(own), total)
        other = own + 3 * SCALE * SCALE * CP
        known = known.to(tl.float32)
        total = product(narrowed(clipped(known), dtype), tl.load(other), total)
        # Means as products: one column for each colour, whose inputs share it out among them.
        alike = tl.zeros((SCALE * SCALE, 16), tl.float32) + 1 / (SCALE * SCALE)
        share = narrowed(tl.where((colour == c)[None, :], alike, 0.0), dtype)
        limited = tl.minimum(known, limit, tl.PropagateNan.ALL)
        means = product(narrowed(limited, dtype), share, means)
        if exposure == 1:
            limited = tl.minimum(known, limit_high, tl.PropagateNan.ALL)
            means_high = product(narrowed(limited, dtype), share, means_high)
    cell = y * columns + x
    slot = tl.where(exposure == 0, 2, tl.where(exposure == 1, 0, 3))
    coloured = valid[:, None] & (colour < 4)[None, :]
    at = pictures + (slot * batch + b).to(tl.int64) * rows * columns * 4
    tl.store(at + cell[:, None] * 4 + colour[None, :], means, mask=coloured)
    if exposure == 1:
        at = pictures + (batch + b).to(tl.int64) * rows * columns * 4
        tl.store(at + cell[:, None] * 4 + colour[None, :], means_high, mask=coloured)
    total = leaky(total + tl.load(bias + channel)[None, :])
    tl.store(
        features
        + (exposure * batch + b).to(tl.int64) * rows * columns * C
        + (cell[:, None] * C + channel[None, :]),
        narrowed(total, features.dtype.element_ty),
        mask=valid[:, None] & (channel < C)[None, :],
    )
