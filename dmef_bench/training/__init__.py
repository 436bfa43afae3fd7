"""Training of learned methods: data, loop, checkpoints."""

from dmef_bench.training.choice import make_device_source, make_source
from dmef_bench.training.few_shot import staged
from dmef_bench.training.generated import GeneratedScenes
from dmef_bench.training.loop import TrainReport, train
from dmef_bench.training.mixture import Mixture
from dmef_bench.training.own_recipes import own_recipe
from dmef_bench.training.photographs import MovingPhotographs
from dmef_bench.training.ranks import started_by_torchrun
from dmef_bench.training.recipes import RECIPES, Recipe, find_recipe
from dmef_bench.training.run_folder import forget
from dmef_bench.training.samples import BatchSource, Sample, SampleKey, Source
from dmef_bench.training.settings import TrainSettings
from dmef_bench.training.start_from import starting_from
from dmef_bench.training.step import DivergedError

__all__ = [
    "RECIPES",
    "BatchSource",
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
    "make_device_source",
    "make_source",
    "own_recipe",
    "staged",
    "started_by_torchrun",
    "starting_from",
    "train",
]
