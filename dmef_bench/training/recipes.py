"""How each learned method is trained: its network, and how a bracket becomes a prediction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from baselines import Bracket
from dmef_bench.errors import UsageError
from dmef_bench.ipl import IPL, IPLConfig
from dmef_bench.ipl.weights_file import network_metadata
from dmef_bench.training.baseline_recipes import TRAINED_BASELINES
from dmef_bench.training.context import CropInContext
from dmef_bench.training.ipl_plus_recipe import (
    LOSS_NAME,
    build_ipl_plus,
    ipl_plus_loss,
    ipl_plus_metadata,
    predict_ipl_plus,
)


@dataclass(frozen=True)
class Loss:
    """What a training minimises.

    Attributes:
        name: as the weights' metadata say it.
        of: (network, bracket, ground truth (B, 3, H, W), share of the run that is done, from 0 to
            below 1) to a scalar with a gradient.
    """

    name: str
    of: Callable[[nn.Module, Bracket, Tensor, float], Tensor]


@dataclass(frozen=True)
class Recipe:
    """What the loop needs to know about a method; a new trainable method is one of these.

    Attributes:
        name: the method's name on the command line.
        build: makes a fresh network from `--set KEY=VALUE` options, drawn from torch's global
            random state; raises UsageError for a wrong option.
        predict: (network, bracket) to a prediction (B, 3, H, W), differentiable and unclipped.
        metadata: text stored beside the weights, enough for the method to build the network again.
        loss: what is minimised; None for L1 to the ground truth in RGB.
        facts: JSON that tells it from other recipes of its name; a resumed run must have the same.
        context: whether `predict` makes use of a `CropInContext`.
    """

    name: str
    build: Callable[[Mapping[str, str]], nn.Module]
    predict: Callable[[nn.Module, Bracket], Tensor]
    metadata: Callable[[nn.Module], dict[str, str]]
    loss: Loss | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    context: bool = False


def _build_ipl(options: Mapping[str, str]) -> nn.Module:
    try:
        return IPL(IPLConfig().changed(options))
    except ValueError as error:
        raise UsageError(f"--set: {error}") from None


def _predict_ipl(network: nn.Module, bracket: Bracket) -> Tensor:
    if isinstance(bracket, CropInContext):
        in_context: Tensor = network(bracket.images, bracket.context, bracket.place)
        return in_context
    fused: Tensor = network(bracket.images)
    return fused


def _ipl_metadata(network: nn.Module) -> dict[str, str]:
    if not isinstance(network, IPL):
        raise TypeError(f"the recipe of ipl trains an IPL, not a {type(network).__name__}")
    return network_metadata(network)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("ipl", _build_ipl, _predict_ipl, _ipl_metadata, context=True),
        Recipe(
            "ipl-plus",
            build_ipl_plus,
            predict_ipl_plus,
            ipl_plus_metadata,
            Loss(LOSS_NAME, ipl_plus_loss),
        ),
        *(Recipe(one.name, one.build, one.predict, one.metadata) for one in TRAINED_BASELINES),
    )
}


def find_recipe(name: str) -> Recipe:
    """The recipe of a method.

    Raises:
        UsageError: the method can't be trained here; the message lists those that can.
    """
    if name not in RECIPES:
        raise UsageError(f"{name!r} can't be trained; these can: {', '.join(sorted(RECIPES))}")
    return RECIPES[name]
