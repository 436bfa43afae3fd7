"""FSHDR's two stages: few scenes with ground truth, many without."""

from dmef_bench.training.few_shot.choice import staged
from dmef_bench.training.few_shot.source import FewShotSource
from dmef_bench.training.few_shot.stages import Stage, stage_one, stage_two

__all__ = ["FewShotSource", "Stage", "stage_one", "stage_two", "staged"]
