"""One optimiser step: its loss, its gradient, and what stops a run."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from baselines import Bracket
from dmef_bench.errors import DmefError
from dmef_bench.training.checkpoint import TrainingState
from dmef_bench.training.device_memory import told_when_full
from dmef_bench.training.ranks import Ranks
from dmef_bench.training.recipes import Recipe
from dmef_bench.training.settings import TrainSettings

# The scale of fp16's gradients starts at 2^16 and is halved at each skipped step: after so many in
# a row it is below anything that helps.
_SKIPS: Final = 20


class DivergedError(DmefError):
    """The loss or its gradient is no longer a finite number (exit code 1)."""

    exit_code = 1


def make_optimiser(network: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """The optimiser that the settings name."""
    kind = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    return kind(
        network.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def take_step(
    recipe: Recipe,
    state: TrainingState,
    settings: TrainSettings,
    prepared: Callable[[], tuple[Bracket, Tensor]],
    rate: float,
    ranks: Ranks,
    checkpoint: Path,
) -> float:
    """One step of all processes.

    Args:
        recipe: says what is minimised.
        state: is moved by one step.
        settings: of the run.
        prepared: gives this process's part of the batch on the network's device.
        rate: the learning rate.
        ranks: the processes.
        checkpoint: what a run that diverges leaves.

    Returns:
        The loss of the whole batch.

    Raises:
        DivergedError: NaN or infinite loss or gradient; in fp16, many steps in a row.
        OtherProcessError: another process failed.
        DeviceFullError: the device's memory is full.
    """
    _seed(settings.seed, state.step, ranks.rank)
    state.network.train()
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    state.optimiser.zero_grad(set_to_none=True)
    device = next(state.network.parameters()).device
    doing = f"step {state.step + 1}"
    with ranks.together(), told_when_full(device, doing):
        bracket, target = prepared()
        with _arithmetic(settings, device):
            loss = _loss(recipe, state.network, bracket, target, state.step / settings.steps)
        state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    loss = ranks.average(state.network, loss)
    with ranks.together(), told_when_full(device, doing):
        finite, norm = _applied(state, settings, loss)
    if finite:
        state.skipped = 0
    else:
        state.skipped += 1
        if not state.scaler.is_enabled() or state.skipped == _SKIPS:
            raise DivergedError(_diverged(state, loss.item(), norm, rate, checkpoint))
    state.scaler.update()
    state.step += 1
    return loss.item()


def _applied(state: TrainingState, settings: TrainSettings, loss: Tensor) -> tuple[bool, float]:
    """Move the weights by the gradient; whether it and the loss are finite, and its norm."""
    state.scaler.unscale_(state.optimiser)
    largest = settings.gradient_norm or math.inf
    norm = nn.utils.clip_grad_norm_(state.network.parameters(), largest)
    finite = bool(torch.isfinite(loss) & torch.isfinite(norm))
    if finite:
        state.scaler.step(state.optimiser)
    return finite, norm.item()


def _seed(seed: int, step: int, rank: int) -> None:
    """A network with dropout draws the same numbers whether or not the run was resumed here."""
    key = (step, rank) if rank else (step,)
    words = np.random.SeedSequence(seed, spawn_key=key).generate_state(1)
    torch.manual_seed(int(words[0]))


def _arithmetic(settings: TrainSettings, device: torch.device) -> torch.autocast:
    if settings.precision == "float32":
        return torch.autocast(device.type, enabled=False)
    return torch.autocast(device.type, getattr(torch, settings.precision))


def _loss(
    recipe: Recipe, network: nn.Module, bracket: Bracket, target: Tensor, progress: float
) -> Tensor:
    if recipe.loss is not None:
        return recipe.loss.of(network, bracket, target, progress)
    return (recipe.predict(network, bracket) - target).abs().mean()


def _diverged(state: TrainingState, loss: float, norm: float, rate: float, checkpoint: Path) -> str:
    kept = f"{checkpoint} is kept" if checkpoint.exists() else "no checkpoint was written yet"
    lasting = f", the {state.skipped}th step in a row," if state.skipped > 1 else ""
    return (
        f"step {state.step + 1}: the loss is {loss} and its gradient's norm {norm}{lasting} at "
        f"learning rate {rate:.1e}, so the training stopped; {kept}. Train into another folder "
        "with a lower --learning-rate."
    )
