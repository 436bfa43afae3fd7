"""The smooth illumination map: LIME's structure-preserving smoothing as LECARM uses it."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from synth.lecarm.grid_system import GridSystem

Floats = NDArray[np.float64]
Solver = Literal["pcg", "direct"]

SMOOTHNESS = 0.15
SIGMA = 2.0
SHARPNESS = 0.001

AUTHORS_TOLERANCE = 0.1
AUTHORS_ITERATIONS = 50
EXACT_TOLERANCE = 1e-10


def smooth_illumination(T: Floats, solver: Solver = "pcg") -> Floats:
    """Smooth an illumination map along its surfaces, not across its edges.

    Solves S + λ·Lap_w(S) = T, where Lap_w is the Laplacian of the picture's four-neighbour
    grid, closed to a torus, with the texture weights w and λ = 0.15.

    Args:
        T: (h, w) illumination.
        solver: "pcg" stops where the authors stop: preconditioned conjugate gradients from
            zero, at a relative residual of 0.1, at most 50 steps. "direct" gives what the
            authors' direct solver gives, to 1e-6 and better at any size up to 8K, by carrying
            the same iteration on to a residual of 1e-10; benchmarks/exposure.py times it
            against a sparse factorisation, which it outruns.

    Returns:
        (h, w) float64.

    Raises:
        ValueError: there is no such solver.

    Source: Guo, Li, Ling, "LIME", IEEE TIP 2017, eq. 17-19, in the authors' limeEstimate.m.
    """
    if solver not in ("pcg", "direct"):
        raise ValueError(f"unknown solver {solver!r}: choose pcg or direct")
    to_right, to_below = texture_weights(T)
    system = GridSystem(SMOOTHNESS * to_right, SMOOTHNESS * to_below)
    if solver == "direct":
        return system.solve(T, EXACT_TOLERANCE)
    return system.solve(T, AUTHORS_TOLERANCE, AUTHORS_ITERATIONS)


def texture_weights(T: Floats) -> tuple[Floats, Floats]:
    """How strongly each pixel is tied to its right and to its lower neighbour.

    Weak where the map has an edge, strong where it is flat. Three habits of the authors' code
    are kept, since the published pictures were made with them: the 1×5 window's weights are a
    Gaussian of *squared* distances, it lies horizontally for both directions, and the
    differences wrap around at the borders (the window does not).

    Args:
        T: (h, w) illumination.

    Returns:
        Two (h, w) arrays, positive: to the right and to the lower neighbour; those of the last
        column and row are to the first.
    """
    return _weight(_step_to_next(T, axis=1)), _weight(_step_to_next(T, axis=0))


def _step_to_next(T: Floats, axis: int) -> Floats:
    return np.roll(T, -1, axis) - T


def _weight(step: Floats) -> Floats:
    window = np.exp(-(np.arange(-2.0, 3.0) ** 4) / (2 * SIGMA**2))
    mean_step = correlate1d(step, window, axis=1, mode="constant")
    weight: Floats = window.sum() / (np.abs(mean_step) * np.abs(step) + SHARPNESS)
    return weight
