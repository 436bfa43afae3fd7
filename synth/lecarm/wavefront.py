"""A grid's pixels in an order in which triangular solves advance a whole anti-diagonal at once.

A pixel's upper and left neighbours lie on the anti-diagonal before its own, so that all the
pixels of one are solved for together. An incomplete Cholesky factorisation depends only on
which of two neighbours comes first, which is the same here as in MATLAB's column by column
order.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Link(NamedTuple):
    """Two runs of pixels, neighbours one by one.

    Attributes:
        later: the numbers of the pixels of one anti-diagonal.
        earlier: the numbers of as many neighbours on an earlier one.
        weights: (n,) what ties each to its neighbour; belongs to this link alone.
    """

    later: slice
    earlier: slice
    weights: Floats


def anti_diagonal_order(height: int, width: int) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Number the pixels along anti-diagonals, from the top downwards on each.

    Returns:
        (height, width) int32, each pixel's number; and (height·width,) the row by row index
        of the pixel with each number.
    """
    diagonals = np.add.outer(np.arange(height), np.arange(width))
    order = np.argsort(diagonals, axis=None, kind="stable")
    numbers = np.empty(order.size, np.int32)
    numbers[order] = np.arange(order.size, dtype=np.int32)
    return numbers.reshape(height, width), order


def wavefront(
    numbers: NDArray[np.int32], to_right: Floats, to_below: Floats
) -> list[tuple[slice, list[Link]]]:
    """The links of a torus grid to earlier pixels, anti-diagonal by anti-diagonal.

    Args:
        numbers: (h, w), as `anti_diagonal_order` gives them.
        to_right: (h, w) weight between each pixel and its right neighbour; the last column's
            is the first.
        to_below: (h, w) weight between each pixel and its lower neighbour; the last row's is
            the first.

    Returns:
        For each anti-diagonal its pixels' numbers and its links. A pixel that would be its own
        neighbour, in a grid one pixel high or wide, is not linked.
    """
    height, width = numbers.shape
    right, below = np.empty(numbers.size), np.empty(numbers.size)
    right[numbers], below[numbers] = to_right, to_below

    def run(first_row: int, last_row: int, diagonal: int) -> slice:
        first = int(numbers[first_row, diagonal - first_row])
        return slice(first, first + last_row - first_row + 1)

    front = []
    for diagonal in range(height + width - 1):
        top, bottom = max(0, diagonal - width + 1), min(height - 1, diagonal)
        links = []
        if (below_top := max(top, 1)) <= bottom:
            upper = run(below_top - 1, bottom - 1, diagonal - 1)
            links.append(Link(run(below_top, bottom, diagonal), upper, below[upper]))
        if top <= (above_corner := min(bottom, diagonal - 1)):
            left = run(top, above_corner, diagonal - 1)
            links.append(Link(run(top, above_corner, diagonal), left, right[left]))
        if bottom == height - 1 > 0:
            last = run(bottom, bottom, diagonal)
            links.append(Link(last, run(0, 0, diagonal - bottom), below[last]))
        if diagonal - top == width - 1 > 0:
            last = run(top, top, diagonal)
            links.append(Link(last, run(top, top, top), right[last]))
        front.append((run(top, bottom, diagonal), links))
    return front
