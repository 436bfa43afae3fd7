import subprocess
import sys

import cv2
import numpy as np
import pytest

from synth.camera_response import Beta, Preferred, Sigmoid, camera_response
from synth.camera_track import (
    DRAWN_MODELS,
    Camera,
    CameraOptions,
    camera_bracket,
    camera_exposure,
    draw_camera,
    scene_key,
)
from synth.exposure import DEFAULT_EVS, expose
from synth.sensor_noise import SHOT_RANGE, SensorNoise, read_noise

NONE = SensorNoise(0.0, 0.0)
EVERY_VALUE = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)


def camera(response, noise=NONE, evs=DEFAULT_EVS, quality=None, key=7):
    return Camera(key, response, evs, (noise, noise, noise), quality)


def many(count=400, **options):
    options = CameraOptions(**options)
    return [draw_camera(options, scene_key(0, f"{number}")) for number in range(count)]


def test_a_scene_has_one_camera_whatever_is_drawn_before_it():
    options = CameraOptions(jpeg=(50, 95))
    forward = [draw_camera(options, scene_key(3, f"scene {n}")) for n in range(5)]
    backward = [draw_camera(options, scene_key(3, f"scene {n}")) for n in reversed(range(5))]
    assert forward == backward[::-1]
    assert len(set(forward)) == 5
    assert draw_camera(options, scene_key(4, "scene 0")) != forward[0]


def test_a_camera_and_its_pictures_are_the_same_for_ever():
    # Figures of this very implementation: another draw would change every dataset built with it.
    found = draw_camera(CameraOptions(), scene_key(0, "a scene"))
    assert found.key % 10**9 == 29850320
    assert (found.response.name, found.response.parameters) == ("beta", {"beta": 0.8736})
    assert found.evs == (-1.474, 0.204, 2.518)
    assert found.noise[2] == SensorNoise(shot=0.002558, read=6.526e-06)
    picture = camera_exposure(EVERY_VALUE, found, 1)
    assert picture[::5, ::5, 0].tolist() == [
        [0, 5, 12, 18],
        [95, 99, 101, 108],
        [183, 185, 190, 195],
        [255, 255, 255, 255],
    ]


