"""Training as every table does it: one budget, one schedule, whatever the method."""

import hashlib
import json
from pathlib import Path
from typing import Final

from dmef_bench.reproduce.outcome import Budget, Request
from dmef_bench.reproduce.report import chosen_device
from dmef_bench.training import Recipe, Source, TrainReport, TrainSettings, train

# 1200 epochs of 80 scenes in batches of 4.
PAPER_STEPS: Final = 24_000
# A checkpoint holds the optimiser too, and is flushed to the disk.
_SELDOM: Final = 10


def train_settings(budget: Budget, more: dict[str, str] | None = None) -> TrainSettings:
    """What decides a training under the budget, with options of the network's configuration."""
    return TrainSettings(
        steps=budget.steps,
        batch=budget.batch,
        seed=budget.seed,
        learning_rate=budget.learning_rate,
        warm_up=min(50, max(1, budget.steps // 4)),
        options={**budget.options, **(more or {})},
        checkpoint_every=max(_SELDOM, min(100, budget.steps // 10)),
        validate_every=budget.steps,
        validation_scenes=1,
        validation_side=max(64, budget.crop),
    )


def train_here(
    recipe: Recipe,
    source: Source,
    request: Request,
    folder: Path,
    more: dict[str, str] | None = None,
) -> TrainReport:
    """Train a network, or go on where an earlier call was killed.

    Args:
        recipe: of the method.
        source: the data.
        request: holds the budget and the device.
        folder: of this training alone.
        more: options beside the budget's.

    Raises:
        DivergedError: its loss is no number any more.
        UsageError, IntegrityError, MissingError: as `dmef_bench.training.train`.
    """
    return train(
        recipe, source, train_settings(request.budget, more), folder,
        device=chosen_device(request.device), workers=request.budget.workers, quiet=request.quiet,
    )  # fmt: skip


def training_name(method: str, source: Source, request: Request) -> str:
    """A folder's name that no training with other settings has."""
    told = f"{digest_of(source)} {train_settings(request.budget)}"
    return f"{method}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def digest_of(source: Source) -> str:
    """Eight digits that tell training data apart."""
    description = json.dumps(source.description(), sort_keys=True)
    return hashlib.sha256(description.encode()).hexdigest()[:8]
