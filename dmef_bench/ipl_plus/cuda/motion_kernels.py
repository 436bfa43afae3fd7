"""One level of the alignment's pyramid: what a flow fetches, matches around it, a better flow.

Pixels are in rows: pictures (count, cells, 4) float32 of which the fourth is not used, flow and
shifts (pairs, cells, 2) float32, features (count, cells, C). There are two pairs a bracket, those
with the low exposures first. Every grid is (tiles of a row, rows, pairs or pictures).
"""

# Triton has no types, and is not installed everywhere.
# mypy: disable-error-code="import-untyped,import-not-found,untyped-decorator"

import triton
import triton.language as tl

from dmef_bench.gpu.arithmetic import narrowed, place


@triton.jit
def flow_at(
    flow: tl.tensor, y: tl.tensor, x: tl.tensor, valid: tl.tensor,
    rows: tl.tensor, columns: tl.tensor, row_ratio: tl.tensor, column_ratio: tl.tensor,
) -> tuple[tl.tensor, tl.tensor]:  # fmt: skip
    """A pair's flow of rows × columns at a larger size's row y and columns x, in its pixels.

    As `enlarged` has it. The ratios are the larger size by the smaller.
    """
    top, down = place(y, 1.0 / row_ratio, rows)
    left, right = place(x, 1.0 / column_ratio, columns)
    upper = flow + (top * columns) * 2
    lower = flow + (tl.minimum(top + 1, rows - 1) * columns) * 2
    next_left = tl.minimum(left + 1, columns - 1) * 2
    left = left * 2
    a = tl.load(upper + left, mask=valid, other=0)
    a += (tl.load(upper + next_left, mask=valid, other=0) - a) * right
    c = tl.load(lower + left, mask=valid, other=0)
    c += (tl.load(lower + next_left, mask=valid, other=0) - c) * right
    u = (a + (c - a) * down) * column_ratio
    a = tl.load(upper + left + 1, mask=valid, other=0)
    a += (tl.load(upper + next_left + 1, mask=valid, other=0) - a) * right
    c = tl.load(lower + left + 1, mask=valid, other=0)
    c += (tl.load(lower + next_left + 1, mask=valid, other=0) - c) * right
    return u, (a + (c - a) * down) * row_ratio


@triton.jit
def inside(position: tl.tensor, size: tl.tensor) -> tuple[tl.tensor, tl.tensor, tl.tensor]:
    """Where a bilinear sample reads: lower place, upper place, the latter's weight; NaN stays."""
    position = tl.maximum(position, 0.0, tl.PropagateNan.ALL)
    position = tl.minimum(position, size - 1.0, tl.PropagateNan.ALL)
    low = tl.where(position == position, position, 0.0).to(tl.int32)
    return low, tl.minimum(low + 1, size - 1), position - low.to(tl.float32)


