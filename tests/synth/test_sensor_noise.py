import numpy as np
import pytest

from synth.sensor_noise import SHOT_RANGE, SensorNoise, read_noise

LIGHT = np.array([0.0, 0.002, 0.05, 0.5, 1.0, 3.0])
NOISES = [SensorNoise(shot, read_noise(shot, 0)) for shot in (*SHOT_RANGE, 0.001, 0.1)]
EACH = pytest.mark.parametrize("noise", NOISES, ids=lambda noise: f"shot {noise.shot}")


@EACH
def test_mean_is_the_light_and_variance_is_shot_times_light_plus_read(noise):
    for light in LIGHT:
        spread = np.sqrt(noise.shot * light + noise.read)
        limits = light + spread * np.linspace(-15, 25, 4001)
        chance = np.diff(noise.below(np.array([light]), limits)[0])
        middle = (limits[1:] + limits[:-1]) / 2
        assert chance.sum() == pytest.approx(1, abs=1e-6)
        mean = (chance * middle).sum()
        assert mean == pytest.approx(light, abs=1e-3 * spread)
        variance = (chance * (middle - mean) ** 2).sum()
        assert variance == pytest.approx(noise.shot * light + noise.read, rel=2e-3)


@EACH
def test_probabilities_are_those_of_poisson_photons_with_gaussian_read_out(noise):
    rng, count = np.random.default_rng(0), 40_000
    for light in LIGHT:
        electrons = rng.poisson(light / noise.shot, count)
        values = np.sort(noise.shot * electrons + rng.normal(0, np.sqrt(noise.read), count))
        exact = noise.below(np.array([light]), values[::200])[0]
        simulated = np.arange(0, count, 200) / count
        # Kolmogorov's distance, which exceeds this once in 10,000 goes.
        assert np.abs(exact - simulated).max() < 2.2 / np.sqrt(count)


def test_without_noise_a_value_is_its_light():
    below = SensorNoise(0.0, 0.0).below(np.array([0.2, 0.5]), np.array([0.2, 0.4, 0.6]))
    assert below.tolist() == [[0, 1, 1], [0, 0, 1]]


def test_read_noise_follows_the_published_fit():
    # Of the source: log read = 2.18 log shot + 1.20, give or take 0.26.
    assert np.log(read_noise(0.01, 0)) == pytest.approx(2.18 * np.log(0.01) + 1.20)
    assert np.log(read_noise(0.01, -2)) == pytest.approx(2.18 * np.log(0.01) + 1.20 - 0.52)


@pytest.mark.parametrize(
    ("shot", "read"),
    [(-1e-4, 1e-8), (1e-4, 0), (0, 1e-8), (np.nan, np.nan), (2, 1), (1e-4, 2e-5)],
)
def test_impossible_sensors_are_refused(shot, read):
    with pytest.raises(ValueError, match="0 and 0, or shot noise above 0"):
        SensorNoise(shot, read)
