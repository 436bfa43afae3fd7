"""LECARM's enhancement, stage by stage, against the authors' MATLAB and by first principles."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.sparse.linalg import spsolve

from synth.camera_response import MODELS, Beta, Gamma, Sigmoid
from synth.lecarm import (
    brightest_channel,
    enhance,
    exposure_ratio,
    imresize,
    smooth_illumination,
)
from synth.lecarm.illumination import SMOOTHNESS, texture_weights

# Every fourth row of T and K; everything else whole.
GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "lecarm_enhance.npz")
SOLVERS = pytest.mark.parametrize(("solver", "tolerance"), [("pcg", 1e-3), ("direct", 1e-6)])
ALL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def golden(what):
    return GOLDEN[f"img1_{what}"]


def test_the_brightest_channel_equals_the_authors():
    np.testing.assert_array_equal(brightest_channel(golden("in") / 255), golden("T0"))


def test_half_size_equals_the_authors():
    half = imresize(golden("T0"), (32, 48), scale=0.5)
    np.testing.assert_allclose(half, golden("half"), rtol=0, atol=1e-14)


@SOLVERS
def test_the_smoothed_map_equals_the_authors(solver, tolerance):
    S = smooth_illumination(golden("half"), solver)
    np.testing.assert_allclose(S, golden(f"S_{solver}"), rtol=0, atol=tolerance)


def test_pcg_stops_at_the_very_step_the_authors_stop_at():
    S = smooth_illumination(golden("half"), "pcg")
    np.testing.assert_allclose(S, golden("S_pcg"), rtol=0, atol=1e-12)
    assert np.abs(golden("S_pcg") - golden("S_direct")).max() > 1e-4


@SOLVERS
def test_full_size_equals_the_authors(solver, tolerance):
    T = imresize(golden(f"S_{solver}"), (64, 96))
    np.testing.assert_allclose(T[::4], golden(f"T_{solver}"), rtol=0, atol=1e-14)


@SOLVERS
def test_the_exposure_ratio_equals_the_authors(solver, tolerance):
    np.testing.assert_array_equal(exposure_ratio(golden(f"T_{solver}")), golden(f"K_{solver}"))


@ALL
@SOLVERS
def test_the_enhanced_picture_equals_the_authors(model, solver, tolerance):
    out = enhance(golden("in"), model(), solver)
    same_transform = Beta if model is Gamma else model
    theirs = golden(f"{same_transform.__name__}_out")
    np.testing.assert_allclose(out, theirs, rtol=0, atol=tolerance)


@pytest.fixture
def lamp():
    """A dim room with a bright lamp and a hard shadow: ratios from 1 to 7."""
    y, x = np.mgrid[0:22, 0:31]
    light = 0.04 + 0.95 * np.exp(-((y - 8) ** 2 + (x - 20) ** 2) / 30.0)
    light[:, :7] *= 0.2
    noise = np.random.default_rng(5).uniform(0.8, 1, (22, 31, 3))
    return light[..., None] * noise


def torus_matrix(to_right, to_below):
    """1 + the weighted Laplacian, pixel by pixel, rows numbered as they are read."""
    height, width = to_right.shape
    A = np.eye(height * width)
    for y in range(height):
        for x in range(width):
            here = y * width + x
            for there, weight in (
                (y * width + (x + 1) % width, to_right[y, x]),
                ((y + 1) % height * width + x, to_below[y, x]),
            ):
                A[here, here] += weight
                A[there, there] += weight
                A[here, there] -= weight
                A[there, here] -= weight
    return A


@pytest.mark.parametrize(
    "size", [(11, 16), (16, 11), (7, 7), (3, 5), (2, 6), (1, 8), (8, 1), (1, 1)]
)
def test_direct_solves_the_system_it_states(size):
    T = np.random.default_rng(sum(size)).random(size)
    to_right, to_below = texture_weights(T)
    A = torus_matrix(SMOOTHNESS * to_right, SMOOTHNESS * to_below)
    expected = spsolve(sparse.csc_array(A), T.ravel()).reshape(size)
    np.testing.assert_allclose(smooth_illumination(T, "direct"), expected, rtol=0, atol=1e-9)


def reference_pcg(A, b, tolerance):
    """Textbook conjugate gradients with a dense modified incomplete Cholesky factor."""
    L = np.tril(A)
    for k in range(len(L)):
        L[k, k] = np.sqrt(L[k, k])
        below = k + 1 + np.flatnonzero(L[k + 1 :, k])
        L[below, k] /= L[k, k]
        for i in below:
            for j in below[below <= i]:
                update = L[i, k] * L[j, k]
                if L[i, j]:
                    L[i, j] -= update
                else:
                    L[i, i] -= update
                    L[j, j] -= update
    M = L @ L.T
    x, r = np.zeros_like(b), b
    z = np.linalg.solve(M, r)
    p = z
    while np.linalg.norm(r) > tolerance * np.linalg.norm(b):
        q = A @ p
        step = (r @ z) / (p @ q)
        x, r_old, z_old = x + step * p, r, z
        r = r - step * q
        z = np.linalg.solve(M, r)
        p = z + (r @ z) / (r_old @ z_old) * p
    return x


@pytest.mark.parametrize("size", [(9, 14), (14, 9), (10, 10)])
def test_pcg_is_preconditioned_by_modified_incomplete_cholesky(size):
    T = np.random.default_rng(sum(size)).random(size) ** 3
    to_right, to_below = texture_weights(T)
    A = torus_matrix(SMOOTHNESS * to_right, SMOOTHNESS * to_below)
    expected = reference_pcg(A, T.ravel(), 0.1).reshape(size)
    np.testing.assert_allclose(smooth_illumination(T, "pcg"), expected, rtol=0, atol=1e-10)


def test_texture_weights_are_weak_at_an_edge_and_keep_the_authors_habits():
    T = np.zeros((6, 12))
    T[:, 5:] = 1
    to_right, to_below = texture_weights(T)
    window = np.exp(-(np.array([4, 1, 0, 1, 4]) ** 2) / 8)
    np.testing.assert_allclose(window, [0.1353, 0.8825, 1, 0.8825, 0.1353], atol=5e-5)
    assert to_right[2, 4] == pytest.approx(window.sum() / 1.001)
    assert to_right[2, 3] == pytest.approx(window.sum() / 0.001)
    assert to_right[2, 11] == pytest.approx(to_right[2, 4])
    np.testing.assert_allclose(to_below, window.sum() / 0.001)


def test_imresize_filters_when_it_halves():
    stripes = np.tile([0.0, 1.0], (4, 16))
    halved = imresize(stripes, (2, 16), scale=0.5)
    assert halved[:, 4:-4] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("old", "new"), [((5, 9), (3, 5)), ((1, 1), (4, 2)), ((3, 2), (12, 11))])
def test_imresize_keeps_a_flat_picture_flat(old, new):
    np.testing.assert_allclose(imresize(np.full(old, 0.3), new), np.full(new, 0.3), atol=1e-14)


def test_imresize_keeps_every_pixel_at_its_own_size():
    picture = np.random.default_rng(6).random((5, 8))
    np.testing.assert_allclose(imresize(picture, (5, 8)), picture, atol=1e-15)


def test_imresize_reproduces_a_ramp_away_from_the_borders():
    ramp = np.tile(np.arange(40.0), (3, 1))
    centres = (np.arange(20) + 0.5) * 2 - 0.5
    np.testing.assert_allclose(imresize(ramp, (3, 20))[:, 3:-3], [centres[3:-3]] * 3, atol=1e-12)


def test_ratios_lie_between_one_over_t_and_seven():
    T = np.array([[-1e-3, 0.0, 0.1, 0.25, 1.0, 1.25]])
    assert exposure_ratio(T).tolist() == [[7.0, 7.0, 7.0, 4.0, 1.0, 0.8]]


def test_a_lit_place_is_brightened_less_than_a_dark_one(lamp):
    gain = enhance(lamp, Beta(1.0), "direct") / lamp
    assert gain.max() == pytest.approx(7)
    assert gain[8, 20].max() < 3
    np.testing.assert_allclose(gain, gain[..., :1].repeat(3, axis=2))


def test_the_two_solvers_agree_where_the_authors_stop_early(lamp):
    difference = np.abs(enhance(lamp, solver="pcg") - enhance(lamp, solver="direct")).max()
    assert 1e-9 < difference < 0.1


def test_eight_and_sixteen_bit_and_float_pictures_give_the_same():
    picture = golden("in")
    expected = enhance(picture / 255.0)
    np.testing.assert_array_equal(enhance(picture), expected)
    np.testing.assert_allclose(enhance(picture.astype(np.uint16) * 257), expected, atol=1e-12)


def test_the_default_model_is_lecarms():
    np.testing.assert_array_equal(enhance(golden("in")), enhance(golden("in"), Sigmoid()))


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (5, 1), (3, 5), (7, 8)])
@pytest.mark.parametrize("solver", ["pcg", "direct"])
def test_odd_and_tiny_pictures_are_enhanced(size, solver):
    picture = np.random.default_rng(7).random((*size, 3)) * 0.3
    out = enhance(picture, solver=solver)
    assert out.shape == picture.shape
    assert (out >= picture).all()


@pytest.mark.filterwarnings("error")
def test_black_stays_black():
    assert enhance(np.zeros((6, 9, 3), np.uint8)).max() == 0


@pytest.mark.parametrize(
    ("picture", "solver", "sentence"),
    [
        (np.zeros((4, 4), np.uint8), "pcg", "got shape .4, 4."),
        (np.zeros((4, 4, 4), np.uint8), "pcg", "got shape .4, 4, 4."),
        (np.zeros((0, 4, 3), np.uint8), "pcg", "got shape .0, 4, 3."),
        (np.full((4, 4, 3), np.nan), "pcg", "got nan"),
        (np.full((4, 4, 3), 2.0), "pcg", "scale or clip it first"),
        (np.zeros((4, 4, 3), np.int32), "pcg", "got int32"),
        (np.zeros((4, 4, 3)), "exact", "unknown solver 'exact': choose pcg or direct"),
    ],
)
def test_what_cannot_be_enhanced_is_refused(picture, solver, sentence):
    with pytest.raises(ValueError, match=sentence):
        enhance(picture, solver=solver)
