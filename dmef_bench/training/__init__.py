"""Training of learned methods: data, loop, checkpoints."""

from dmef_bench.training.choice import forget, make_source
from dmef_bench.training.few_shot import staged
from dmef_bench.training.generated import GeneratedScenes
from dmef_bench.training.loop import DivergedError, TrainReport, TrainSettings, train
from dmef_bench.training.mixture import Mixture
from dmef_bench.training.photographs import MovingPhotographs
from dmef_bench.training.recipes import RECIPES, Recipe, find_recipe
from dmef_bench.training.samples import Sample, SampleKey, Source

__all__ = [
    "RECIPES",
    "DivergedError",
    "GeneratedScenes",
    "Mixture",
    "MovingPhotographs",
    "Recipe",
    "Sample",
    "SampleKey",
    "Source",
    "TrainReport",
    "TrainSettings",
    "find_recipe",
    "forget",
    "make_source",
    "staged",
    "train",
]
