"""Learning rate over the steps, and the moving average of the weights."""

import math
from typing import Final

from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from dmef_bench.training.settings import TrainSettings

# What is left of the rate at the end of "cosine".
_LEFT: Final = 0.01


def learning_rate(step: int, settings: TrainSettings) -> float:
    """Linear warm-up to the highest rate, and what the schedule makes of it afterwards.

    "cosine" falls by half a cosine to 1 % of it; "step" multiplies it by `step_factor` at each of
    the `milestones`, shares of the whole run; "constant" leaves it.

    Args:
        step: the step about to be done, from 0.
        settings: of the run.
    """
    peak = settings.learning_rate
    if step < settings.warm_up:
        return peak * (step + 1) / settings.warm_up
    if settings.schedule == "constant":
        return peak
    if settings.schedule == "step":
        passed = sum(step >= share * settings.steps for share in settings.milestones)
        return float(peak * settings.step_factor**passed)
    progress = (step - settings.warm_up) / max(1, settings.steps - settings.warm_up)
    return peak * (_LEFT + (1 - _LEFT) * 0.5 * (1 + math.cos(math.pi * progress)))


def update_average(average: dict[str, Tensor], network: nn.Module, step: int, decay: float) -> None:
    """Move the average towards the network's state, in place; quickly in the first steps.

    Args:
        average: state by name.
        network: after the step.
        step: steps done, from 1; the decay used is at most (1 + step) / (10 + step).
        decay: of the average in the long run; 0 makes it the network's state.
    """
    state = network.state_dict()
    moving = [name for name, value in state.items() if value.is_floating_point()]
    if moving:
        move = get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))  # type: ignore[no-untyped-call]
        move([average[name] for name in moving], [state[name] for name in moving], step)
    for name in state.keys() - set(moving):
        average[name].copy_(state[name])