def test_another_process_draws_the_same():
    code = (
        "from synth.camera_track import *; import zlib, numpy as np;"
        "camera = draw_camera(CameraOptions(), scene_key(1, 'x'));"
        "print(camera, zlib.crc32(camera_exposure(np.full((9, 7, 3), 90, np.uint8), camera, 0)))"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(shown) == 1


def test_draws_lie_where_they_are_documented():
    cameras = many(jpeg=(60, 95))
    by_model = {model.name: 0 for model in DRAWN_MODELS}
    for one in cameras:
        by_model[one.response.name] += 1
        for ev, nominal in zip(one.evs, DEFAULT_EVS, strict=True):
            assert abs(ev - nominal) <= 0.3 + 1e-9
        for name, value in one.response.parameters.items():
            usual = camera_response(one.response.name).parameters[name]
            assert abs(value / usual - 1) <= 1 / 3 + 1e-4
        shots = [noise.shot for noise in one.noise]
        assert SHOT_RANGE[0] <= shots[0] <= shots[1] <= shots[2] <= SHOT_RANGE[1]
        # The gain makes up for no more than the difference in exposure.
        assert shots[2] / shots[0] <= 2 ** (one.evs[2] - one.evs[0]) * 1.01
        for noise in one.noise:
            usual = read_noise(noise.shot, 0)
            assert abs(np.log(noise.read / usual)) <= 0.52 + 1e-2
        assert 60 <= one.jpeg_quality <= 95
    assert set(by_model) == {"sigmoid", "beta", "betagamma", "preferred"}
    assert min(by_model.values()) > 60
    assert {one.jpeg_quality for one in cameras} == set(range(60, 96))


def test_the_sigmoids_spread_is_the_published_one():
    drawn = [one.response for one in many(2000) if isinstance(one.response, Sigmoid)]
    # Eilertsen et al.: n 0.9 ± 0.1, σ 0.6 ± 0.1; drawn within two deviations, which makes them
    # 0.88 of that.
    for name, mean in (("n", 0.9), ("sigma", 0.6)):
        values = np.array([response.parameters[name] for response in drawn])
        assert values.mean() == pytest.approx(mean, abs=0.02)
        assert values.std() == pytest.approx(0.088, abs=0.01)


def test_an_option_leaves_what_it_does_not_concern_as_it_was():
    key = scene_key(0, "x")
    plain = draw_camera(CameraOptions(), key)
    other = draw_camera(CameraOptions(shot_noise=None, jpeg=(50, 50)), key)
    assert (other.response, other.evs) == (plain.response, plain.evs)
    assert other.noise == (NONE, NONE, NONE) and other.jpeg_quality == 50
    assert draw_camera(CameraOptions(ev_jitter=0), key).evs == DEFAULT_EVS


@pytest.mark.parametrize("response", [Sigmoid(), Beta(), camera_response("betagamma")])
@pytest.mark.parametrize("place", range(3))
def test_without_noise_it_is_the_exposure_of_the_response(response, place):
    got = camera_exposure(EVERY_VALUE, camera(response), place).astype(int)
    expected = expose(EVERY_VALUE, DEFAULT_EVS[place], response).astype(int)
    assert np.abs(got - expected).max() <= 1  # at halves, one may round up and the other down
    assert (got != expected).mean() < 0.02


def test_white_of_a_curve_that_only_tends_to_it_stays_white_upwards_and_darkens_downwards():
    exposed = [camera_exposure(EVERY_VALUE, camera(Preferred()), place) for place in range(3)]
    assert exposed[1][-1, -1, 0] == exposed[2][-1, -1, 0] == 255
    assert exposed[0][-1, -1, 0] < 250
    for picture in exposed:
        assert (np.diff(picture.reshape(-1, 3)[:, 0].astype(int)) >= 0).all()


@pytest.mark.parametrize("model", DRAWN_MODELS)
@pytest.mark.parametrize("shot", SHOT_RANGE)
def test_values_are_spread_as_a_simulation_in_linear_light_says(model, shot):
    response, noise = model(), SensorNoise(shot, read_noise(shot, 1))
    white = response.inverse_response(1.0)
    white = white if np.isfinite(white) else response.inverse_response(254.5 / 255)
    rng = np.random.default_rng(1)
    count = 150 * 160 * 3
    for value in (0, 5, 90, 200, 255):
        frame = np.full((150, 160, 3), value, np.uint8)
        for place, ev in enumerate(DEFAULT_EVS):
            got = camera_exposure(frame, camera(response, noise), place)
            light = min(response.inverse_response(value / 255) / white, 1) * 2**ev
            sensed = shot * rng.poisson(light / shot, count)
            sensed = np.clip(sensed + rng.normal(0, np.sqrt(noise.read), count), 0, 1)
            expected = np.clip(np.floor(255 * response.response(white * sensed) + 0.5), 0, 255)
            deviation = max(expected.std(), 0.02)
            assert got.mean() == pytest.approx(expected.mean(), abs=6 * deviation / count**0.5)
            assert got.std() == pytest.approx(expected.std(), rel=0.03, abs=0.05)


def test_mean_and_variance_in_linear_light_are_the_sensors():
    # Under a linear response brightness is light, so the sensor's own figures are seen.
    noise = SensorNoise(0.004, read_noise(0.004, 0))
    for value in (10, 40, 80):
        frame = np.full((200, 200, 3), value, np.uint8)
        seen = camera_exposure(frame, camera(Beta(1.0), noise, evs=(0, 1, 2)), 1) / 255
        light = 2 * value / 255
        assert seen.mean() == pytest.approx(light, abs=0.002)
        rounding = 1 / (12 * 255**2)
        assert seen.var() == pytest.approx(0.004 * light + noise.read + rounding, rel=0.02)


def test_pixels_and_exposures_have_noise_of_their_own():
    frame = np.full((64, 64, 3), 100, np.uint8)
    noisy = camera(Sigmoid(), SensorNoise(0.01, read_noise(0.01, 0)), evs=(-0.2, 0, 0.2))
    pictures = [camera_exposure(frame, noisy, place).astype(float) for place in range(3)]
    signals = [p[..., c] - p.mean() for p in pictures for c in range(3)]
    signals += [np.roll(signals[0], 1, axis) for axis in (0, 1)]
    correlation = np.corrcoef([signal.reshape(-1) for signal in signals])
    assert np.abs(correlation - np.eye(len(signals))).max() < 0.08


def test_the_size_of_a_picture_does_not_change_its_beginning():
    # What lies before a pixel decides its noise, not how the picture is cut into strips.
    tall = np.full((400, 300, 3), 80, np.uint8)
    noisy = camera(Sigmoid(), SensorNoise(0.01, read_noise(0.01, 0)))
    whole = camera_exposure(tall, noisy, 0)
    np.testing.assert_array_equal(camera_exposure(tall[:100], noisy, 0), whole[:100])


def test_jpeg_is_what_opencv_makes_of_it():
    rng = np.random.default_rng(0)
    frame = cv2.GaussianBlur(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8), (0, 0), 2)
    through = camera_exposure(frame, camera(Sigmoid(), quality=40), 1).astype(int)
    plain = camera_exposure(frame, camera(Sigmoid()), 1).astype(int)
    assert through.shape == plain.shape
    assert 0.3 < np.abs(through - plain).mean() < 6


def test_a_bracket_takes_low_mid_and_high_from_the_three_frames():
    frames = np.random.default_rng(3).integers(0, 256, (3, 6, 8, 3), dtype=np.uint8)
    one = draw_camera(CameraOptions(), scene_key(0, "y"))
    bracket = camera_bracket(tuple(frames), one)
    for place, (picture, frame) in enumerate(zip(bracket, frames, strict=True)):
        np.testing.assert_array_equal(picture, camera_exposure(frame, one, place))
    view = frames[:, ::-1, ::-1]
    np.testing.assert_array_equal(
        camera_bracket(tuple(view), one), camera_bracket(tuple(view.copy()), one)
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ev_jitter": 1.0}, "must still rise"),
        ({"ev_jitter": -0.1}, "must still rise"),
        ({"ev_jitter": np.nan}, "must still rise"),
        ({"evs": (0.5, 0.5, 2)}, "must still rise"),
        ({"evs": (-40, 0, 40)}, "within ±32 stops"),
        ({"shot_noise": (0.01, 0.001)}, "least and most"),
        ({"shot_noise": (0.0, 0.01)}, "least and most"),
        ({"shot_noise": (0.001, np.nan)}, "least and most"),
        ({"jpeg": (0, 50)}, "from 1 to 100"),
        ({"jpeg": (50, 101)}, "from 1 to 100"),
    ],
)
def test_what_no_camera_can_be_drawn_from_is_refused(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        CameraOptions(**wrong)


@pytest.mark.parametrize(
    "frame", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(ValueError, match=r"a frame is \(H, W, 3\) uint8"):
        camera_exposure(frame, camera(Sigmoid()), 0)
    with pytest.raises(ValueError, match="three frames of one size"):
        camera_bracket([np.zeros((4, 4, 3), np.uint8)] * 2, camera(Sigmoid()))
