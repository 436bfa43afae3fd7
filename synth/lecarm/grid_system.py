"""Sparse symmetric systems on a picture's grid, solved by preconditioned conjugate gradients."""

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg

from synth.lecarm.wavefront import Link, anti_diagonal_order, wavefront

Floats = NDArray[np.float64]


class GridSystem:
    """(1 + Lap_w) x = b on an (h, w) grid closed to a torus, w >= 0.

    The preconditioner is the modified incomplete Cholesky factorisation without fill,
    A ≈ (I - E) D (I - E)ᵀ with E strictly lower triangular: MATLAB's `ichol` with `michol` on.

    Args:
        to_right: (h, w) weight between each pixel and its right neighbour.
        to_below: (h, w) weight between each pixel and its lower neighbour.
    """

    def __init__(self, to_right: Floats, to_below: Floats) -> None:
        numbers, self._order = anti_diagonal_order(*to_right.shape)
        self._matrix = _matrix(numbers, to_right, to_below)
        front = wavefront(numbers, to_right, to_below)
        self._pivots = _factorise(self._matrix.diagonal(), front)
        # Views made once: slicing anew in every sweep is a good part of its time.
        self._z = np.empty(self._pivots.size)
        self._steps = [
            (self._z[later], self._z[earlier], weights)
            for _, links in front
            for later, earlier, weights in links
        ]

    def solve(self, b: Floats, tolerance: float, max_iterations: int | None = None) -> Floats:
        """Conjugate gradients from zero, until |b - Ax| <= tolerance·|b|.

        No eigenvalue of A is below one, so the error is no longer than the residual.

        Args:
            b: (h, w) right-hand side.
            tolerance: relative residual to stop at.
            max_iterations: steps after which to stop anyway; none if None.

        Returns:
            (h, w) float64: x.
        """
        x, _ = cg(
            self._matrix,
            b.ravel()[self._order],
            rtol=tolerance,
            maxiter=max_iterations,
            M=LinearOperator(self._matrix.shape, self._precondition, dtype=np.float64),
        )
        solution = np.empty(b.size)
        solution[self._order] = x
        return solution.reshape(b.shape)

    def _precondition(self, r: Floats) -> Floats:
        np.copyto(self._z, r.ravel())
        for later, earlier, weights in self._steps:
            later += weights * earlier
        self._z /= self._pivots
        for later, earlier, weights in reversed(self._steps):
            earlier += weights * later
        return self._z.copy()


def _factorise(diagonal: Floats, front: list[tuple[slice, list[Link]]]) -> Floats:
    """The pivots D; turns the weights of the links into the entries of E.

    Each pivot is the diagonal entry less what elimination takes from it, with the fill
    elimination would make moved to the diagonal, so that row sums stay right. Every row of A
    sums to one; so every pivot exceeds the sum of the weights to later neighbours, and none
    can vanish.
    """
    to_later = np.zeros_like(diagonal)
    for _, links in front:
        for link in links:
            to_later[link.earlier] += link.weights
    pivots = diagonal.copy()
    share = np.empty_like(pivots)
    for span, links in front:
        for later, earlier, weights in links:
            pivots[later] -= weights * share[earlier]
            weights /= pivots[earlier]
        share[span] = to_later[span] / pivots[span]
    return pivots


def _matrix(numbers: NDArray[np.int32], to_right: Floats, to_below: Floats) -> sparse.csr_array:
    """1 + Lap_w with the pixels numbered as given."""
    one = np.concatenate([numbers.ravel(), numbers.ravel()])
    other = np.concatenate([np.roll(numbers, -1, 1).ravel(), np.roll(numbers, -1, 0).ravel()])
    weights = np.concatenate([to_right.ravel(), to_below.ravel()])
    edges = sparse.coo_array((weights, (one, other)), (numbers.size, numbers.size)).tocsr()
    edges = (edges + edges.T).tocsr()
    matrix: sparse.csr_array = (sparse.diags_array(1 + edges.sum(axis=1)) - edges).tocsr()
    return matrix
