"""What decides the outcome of a training run, together with its data."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

Optimiser = Literal["adamw", "adam"]
Schedule = Literal["cosine", "step", "constant"]
Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class TrainSettings:
    """All a run's choices; stored in every checkpoint and beside the weights.

    Attributes:
        steps: optimiser steps of the whole run; the learning rate follows them.
        batch: samples a step, over all processes.
        seed: of the initial weights and of the data.
        learning_rate: the optimiser's highest rate.
        warm_up: steps until that.
        average_decay: of the moving average whose weights are kept; 0 keeps the last step's.
        gradient_norm: gradients are scaled down to at most this norm; 0 leaves them alone.
        options: `--set` options of the method.
        checkpoint_every, validate_every: in steps.
        validation_scenes, validation_side: held-out scenes and their side in pixels.
        optimiser: "adam" adds the decay to the gradient, "adamw" takes it off the weights.
        weight_decay: how much.
        schedule: of the rate after the warm-up; see `dmef_bench.training.schedule`.
        milestones: shares of the run at which "step" lowers the rate.
        step_factor: by what "step" multiplies it there.
        precision: of the network's arithmetic while training; weights and the optimiser stay in
            float32, and so does validation.
    """

    steps: int
    batch: int = 4
    seed: int = 0
    learning_rate: float = 2e-4
    warm_up: int = 50
    average_decay: float = 0.999
    gradient_norm: float = 1.0
    options: dict[str, str] = dataclasses.field(default_factory=dict)
    checkpoint_every: int = 100
    validate_every: int = 500
    validation_scenes: int = 8
    validation_side: int = 384
    optimiser: Optimiser = "adamw"
    weight_decay: float = 0.01
    schedule: Schedule = "cosine"
    milestones: tuple[float, ...] = (0.5, 0.75, 0.9)
    step_factor: float = 0.5
    precision: Precision = "float32"


def defaults() -> dict[str, Any]:
    """Settings and their defaults, as a run of a version that did not know them had them."""
    return {
        field.name: field.default
        for field in dataclasses.fields(TrainSettings)
        if field.default is not dataclasses.MISSING
    }
