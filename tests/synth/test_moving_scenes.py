"""A moving scene: determinism, motion, occlusion and what it refuses."""

import hashlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from synth.moving_scenes import MovingScene

DIGEST_IN_A_NEW_PROCESS = """
import hashlib
from synth.moving_scenes import MovingScene
print(hashlib.sha256(MovingScene(7, 72, 96).frame(0.3).tobytes()).hexdigest())
"""


def grey(frame):
    return frame.mean(axis=2, dtype=np.float32)


def shift_between(before, after):
    """Length in pixels of the shift that fits two frames best."""
    window = cv2.createHanningWindow(before.shape[1::-1], cv2.CV_32F)
    shift, _ = cv2.phaseCorrelate(grey(before), grey(after), window)
    return float(np.hypot(*shift))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (33, 97), (150, 32), (32, 201)])
def test_a_frame_is_an_eight_bit_picture_of_the_size_asked_for(height, width):
    frame = MovingScene(1, height, width).frame(0.0)
    assert frame.shape == (height, width, 3)
    assert frame.dtype == np.uint8
    assert frame.std() > 20


def test_bytes_do_not_depend_on_what_was_made_before_or_on_the_order_of_frames():
    MovingScene(3, 64, 48).frame(1.0)
    scene = MovingScene(7, 72, 96)
    scene.frame(5.0)
    here = hashlib.sha256(scene.frame(0.3).tobytes()).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", DIGEST_IN_A_NEW_PROCESS], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_another_seed_is_another_scene():
    first, second = (MovingScene(seed, 96, 96).frame(0.0) for seed in (0, 1))
    assert np.abs(first.astype(int) - second).mean() > 20


@pytest.mark.parametrize("seed", range(4))
def test_the_camera_pans_by_tens_of_pixels_at_4k_scale(seed):
    scene = MovingScene(seed, 384, 384, scene_height=2160, objects=0)
    shifts = [shift_between(scene.frame(t), scene.frame(t + 0.1)) for t in (0.0, 0.3)]
    assert min(shifts) > 6
    assert max(shifts) < 60


def test_things_move_by_themselves_and_hide_what_is_behind_them():
    seed, size = 5, 160
    empty = MovingScene(seed, size, size, objects=0)
    full = MovingScene(seed, size, size, objects=5)
    covered = []
    for time in (0.0, 0.4):
        differs = (empty.frame(time) != full.frame(time)).any(axis=2)
        assert 0.03 < differs.mean() < 0.8
        covered.append(differs)
    assert (covered[0] ^ covered[1]).mean() > 0.01


def test_without_motion_every_moment_is_the_same():
    scene = MovingScene(2, 80, 80, motion=0.0)
    np.testing.assert_array_equal(scene.frame(0.0), scene.frame(12.5))


def test_twice_the_motion_is_the_same_scene_at_twice_the_speed():
    slow = MovingScene(2, 96, 96, objects=0)
    fast = MovingScene(2, 96, 96, objects=0, motion=2.0)
    np.testing.assert_array_equal(slow.frame(0.0), fast.frame(0.0))
    np.testing.assert_array_equal(slow.frame(0.5), fast.frame(0.25))


def test_any_moment_can_be_asked_for():
    scene = MovingScene(4, 64, 64)
    for time in (-1e5, -0.5, 1e6):
        assert scene.frame(time).std() > 10


def test_radiance_goes_beyond_white_and_agrees_with_the_frame():
    scene = MovingScene(9, 256, 256)
    radiance, frame = scene.radiance(0.2), scene.frame(0.2)
    assert radiance.shape == frame.shape
    assert radiance.dtype == np.float32
    assert radiance.min() >= 0
    assert radiance.max() > 2
    assert (frame[radiance >= 1.001] == 255).all()
    assert (frame[radiance < 0.9] < 255).all()
    order = np.argsort(radiance, axis=None)
    assert (np.diff(frame.ravel()[order].astype(int)) >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed of a moving scene must be 0 or more, not -1"),
        ({"height": 31}, "32 to 16384 rows and columns, not 31 × 64"),
        ({"width": 20000}, "32 to 16384 rows and columns, not 64 × 20000"),
        ({"scene_height": 1.0}, "scene_height must lie between"),
        ({"scene_height": float("nan")}, "scene_height must lie between"),
        ({"objects": 65}, "0 to 64 moving things, not 65"),
        ({"motion": -0.5}, "motion must lie between 0 and 10, not at -0.5"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, message):
    settings = {"seed": 0, "height": 64, "width": 64} | arguments
    with pytest.raises(ValueError, match=message):
        MovingScene(**settings)
