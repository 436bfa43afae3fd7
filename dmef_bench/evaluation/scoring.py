"""Measure one prediction against its ground truth with every metric at hand."""

from dataclasses import dataclass
from pathlib import Path

import torch

from dmef_bench.errors import MissingError, UsageError
from dmef_bench.evaluation import peak_signal_to_noise, structural_similarity
from dmef_bench.evaluation.eight_bit import EightBit
from dmef_bench.evaluation.lpips_backbone import LpipsNet
from dmef_bench.evaluation.lpips_distance import SMALLEST_SIDE, Lpips, LpipsUnavailableError
from dmef_bench.evaluation.method_call import is_out_of_memory
from dmef_bench.evaluation.predicted_pixels import Pixels, as_eight_bit
from leaderboard.records import MetricsRecord


@dataclass(frozen=True)
class Figures:
    """What one prediction scored; None where a figure is n/a.

    `psnr_mu`, `ssim_mu` and `psnr_pu21` are there for linear light only.
    """

    psnr: float
    ssim: float
    lpips: float | None
    psnr_mu: float | None = None
    ssim_mu: float | None = None
    psnr_pu21: float | None = None


class Scorer:
    """PSNR, SSIM and, where a backbone is here, LPIPS.

    Attributes:
        lpips_unavailable: why LPIPS is n/a, empty where it is measured.
    """

    def __init__(self, lpips: Lpips | None, lpips_unavailable: str = "") -> None:
        """A scorer with or without LPIPS."""
        self._lpips = lpips
        self.lpips_unavailable = lpips_unavailable

    @property
    def definitions(self) -> MetricsRecord:
        """What the figures mean; figures under other definitions don't compare."""
        return MetricsRecord(
            psnr=peak_signal_to_noise.DEFINITION,
            ssim=structural_similarity.DEFINITION,
            lpips=self._lpips.definition if self._lpips else None,
        )

    def __call__(self, prediction: Pixels, truth: Pixels) -> Figures:
        """Score (H, W, 3) uint8 pictures of the same size.

        Raises:
            UsageError: the pictures differ in size, or are too small for a metric.
            MissingError: LPIPS needs more memory than there is.
        """
        prediction, truth = as_eight_bit(prediction), as_eight_bit(truth)
        height, width = truth.shape[:2]
        least = SMALLEST_SIDE if self._lpips else structural_similarity.WINDOW
        if min(height, width) < least:
            raise UsageError(
                f"{width}×{height} pixels are too few to score; {least}×{least} are needed"
            )
        if prediction.shape != truth.shape:
            raise UsageError(
                f"the prediction is {prediction.shape[1]}×{prediction.shape[0]}, "
                f"but the ground truth is {width}×{height}"
            )
        return Figures(
            peak_signal_to_noise.psnr(prediction, truth),
            structural_similarity.ssim(prediction, truth),
            self._distance(prediction, truth),
        )

    def _distance(self, prediction: EightBit, truth: EightBit) -> float | None:
        if self._lpips is None:
            return None
        try:
            return self._lpips(prediction, truth)
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                raise MissingError(
                    f"LPIPS of {truth.shape[1]}×{truth.shape[0]} pixels needs more memory "
                    "than is free; use --no-lpips"
                ) from error
            raise


def make_scorer(
    device: torch.device,
    net: LpipsNet = "alex",
    backbone: Path | None = None,
    *,
    lpips: bool = True,
) -> Scorer:
    """A scorer whose LPIPS is n/a, with the reason, where it can't be measured.

    Args:
        device: where LPIPS runs.
        net: LPIPS network.
        backbone: its backbone file; None looks into torch hub's cache.
        lpips: False leaves LPIPS out.

    Raises:
        UsageError: `backbone` is given and can't be used.
    """
    if not lpips:
        return Scorer(None, "left out with --no-lpips")
    try:
        return Scorer(Lpips(net, backbone, device))
    except LpipsUnavailableError as error:
        return Scorer(None, str(error))
