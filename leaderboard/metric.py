"""The three figures of quality, and how each is shown."""

from dataclasses import dataclass
from typing import Final, Literal

from leaderboard.loading import Run

MetricName = Literal["psnr", "ssim", "lpips"]


@dataclass(frozen=True)
class Metric:
    """A figure of quality: its name in records, its title, unit, decimals and direction."""

    name: MetricName
    title: str
    unit: str
    digits: int
    higher_is_better: bool

    @property
    def heading(self) -> str:
        """Title, unit and an arrow to the better side."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.title}{unit} {'↑' if self.higher_is_better else '↓'}"

    def by_scene(self, run: Run) -> dict[str, float]:
        """The figure of every scene that has one."""
        figures = ((sample.scene, getattr(sample, self.name)) for sample in run.samples)
        return {scene: figure for scene, figure in figures if figure is not None}


PSNR: Final = Metric("psnr", "PSNR", "dB", 2, higher_is_better=True)
SSIM: Final = Metric("ssim", "SSIM", "", 4, higher_is_better=True)
LPIPS: Final = Metric("lpips", "LPIPS", "", 4, higher_is_better=False)
METRICS: Final = (PSNR, SSIM, LPIPS)
