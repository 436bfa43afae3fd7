import math

import numpy as np
import pytest
from bracketed_media import light
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from dmef_bench.errors import UsageError
from dmef_bench.evaluation.light_scorer import LightScorer
from dmef_bench.evaluation.linear_light import mu_law, psnr_of, psnr_pu21, pu21, ssim_of


@pytest.fixture(params=[(31, 40), (300, 23)], ids=["small", "several bands"])
def pair(request):
    truth = light(1, *request.param)
    noise = np.random.default_rng(2).normal(0, 0.02, truth.shape)
    return (truth + noise).clip(0, 1).astype(np.float32), truth


def test_psnr_is_that_of_scikit_image(pair):
    expected = peak_signal_noise_ratio(pair[1].astype(float), pair[0].astype(float), data_range=1)
    assert psnr_of(*pair, 1.0) == pytest.approx(expected, abs=1e-9)


def test_ssim_is_that_of_scikit_image(pair):
    expected = structural_similarity(
        *(one.astype(np.float64) for one in pair), gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, channel_axis=-1, data_range=1,
    )  # fmt: skip
    assert ssim_of(*pair) == pytest.approx(expected, abs=1e-10)


def test_compressed_figures_are_those_of_a_slow_reference(pair):
    """Every value by itself, in Python's own floats."""
    prediction, truth = pair

    def slow_mu(value):
        return math.log(1 + 5000 * value) / math.log(5001)

    def slow_pu(value):
        y = min(max(1000 * value, 0.005), 10000.0) ** 0.9062562627
        inner = (0.353487901 + 0.3734658629 * y) / (1 + 8.277049286e-05 * y)
        return max(596.3148142 * (inner**0.09150303166 - 0.9099517204), 0.0)

    for slow, peak, fast in (
        (slow_mu, 1.0, psnr_of(mu_law(prediction), mu_law(truth), 1.0)),
        (slow_pu, 256.0, psnr_pu21(prediction, truth)),
    ):
        squares = [
            (slow(float(a)) - slow(float(b))) ** 2
            for a, b in zip(prediction.flat, truth.flat, strict=True)
        ]
        expected = 10 * math.log10(peak**2 / (math.fsum(squares) / len(squares)))
        # PU21 multiplies by 1000 in float32 first.
        assert fast == pytest.approx(expected, abs=1e-4)


def test_pu21_has_the_published_ends():
    """0.005 cd/m² is 0, 100 cd/m² near 256, and the scale ends near 595.39."""
    low, white, high = pu21(np.array([0.005, 100.0, 10000.0]))
    assert low == pytest.approx(0, abs=1e-4)
    assert white == pytest.approx(256, abs=1.5)
    assert high == pytest.approx(595.3939, abs=1e-3)


def test_mu_law_keeps_both_ends_and_lifts_the_dark():
    assert mu_law(np.array([0.0, 1.0])).tolist() == [0.0, 1.0]
    assert mu_law(np.array([0.01]))[0] == pytest.approx(math.log(51) / math.log(5001))


def test_equal_light_scores_infinity_and_one(pair):
    truth = pair[1]
    figures = LightScorer()(truth, truth)
    assert figures.psnr == figures.psnr_mu == figures.psnr_pu21 == math.inf
    assert figures.ssim == pytest.approx(1)
    assert figures.ssim_mu == pytest.approx(1)
    assert figures.lpips is None


def test_every_figure_has_a_definition_and_its_own_peak():
    definitions = LightScorer().definitions
    assert definitions.of_light
    assert definitions.lpips is None
    assert all(vars(definitions)[name] for name in ("psnr", "ssim", "psnr_mu", "ssim_mu"))


def test_light_above_one_counts_in_psnr_and_not_in_ssim():
    truth = light(3, 20, 20)
    brighter = truth.copy()
    truth[5:9, 5:9], brighter[5:9, 5:9] = 1.0, 3.0
    assert psnr_of(brighter, truth, 1.0) < 40
    assert ssim_of(brighter, truth) == pytest.approx(1)


def test_pairs_that_do_not_fit_are_refused():
    scorer = LightScorer()
    with pytest.raises(UsageError, match="too few"):
        scorer(light(1, 8, 8), light(1, 8, 8))
    with pytest.raises(UsageError, match="40×31"):
        scorer(light(1, 31, 40), light(1, 40, 31))
    with pytest.raises(ValueError, match="linear light is due"):
        scorer(np.zeros((20, 20, 3), np.uint8), light(1, 20, 20))
