"""Measure linear light against a ground truth of linear light."""

from dmef_bench.dataset import Scene
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import linear_light
from dmef_bench.evaluation.linear_light import mu_law, psnr_of, psnr_pu21, ssim_of
from dmef_bench.evaluation.predicted_pixels import Pixels, as_light
from dmef_bench.evaluation.scoring import Figures, Scorer
from dmef_bench.evaluation.structural_similarity import WINDOW
from leaderboard.records import MetricsRecord

LPIPS_UNAVAILABLE = "LPIPS takes display-referred pictures; the ground truth here is linear light"


class LightScorer(Scorer):
    """PSNR-l, PSNR-μ, SSIM-l, SSIM-μ and PU21-PSNR; `psnr` and `ssim` are those of linear values.

    Attributes:
        lpips_unavailable: why there is no LPIPS.
    """

    def __init__(self) -> None:
        """A scorer without LPIPS."""
        super().__init__(None, LPIPS_UNAVAILABLE)

    @property
    def definitions(self) -> MetricsRecord:
        """What the figures mean; figures under other definitions don't compare."""
        return MetricsRecord(
            psnr=linear_light.PSNR_L,
            ssim=linear_light.SSIM_L,
            psnr_mu=linear_light.PSNR_MU,
            ssim_mu=linear_light.SSIM_MU,
            psnr_pu21=linear_light.PSNR_PU21,
        )

    def __call__(self, prediction: Pixels, truth: Pixels) -> Figures:
        """Score (H, W, 3) linear light.

        Raises:
            UsageError: the pictures differ in size, or are too small for a metric.
        """
        prediction, truth = as_light(prediction), as_light(truth)
        height, width = truth.shape[:2]
        if min(height, width) < WINDOW:
            raise UsageError(
                f"{width}×{height} pixels are too few to score; {WINDOW}×{WINDOW} are needed"
            )
        if prediction.shape != truth.shape:
            raise UsageError(
                f"the prediction is {prediction.shape[1]}×{prediction.shape[0]}, "
                f"but the ground truth is {width}×{height}"
            )
        ours, theirs = mu_law(prediction), mu_law(truth)
        return Figures(
            psnr=psnr_of(prediction, truth, 1.0),
            ssim=ssim_of(prediction, truth),
            lpips=None,
            psnr_mu=psnr_of(ours, theirs, 1.0),
            ssim_mu=ssim_of(ours, theirs),
            psnr_pu21=psnr_pu21(prediction, truth),
        )


def suited(scorer: Scorer, scene: Scene) -> Scorer:
    """The scorer for a scene: `scorer` itself, or that of light where its ground truth is light."""
    return LightScorer() if scene.linear else scorer
