"""The figures of quality, and how each is shown."""

from dataclasses import dataclass
from typing import Final, Literal

from leaderboard.loading import Run
from leaderboard.records import MetricsRecord

MetricName = Literal["psnr", "ssim", "lpips", "psnr_mu", "ssim_mu", "psnr_pu21"]


@dataclass(frozen=True)
class Metric:
    """A figure of quality: its name in records, its title, unit, decimals and direction.

    `column` is its name in the CSV file, where figures of light stand apart from all others.
    """

    name: MetricName
    title: str
    unit: str
    digits: int
    higher_is_better: bool
    column: str

    @property
    def heading(self) -> str:
        """Title, unit and an arrow to the better side."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.title}{unit} {'↑' if self.higher_is_better else '↓'}"

    def by_scene(self, run: Run) -> dict[str, float]:
        """The figure of every scene that has one."""
        figures = ((sample.scene, getattr(sample, self.name)) for sample in run.samples)
        return {scene: figure for scene, figure in figures if figure is not None}


PSNR: Final = Metric("psnr", "PSNR", "dB", 2, higher_is_better=True, column="psnr")
SSIM: Final = Metric("ssim", "SSIM", "", 4, higher_is_better=True, column="ssim")
LPIPS: Final = Metric("lpips", "LPIPS", "", 4, higher_is_better=False, column="lpips")
METRICS: Final = (PSNR, SSIM, LPIPS)

PSNR_L: Final = Metric("psnr", "PSNR-l", "dB", 2, higher_is_better=True, column="psnr_l")
PSNR_MU: Final = Metric("psnr_mu", "PSNR-μ", "dB", 2, higher_is_better=True, column="psnr_mu")
SSIM_L: Final = Metric("ssim", "SSIM-l", "", 4, higher_is_better=True, column="ssim_l")
SSIM_MU: Final = Metric("ssim_mu", "SSIM-μ", "", 4, higher_is_better=True, column="ssim_mu")
PSNR_PU21: Final = Metric(
    "psnr_pu21", "PU21-PSNR", "dB", 2, higher_is_better=True, column="psnr_pu21"
)
METRICS_OF_LIGHT: Final = (PSNR_L, PSNR_MU, SSIM_L, SSIM_MU, PSNR_PU21)


def metrics_of(record: MetricsRecord) -> tuple[Metric, ...]:
    """What runs measured under these definitions are compared by."""
    return METRICS_OF_LIGHT if record.of_light else METRICS
