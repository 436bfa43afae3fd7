from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth.camera_response import (
    MODELS,
    Beta,
    BetaGamma,
    Gamma,
    Preferred,
    Sigmoid,
    camera_response,
)

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "lecarm_models.npz")
ALL = pytest.mark.parametrize("model", [model() for model in MODELS.values()], ids=list(MODELS))
CONSISTENT = pytest.mark.parametrize(
    "model", [Sigmoid(), Beta(), BetaGamma(), Preferred()], ids=lambda model: model.name
)

unhurried = settings(deadline=None, max_examples=50)
brightness = st.floats(0, 1)
ratio = st.floats(1 / 16, 16)


def golden(model, what):
    return GOLDEN[f"{type(model).__name__}_{what}"]


@ALL
def test_the_defaults_are_the_authors(model):
    assert list(model.parameters.values()) == np.atleast_1d(golden(model, "param")).tolist()


@ALL
def test_brightness_transform_equals_the_authors(model):
    ours = model.brightness_transform(GOLDEN["B0"][:, None], GOLDEN["k"])
    np.testing.assert_allclose(ours, golden(model, "btf"), rtol=0, atol=1e-12)


@ALL
def test_response_equals_the_authors(model):
    ours = model.response(GOLDEN["B0"])
    np.testing.assert_allclose(ours, golden(model, "crf"), rtol=0, atol=1e-12)


@CONSISTENT
def test_inverse_response_equals_the_authors(model):
    ours = model.inverse_response(GOLDEN["B0"])
    np.testing.assert_allclose(ours, golden(model, "crf_inv"), rtol=1e-12, atol=1e-12)


def test_gammas_inverse_is_nan_where_the_authors_is_complex():
    theirs = GOLDEN["Gamma_crf_inv"]
    ours = Gamma().inverse_response(GOLDEN["B0"])
    np.testing.assert_array_equal(np.isnan(ours), theirs.imag != 0)
    assert ours[-1] == theirs[-1].real == 0
    assert Gamma().inverse_response(np.e) == pytest.approx(1, abs=1e-12)


def test_gamma_exposes_as_beta_does_and_not_as_its_own_response_says():
    B = np.linspace(0, 1, 11)
    transform = Gamma(0.7).brightness_transform(B, 3.0)
    np.testing.assert_array_equal(transform, Beta(0.7).brightness_transform(B, 3.0))
    light = Gamma().inverse_response(1.5)
    from_response = Gamma().response(2 * light)
    assert from_response != pytest.approx(Gamma().brightness_transform(1.5, 2.0), abs=0.1)


@CONSISTENT
def test_the_transform_follows_from_the_response(model):
    B, k = GOLDEN["B0"][:, None], GOLDEN["k"]
    followed = model.response(k * model.inverse_response(B))
    np.testing.assert_allclose(followed, model.brightness_transform(B, k), rtol=0, atol=1e-10)


@ALL
@unhurried
@given(B=brightness)
def test_an_unchanged_exposure_changes_nothing(model, B):
    assert model.brightness_transform(B, 1.0) == pytest.approx(B, abs=1e-12)


@ALL
@unhurried
@given(B=brightness, k1=ratio, k2=ratio)
def test_two_exposure_changes_are_their_product(model, B, k1, k2):
    twice = model.brightness_transform(model.brightness_transform(B, k1), k2)
    once = model.brightness_transform(B, k1 * k2)
    assert twice == pytest.approx(once, rel=1e-6, abs=1e-6)


@ALL
@unhurried
@given(B=brightness, k=ratio, factor=st.floats(1, 4))
def test_more_light_is_never_darker(model, B, k, factor):
    darker = model.brightness_transform(B, k)
    assert model.brightness_transform(B, k * factor) >= darker - 1e-12


@ALL
@unhurried
@given(k=ratio)
def test_a_brighter_pixel_stays_the_brighter_one(model, k):
    steps = np.diff(model.brightness_transform(np.linspace(0, 1, 257), k))
    assert steps.min() >= -1e-12


@ALL
@unhurried
@given(B=arrays(np.float64, st.tuples(st.integers(0, 3), st.integers(1, 4)), elements=brightness))
def test_any_shape_equals_value_by_value(model, B):
    together = model.brightness_transform(B, 2.0)
    assert together.dtype == np.float64
    assert together.shape == B.shape
    one_by_one = [model.brightness_transform(float(value), 2.0) for value in B.ravel()]
    np.testing.assert_allclose(together.ravel(), one_by_one, rtol=1e-14)


@ALL
def test_the_argument_is_left_as_it_was(model):
    B = np.linspace(0, 1, 5)
    before = B.copy()
    model.brightness_transform(B, 2.0)
    model.response(B)
    model.inverse_response(B)
    np.testing.assert_array_equal(B, before)


@ALL
def test_ratios_broadcast_as_lecarm_needs_them(model):
    B = np.linspace(0, 1, 24).reshape(2, 4, 3)
    k = np.linspace(0.5, 7, 8).reshape(2, 4, 1)
    ours = model.brightness_transform(B, k)
    assert ours.shape == (2, 4, 3)
    assert ours[1, 2, 0] == pytest.approx(model.brightness_transform(B[1, 2, 0], k[1, 2, 0]))


def test_the_ends_of_preferred():
    model = Preferred()
    assert model.inverse_response(1.0) == np.inf
    assert model.response(np.inf) == 1
    assert model.response(1.0) == pytest.approx(0.9665, abs=5e-5)
    assert model.brightness_transform(1.0, 0.25) == pytest.approx(1, abs=1e-12)


def test_light_without_end_gives_what_the_response_tends_to():
    assert Sigmoid().response(np.inf) == 1.6
    assert BetaGamma().response(np.inf) == pytest.approx(np.exp(1.1258))


@pytest.mark.filterwarnings("error")
def test_a_value_outside_the_domain_is_nan_and_says_nothing():
    assert np.isnan(Beta().response(-0.5))
    assert np.isnan(Gamma().inverse_response(0.0))
    assert np.isnan(Preferred().inverse_response(1.2))


@ALL
def test_a_model_comes_back_from_its_name_and_parameters(model):
    assert camera_response(model.name, **model.parameters) == model


def test_a_name_may_be_written_large():
    assert camera_response("Sigmoid", n=0.8) == Sigmoid(n=0.8)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: camera_response("sigma"), "choose one of sigmoid, beta, betagamma, gamma"),
        (lambda: camera_response("sigmoid", beta=1), "no parameter 'beta': it has n and sigma"),
        (lambda: Sigmoid(n=0), "n and sigma must be positive, got n=0, sigma=0.6"),
        (lambda: Beta(float("nan")), "beta must be a finite number, got nan"),
        (lambda: Beta("0.8"), "beta must be a finite number, got '0.8'"),
        (lambda: Beta(True), "beta must be a finite number, got True"),
        (lambda: Gamma(-1), "gamma must be positive"),
        (lambda: BetaGamma(a=0.3), "opposite signs"),
        (lambda: Preferred(c=0), "a and c must be positive"),
    ],
)
def test_impossible_models_are_refused_with_the_reason(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize("k", [0.0, -1.0, np.inf, np.nan, np.array([1.0, -2.0])])
def test_impossible_ratios_are_refused(k):
    with pytest.raises(ValueError, match="must be positive and finite"):
        Sigmoid().brightness_transform(np.array([0.5, 0.5]), k)