@triton.jit(do_not_specialize=["rows", "columns"])
def halve(
    pictures: tl.tensor, halved: tl.tensor, rows: tl.tensor, columns: tl.tensor, P: tl.constexpr
) -> None:
    """Means of 2×2, of fewer at an odd border."""
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    fewer_columns = (columns + 1) // 2
    fewer_cells = ((rows + 1) // 2) * fewer_columns
    image = tl.program_id(2).to(tl.int64)
    valid = x < fewer_columns
    colour = tl.arange(0, 4)
    total = tl.zeros((P, 4), tl.float32)
    for corner in tl.static_range(4):
        fy = y * 2 + corner // 2
        fx = x * 2 + corner % 2
        here = valid & (fy < rows) & (fx < columns)
        at = pictures + image * (rows * columns) * 4 + (fy * columns + fx)[:, None] * 4
        total += tl.load(at + colour[None, :], mask=here[:, None], other=0)
    known = tl.minimum(rows - y * 2, 2) * tl.minimum(columns - x * 2, 2)
    at = halved + image * fewer_cells * 4 + (y * fewer_columns + x)[:, None] * 4
    tl.store(at + colour[None, :], total / known[:, None].to(tl.float32), mask=valid[:, None])


@triton.jit(do_not_specialize=["batch", "rows", "columns", "coarse_rows", "coarse_columns"])
def fetch(
    coarse: tl.tensor, features: tl.tensor, pictures: tl.tensor,
    flow: tl.tensor, fetched: tl.tensor, known: tl.tensor,
    batch: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    coarse_rows: tl.tensor, coarse_columns: tl.tensor,
    row_ratio: tl.tensor, column_ratio: tl.tensor,
    F: tl.constexpr, STORED: tl.constexpr, FP: tl.constexpr, KNOWN: tl.constexpr,
    P: tl.constexpr, FIRST: tl.constexpr,
) -> None:  # fmt: skip
    """The coarser flow enlarged, and what it fetches from the outer exposures.

    Writes flow, fetched (pairs, cells, 4) float32, and of known (pairs, cells, KNOWN) the
    reference's F features and the F fetched ones. STORED is the features' row.
    """
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    pair = tl.program_id(2)
    valid = x < columns
    cells = rows * columns
    if FIRST:
        u = tl.zeros((P,), tl.float32)
        v = tl.zeros((P,), tl.float32)
    else:
        before = coarse + pair.to(tl.int64) * (coarse_rows * coarse_columns) * 2
        u, v = flow_at(before, y, x, valid, coarse_rows, coarse_columns, row_ratio, column_ratio)
    cell = y * columns + x
    goal = flow + pair.to(tl.int64) * cells * 2 + cell * 2
    tl.store(goal, u, mask=valid)
    tl.store(goal + 1, v, mask=valid)
    top, bottom, down = inside(y + v, rows)
    left, right, across = inside(x + u, columns)
    # Pictures lie as reference, reference, low, high; features as low, reference, high.
    channel = tl.arange(0, FP)
    mask = valid[:, None] & (channel < F)[None, :]
    own = features + (batch + pair % batch).to(tl.int64) * cells * STORED
    other = features + tl.where(pair < batch, pair, pair + batch).to(tl.int64) * cells * STORED
    picture = pictures + (2 * batch + pair).to(tl.int64) * cells * 4
    told = known + pair.to(tl.int64) * cells * KNOWN + (cell[:, None] * KNOWN + channel[None, :])
    given = own + (cell[:, None] * STORED + channel[None, :])
    tl.store(told, tl.load(given, mask=mask, other=0), mask=mask)
    colour = tl.arange(0, 4)
    found = tl.zeros((P, FP), tl.float32)
    seen = tl.zeros((P, 4), tl.float32)
    for corner in tl.static_range(4):
        fy = bottom if corner // 2 == 1 else top
        fx = right if corner % 2 == 1 else left
        part = down if corner // 2 == 1 else 1.0 - down
        part = part * (across if corner % 2 == 1 else 1.0 - across)
        at = (fy * columns + fx)[:, None]
        near = tl.load(other + at * STORED + channel[None, :], mask=mask, other=0)
        found += near.to(tl.float32) * part[:, None]
        near = tl.load(picture + at * 4 + colour[None, :], mask=valid[:, None], other=0)
        seen += near * part[:, None]
    tl.store(told + F, narrowed(found, known.dtype.element_ty), mask=mask)
    at = fetched + pair.to(tl.int64) * cells * 4 + (cell[:, None] * 4 + colour[None, :])
    tl.store(at, seen, mask=valid[:, None])


@triton.jit(do_not_specialize=["rows", "columns"])
def differ(
    pictures: tl.tensor, fetched: tl.tensor, difference: tl.tensor,
    rows: tl.tensor, columns: tl.tensor,
    R: tl.constexpr, SP: tl.constexpr, P: tl.constexpr,
) -> None:  # fmt: skip
    """Squared differences at each shift, added up over five columns.

    difference is (pairs, cells, SP) float32, the first (2R + 1)² of each row.
    """
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    pair = tl.program_id(2).to(tl.int64)
    valid = x < columns
    cells = rows * columns
    shift = tl.arange(0, SP)
    side: tl.constexpr = 2 * R + 1
    fy = tl.minimum(tl.maximum(y + (shift // side - R), 0), rows - 1) * columns
    total = tl.zeros((P, SP), tl.float32)
    for step in range(5):
        near = x + (step - 2)
        here = valid & (near >= 0) & (near < columns)
        fx = tl.minimum(tl.maximum(near[:, None] + (shift % side - R)[None, :], 0), columns - 1)
        mask = here[:, None] & (shift < side * side)[None, :]
        own = pictures + pair * cells * 4 + (y * columns + near) * 4
        other = fetched + pair * cells * 4 + (fy[None, :] + fx) * 4
        for colour in tl.static_range(3):
            reference = tl.load(own + colour, mask=here, other=0)
            apart = reference[:, None] - tl.load(other + colour, mask=mask, other=0)
            total += tl.where(mask, apart * apart, 0.0)
    at = pair * cells * SP + ((y * columns + x)[:, None] * SP + shift[None, :])
    tl.store(difference + at, total / 3, mask=valid[:, None])


@triton.jit(do_not_specialize=["rows", "columns"])
def share(
    difference: tl.tensor, sharpness: tl.tensor, shifts: tl.tensor, known: tl.tensor,
    rows: tl.tensor, columns: tl.tensor,
    F: tl.constexpr, KNOWN: tl.constexpr, R: tl.constexpr, SP: tl.constexpr, P: tl.constexpr,
) -> None:  # fmt: skip
    """How well blocks match at each shift as shares of one, and the mean shift.

    Writes the shares into known, behind its 2F features, and shifts: x and y.
    """
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    pair = tl.program_id(2).to(tl.int64)
    valid = x < columns
    cells = rows * columns
    shift = tl.arange(0, SP)
    side: tl.constexpr = 2 * R + 1
    real = (shift < side * side)[None, :]
    mask = valid[:, None] & real
    total = tl.zeros((P, SP), tl.float32)
    first = difference + pair * cells * SP
    for step in range(5):
        near = y + (step - 2)
        here = mask & (near >= 0) & (near < rows)
        at = first + ((near * columns + x)[:, None] * SP + shift[None, :])
        total += tl.load(at, mask=here, other=0)
    high = tl.minimum(y + 2, rows - 1) - tl.maximum(y - 2, 0) + 1
    wide = tl.minimum(x + 2, columns - 1) - tl.maximum(x - 2, 0) + 1
    blocks = total / (high * wide)[:, None].to(tl.float32)
    mean = tl.sum(blocks, 1) / (side * side)
    relative = blocks / (mean + 1e-4)[:, None]
    right = shift % side - R
    down = shift // side - R
    far = 0.05 * (right * right + down * down).to(tl.float32)
    logits = -15.0 * tl.load(sharpness) * relative - far[None, :]
    logits = tl.where(real, logits, -float("inf"))
    shares = tl.exp(logits - tl.max(logits, 1)[:, None])
    shares = shares / tl.sum(shares, 1)[:, None]
    cell = y * columns + x
    goal = shifts + pair * cells * 2 + cell * 2
    tl.store(goal, tl.sum(shares * right[None, :].to(tl.float32), 1), mask=valid)
    tl.store(goal + 1, tl.sum(shares * down[None, :].to(tl.float32), 1), mask=valid)
    at = pair * cells * KNOWN + (cell[:, None] * KNOWN + (2 * F + shift)[None, :])
    tl.store(known + at, narrowed(shares, known.dtype.element_ty), mask=mask)


@triton.jit(do_not_specialize=["rows", "columns"])
def settle(
    shifts: tl.tensor, flow: tl.tensor, known: tl.tensor, rows: tl.tensor, columns: tl.tensor,
    TOLD: tl.constexpr, KNOWN: tl.constexpr, P: tl.constexpr,
) -> None:  # fmt: skip
    """Adds the shifts, as means of 3×3, to the flow, and tells them to known."""
    x = tl.program_id(0) * P + tl.arange(0, P)
    y = tl.program_id(1)
    pair = tl.program_id(2).to(tl.int64)
    valid = x < columns
    cells = rows * columns
    high = tl.minimum(y + 1, rows - 1) - tl.maximum(y - 1, 0) + 1
    wide = tl.minimum(x + 1, columns - 1) - tl.maximum(x - 1, 0) + 1
    side = tl.arange(0, 2)
    total = tl.zeros((P, 2), tl.float32)
    for step in tl.static_range(9):
        fy = y + step // 3 - 1
        fx = x + step % 3 - 1
        here = valid & (fy >= 0) & (fy < rows) & (fx >= 0) & (fx < columns)
        at = shifts + pair * cells * 2 + ((fy * columns + fx)[:, None] * 2 + side[None, :])
        total += tl.load(at, mask=here[:, None], other=0)
    cell = y * columns + x
    goal = flow + pair * cells * 2 + (cell[:, None] * 2 + side[None, :])
    moved = tl.load(goal, mask=valid[:, None], other=0)
    moved += total / (high * wide)[:, None].to(tl.float32)
    tl.store(goal, moved, mask=valid[:, None])
    told = known + pair * cells * KNOWN + (cell[:, None] * KNOWN + (TOLD + side)[None, :])
    tl.store(told, narrowed(moved, known.dtype.element_ty), mask=valid[:, None])
