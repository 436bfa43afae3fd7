"""Learning rate over the steps, and the moving average of the weights."""

import math

import torch
from torch import Tensor, nn


def learning_rate(step: int, steps: int, peak: float, warm_up: int) -> float:
    """Linear warm-up to `peak`, then half a cosine down to 1 % of it.

    Args:
        step: the step about to be done, from 0.
        steps: steps of the whole run.
        peak: highest learning rate.
        warm_up: steps until it is reached.
    """
    if step < warm_up:
        return peak * (step + 1) / warm_up
    progress = (step - warm_up) / max(1, steps - warm_up)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def update_average(average: dict[str, Tensor], network: nn.Module, step: int, decay: float) -> None:
    """Move the average towards the network's state, in place; quickly in the first steps.

    Args:
        average: state by name.
        network: after the step.
        step: steps done, from 1; the decay used is at most (1 + step) / (10 + step).
        decay: of the average in the long run.
    """
    kept = min(decay, (1 + step) / (10 + step))
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1 - kept)
            else:
                average[name].copy_(value)
