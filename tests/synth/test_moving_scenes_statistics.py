"""Whether generated frames have the statistics of photographs."""

from functools import cache

import numpy as np
import pytest

from synth.moving_scenes import MovingScene
from synth.moving_scenes.leaves import power_law_radii, smallest_radius

SIZE = 512
SEEDS = range(5)


@cache
def frame(seed):
    return MovingScene(seed, SIZE, SIZE).frame(0.0)


def luminance(seed):
    return frame(seed) @ np.array([0.2126, 0.7152, 0.0722])


def spectral_slope(picture):
    """Exponent of the radially averaged power spectrum between 4 and SIZE / 3 cycles."""
    taper = np.outer(np.hanning(SIZE), np.hanning(SIZE))
    power = np.abs(np.fft.fft2((picture - picture.mean()) * taper)) ** 2
    frequency = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.fftfreq(SIZE)[None, :]) * SIZE
    ring = np.round(frequency).astype(int).ravel()
    mean = np.bincount(ring, power.ravel()) / np.maximum(np.bincount(ring), 1)
    range_ = np.arange(4, SIZE // 3)
    return np.polyfit(np.log(range_), np.log(mean[range_]), 1)[0]


def test_power_falls_with_the_square_of_frequency():
    slopes = [spectral_slope(luminance(seed)) for seed in SEEDS]
    assert -2.4 < np.mean(slopes) < -1.6
    # Thirty photographs measured in this way lay between -3.0 and -1.9 (5 % to 95 %).
    assert all(-3.0 < slope < -1.6 for slope in slopes)


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_are_heavy_tailed(seed):
    gradient = np.diff(np.log1p(luminance(seed)), axis=1).ravel()
    gradient -= gradient.mean()
    # 3 for a Gaussian, 6 for a Laplacian.
    assert (gradient**4).mean() / (gradient**2).mean() ** 2 > 8


@pytest.mark.parametrize("seed", SEEDS)
def test_exposure_is_that_of_a_phone(seed):
    brightest = frame(seed).max(axis=2)
    assert 0.001 < (brightest >= 250).mean() < 0.06
    assert (frame(seed).mean(axis=2) <= 20).mean() > 0.002
    assert 60 < frame(seed).mean() < 150


def test_leaf_radii_follow_the_power_law():
    radii = power_law_radii(np.random.default_rng(0), 200_000, 2.0, 64.0)
    assert radii.min() >= 2
    assert radii.max() <= 64
    # With density r ** -3 an octave holds a quarter of the leaves of the one below it.
    octaves = np.histogram(radii, 2.0 ** np.arange(1, 7))[0]
    assert octaves[:-1] / octaves[1:] == pytest.approx(np.full(4, 4.0), rel=0.15)


def test_the_smallest_leaf_is_chosen_for_the_coverage_asked_for():
    low = smallest_radius(area=1e6, count=5000, high=200.0, coverage=2.0)
    radii = power_law_radii(np.random.default_rng(1), 400_000, low, 200.0)
    assert np.pi * np.mean(radii**2) * 5000 / 1e6 == pytest.approx(2.0, rel=0.1)
