"""Each method's own recipe: the loss, optimiser, rate, batch and crop its authors train with.

Sources: the authors' training scripts, and the IPL paper for IPL; docs/training.md lists them.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor, nn

from baselines import Bracket
from baselines.conventions import GAMMA, precise
from baselines.fshdr.losses import tone_mapped_error
from dmef_bench.errors import UsageError
from dmef_bench.training.recipes import Loss, Recipe

_MU: Final = 5000.0
_NO_VGG: Final = "0.01 × a perceptual loss on VGG features: no pretrained backbone is at hand"
_NO_DROP_PATH: Final = "drop path of 0.1"
# What no authors do unless it is said: average weights, bound gradients, warm up, lower the rate.
_PLAIN: Final[Mapping[str, Any]] = {
    "warm_up": 0, "average_decay": 0.0, "gradient_norm": 0.0, "schedule": "constant",
}  # fmt: skip
_ADAM: Final[Mapping[str, Any]] = {**_PLAIN, "optimiser": "adam", "weight_decay": 0.0}


def mu_law_l1(picture: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of linear light, both compressed by the μ-law with μ = 5000.

    Args:
        picture: (B, 3, H, W), display-referred; light is its power of 2.2, not clipped above.
        truth: the same in [0, 1].

    Returns:
        A scalar.
    """
    return (_compressed(picture) - _compressed(truth)).abs().mean()


def _compressed(picture: Tensor) -> Tensor:
    light = precise(picture).clamp(min=0).pow(GAMMA)
    return (_MU * light).log1p() / math.log1p(_MU)


_MU_LAW_L1: Final = ("L1 of μ-law (μ = 5000)", mu_law_l1)


@dataclass(frozen=True)
class OwnRecipe:
    """What a method's authors do differently from the common recipe.

    Attributes:
        settings: fields of `TrainSettings`.
        crop: side of the crops in pixels.
        loss: its name, and what it is of (prediction, truth); None for the method's common one.
        left_out: what of it is not done here.
    """

    settings: Mapping[str, Any]
    crop: int
    loss: tuple[str, Callable[[Tensor, Tensor], Tensor]] | None = _MU_LAW_L1
    left_out: str = ""

    def applied(self, recipe: Recipe) -> Recipe:
        """The method's recipe with this loss; it says that it is the authors' own."""
        facts = {**recipe.facts, "recipe": "own"}
        if self.left_out:
            facts["left_out"] = self.left_out
        if self.loss is None:
            return dataclasses.replace(recipe, facts=facts)
        name, error = self.loss

        def of(network: nn.Module, bracket: Bracket, target: Tensor, progress: float) -> Tensor:
            return error(recipe.predict(network, bracket), target)

        return dataclasses.replace(recipe, loss=Loss(name, of), facts=facts)


OWN_RECIPES: Final[Mapping[str, OwnRecipe]] = {
    "ipl": OwnRecipe({**_PLAIN, "learning_rate": 2e-4, "batch": 4}, 192, None),
    "ahdrnet": OwnRecipe({**_ADAM, "learning_rate": 1e-4, "batch": 8}, 256),
    "hdr-transformer": OwnRecipe(
        {**_ADAM, "learning_rate": 2e-4, "batch": 16}, 128,
        left_out=f"{_NO_VGG}; {_NO_DROP_PATH}",
    ),
    "sctnet": OwnRecipe({**_ADAM, "learning_rate": 2e-4, "batch": 22}, 128, left_out=_NO_VGG),
    "bracketire": OwnRecipe(
        {**_PLAIN, "warm_up": 50, "schedule": "cosine", "learning_rate": 1e-4, "batch": 8}, 128
    ),
    "fshdr": OwnRecipe(
        {
            **_ADAM, "learning_rate": 3e-4, "batch": 8, "schedule": "step", "step_factor": 0.75,
            "milestones": tuple(epochs / 75 for epochs in range(10, 75, 10)),
        },
        64, ("MSE of μ-law (μ = 5000)", tone_mapped_error),
    ),
}  # fmt: skip
_NONE: Final = {
    "safnet": "its authors keep their training code to themselves",
    "meflut": "its authors train it without ground truth, by MEF-SSIM, which is not done here",
}


def own_recipe(name: str) -> OwnRecipe:
    """The own recipe of a method.

    Raises:
        UsageError: there is none to follow.
    """
    if name not in OWN_RECIPES:
        why = _NONE.get(name, "none is known")
        raise UsageError(f"--recipe own: {name} has no recipe to follow: {why}; use common")
    return OWN_RECIPES[name]
