import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.camera_response import MODELS, Beta, Preferred, Sigmoid
from synth.exposure import DEFAULT_EVS, expose, exposure_table, synthesise_bracket

ALL = pytest.mark.parametrize("response", [model() for model in MODELS.values()], ids=list(MODELS))
unhurried = settings(deadline=None, max_examples=50)
EVERY_VALUE = np.arange(256, dtype=np.uint8).reshape(16, 16)


@ALL
@unhurried
@given(ev=st.floats(-6, 6))
def test_the_table_is_the_rounded_float_result_for_every_value(response, ev):
    exact = expose(EVERY_VALUE / 255, ev, response)
    table = expose(EVERY_VALUE, ev, response)
    np.testing.assert_array_equal(table, np.floor(255 * exact + 0.5).astype(np.uint8))


@ALL
def test_no_change_of_exposure_changes_no_bit(response):
    np.testing.assert_array_equal(expose(EVERY_VALUE, 0, response), EVERY_VALUE)


@ALL
@pytest.mark.parametrize("ev", [-32, 32])
@pytest.mark.filterwarnings("error")
def test_the_furthest_exposures_are_pictures_still(response, ev):
    exposed = expose(EVERY_VALUE / 255, ev, response)
    assert np.isfinite(exposed).all()
    assert exposed.min() >= 0
    assert exposed.max() <= 1


def test_halves_are_rounded_up():
    half_as_bright = exposure_table(-1, Beta(1.0))
    assert half_as_bright[[1, 3, 5, 255]].tolist() == [1, 2, 3, 128]


def test_what_is_too_bright_is_clipped():
    assert expose(np.array([[0.25, 0.75]]), 1, Beta(1.0)).tolist() == [[0.5, 1.0]]
    assert exposure_table(1, Beta(1.0))[127:130].tolist() == [254, 255, 255]


def test_a_float_picture_is_the_clipped_transform_and_keeps_its_type():
    picture = np.linspace(0, 1, 60, dtype=np.float32).reshape(4, 5, 3)
    exposed = expose(picture, 1.5, Sigmoid())
    exact = np.clip(Sigmoid().brightness_transform(picture.astype(np.float64), 2**1.5), 0, 1)
    assert exposed.dtype == np.float32
    np.testing.assert_array_equal(exposed, exact.astype(np.float32))
    assert picture[-1, -1, -1] == 1


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (4, 3, 1), (4, 3, 3), (2, 3, 4)])
def test_every_picture_shape_comes_back(shape):
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    expected = exposure_table(0.5, Sigmoid())[picture]
    np.testing.assert_array_equal(expose(picture, 0.5, Sigmoid()), expected)


def test_a_view_is_exposed_as_its_copy_is():
    picture = np.random.default_rng(2).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    view = picture[::-1, ::2, ::-1]
    np.testing.assert_array_equal(expose(view, 0.5, Sigmoid()), expose(view.copy(), 0.5, Sigmoid()))


def test_a_bracket_takes_low_mid_and_high_from_the_three_frames():
    frames = np.random.default_rng(3).integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
    bracket = synthesise_bracket(tuple(frames), DEFAULT_EVS, Preferred())
    for picture, frame, ev in zip(bracket, frames, (-1.5, 0.5, 2.5), strict=True):
        assert picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, expose(frame, ev, Preferred()))
    low, _, high = (picture.mean() for picture in bracket)
    assert low < frames.mean() < high


@pytest.mark.parametrize(
    ("picture", "ev", "sentence"),
    [
        (np.zeros((2, 2), np.uint8), np.nan, "within ±32 stops, got nan"),
        (np.zeros((2, 2), np.uint8), 33, "within ±32 stops, got 33"),
        (np.zeros((2, 2), np.uint16), 1, "8-bit pictures or floats in .0, 1., got uint16"),
        (np.full((2, 2), 255.0), 1, "must lie in .0, 1., got 255 to 255"),
        (np.full((2, 2), np.nan), 1, "must lie in .0, 1., got nan"),
        (np.zeros((0, 2, 3), np.uint8), 1, "got shape .0, 2, 3."),
        (np.zeros(4, np.uint8), 1, "got shape .4,."),
    ],
)
def test_what_is_no_picture_or_no_exposure_is_refused(picture, ev, sentence):
    with pytest.raises(ValueError, match=sentence):
        expose(picture, ev, Sigmoid())


def test_a_bracket_of_unequal_frames_is_refused():
    frames = [np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)]
    for odd_one in (np.zeros((6, 4, 3), np.uint8), np.zeros((4, 6, 3)), np.zeros((4, 6), np.uint8)):
        with pytest.raises(ValueError, match=r"three \(H, W, 3\) uint8 frames of one size"):
            synthesise_bracket([*frames, odd_one], DEFAULT_EVS, Sigmoid())
    with pytest.raises(ValueError, match="three"):
        synthesise_bracket(frames, DEFAULT_EVS, Sigmoid())


def test_evs_that_do_not_rise_are_refused():
    frames = [np.zeros((4, 6, 3), np.uint8)] * 3
    with pytest.raises(ValueError, match="must rise from low to high"):
        synthesise_bracket(frames, (0.5, -1.5, 2.5), Sigmoid())
