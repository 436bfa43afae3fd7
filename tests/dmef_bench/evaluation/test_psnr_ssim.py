import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from dmef_bench.evaluation import psnr, ssim
from synth.moving_scenes import MovingScene


def _reference(prediction, target):
    return structural_similarity(
        prediction, target, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        channel_axis=-1, data_range=255,
    )  # fmt: skip


def _scene(height, width):
    return MovingScene(3, height, width).frame(0.0)


def _altered(kind, picture):
    noise = np.random.default_rng(1)
    values = picture.astype(np.float64)
    changed = {
        "brighter and clipped": values * 1.6,
        "darker": values * 0.4,
        "noisy": values + noise.normal(0, 12, values.shape),
        "moved": np.roll(values, 3, axis=1),
        "one level": values + noise.integers(-1, 2, values.shape),
        "another picture": noise.integers(0, 256, values.shape),
    }[kind]
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


KINDS = ("brighter and clipped", "darker", "noisy", "moved", "one level", "another picture")


@pytest.mark.parametrize("kind", KINDS)
def test_ssim_equals_scikit_image(kind):
    target = _scene(150, 540)  # three by two tiles, none of them whole
    prediction = _altered(kind, target)
    assert ssim(prediction, target) == pytest.approx(_reference(prediction, target), abs=1e-6)


@pytest.mark.parametrize("levels", [(255, 254), (255, 0), (1, 0), (128, 140), (250, 200)])
def test_ssim_of_flat_pictures_loses_no_digits(levels):
    flat, other = (np.full((90, 70, 3), level, np.uint8) for level in levels)
    other[40:, 30:] = levels[0]
    assert ssim(flat, other) == pytest.approx(_reference(flat, other), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(11, 90), st.integers(11, 90), st.integers(0, 2**32 - 1))
def test_ssim_equals_scikit_image_at_any_size(height, width, seed):
    noise = np.random.default_rng(seed)
    one, other = (noise.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(2))
    assert ssim(one, other) == pytest.approx(_reference(one, other), abs=1e-6)
    assert ssim(one, other) == pytest.approx(ssim(other, one), abs=1e-12)


def test_identical_pictures():
    picture = _scene(64, 96)
    assert ssim(picture, picture) == 1.0
    assert psnr(picture, picture) == math.inf


@pytest.mark.parametrize("kind", KINDS)
def test_psnr_equals_scikit_image(kind):
    target = _scene(70, 90)
    prediction = _altered(kind, target)
    expected = peak_signal_noise_ratio(target, prediction, data_range=255)
    assert psnr(prediction, target) == pytest.approx(expected, abs=1e-10)


def test_psnr_takes_one_error_over_all_channels():
    target = np.zeros((4, 4, 3), np.uint8)
    prediction = target.copy()
    prediction[..., 0] = 30
    assert psnr(prediction, target) == pytest.approx(10 * math.log10(255**2 / 300))


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_pictures_that_do_not_compare_are_refused(metric):
    picture = np.zeros((20, 30, 3), np.uint8)
    with pytest.raises(ValueError, match=r"30×20.*31×20"):
        metric(picture, np.zeros((20, 31, 3), np.uint8))
    with pytest.raises(ValueError, match="float64"):
        metric(picture / 255, picture)


def test_ssim_needs_a_whole_window():
    with pytest.raises(ValueError, match="11×11"):
        ssim(np.zeros((10, 30, 3), np.uint8), np.zeros((10, 30, 3), np.uint8))
