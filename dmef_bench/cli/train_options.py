"""Options of `dmef-bench train` that say how is trained, and the settings they come to."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from dmef_bench.cli.options import precision_option
from dmef_bench.errors import UsageError

if TYPE_CHECKING:
    from dmef_bench.training import Recipe, TrainSettings

_CROP: Final = 192


def _shares(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    if value is None:
        return None
    try:
        shares = tuple(float(share) for share in value.split(","))
    except ValueError:
        shares = ()
    if not shares or not all(0 < share < 1 for share in shares):
        raise UsageError(f"--milestones {value}: give shares of the run like 0.5,0.75,0.9")
    return shares


_OPTIONS: Final = (
    click.option(
        "--recipe", type=click.Choice(["common", "own"]), default="common", show_default=True,
        help="The common recipe, the same for every method, or the one that the method's authors "
        "train with; options below replace single parts of either (docs/training.md).",
    ),
    click.option(
        "--batch", type=click.IntRange(min=1), default=None,
        help="Samples a step, over all processes.  [default: 4]",
    ),
    click.option(
        "--crop", type=click.IntRange(min=32), default=None,
        help=f"Side of the training crops in pixels.  [default: {_CROP}]",
    ),
    click.option(
        "--optimiser", type=click.Choice(["adamw", "adam"]), default=None,
        help="[default: adamw]",
    ),
    click.option(
        "--learning-rate", type=click.FloatRange(min=0, min_open=True), default=None,
        help="The optimiser's highest rate.  [default: 2e-4]",
    ),
    click.option(
        "--weight-decay", type=click.FloatRange(min=0), default=None, help="[default: 0.01]"
    ),
    click.option(
        "--warm-up", type=click.IntRange(min=0), default=None,
        help="Steps over which the rate rises.  [default: 50]",
    ),
    click.option(
        "--schedule", type=click.Choice(["cosine", "step", "constant"]), default=None,
        help="How the rate falls afterwards: by half a cosine to 1 %, by --step-factor at each of "
        "--milestones, or not.  [default: cosine]",
    ),
    click.option(
        "--milestones", metavar="SHARES", default=None, callback=_shares,
        help="Shares of the run at which --schedule step lowers it.  [default: 0.5,0.75,0.9]",
    ),
    click.option(
        "--step-factor", type=click.FloatRange(0, 1, min_open=True), default=None,
        help="What --schedule step multiplies it by.  [default: 0.5]",
    ),
    click.option(
        "--ema", type=click.FloatRange(0, 1, max_open=True), default=None,
        help="Decay of the moving average whose weights are kept; 0 keeps those of the last "
        "step.  [default: 0.999]",
    ),
    precision_option(
        "Arithmetic of the network while training, fp16 with a scaled loss; weights stay in fp32."
    ),
)  # fmt: skip
_FIELDS: Final = {"ema": "average_decay"}


@dataclass(frozen=True)
class HowToTrain:
    """What the options say; None where they leave it to the recipe."""

    recipe: Literal["common", "own"]
    batch: int | None
    crop: int | None
    optimiser: str | None
    learning_rate: float | None
    weight_decay: float | None
    warm_up: int | None
    schedule: str | None
    milestones: tuple[float, ...] | None
    step_factor: float | None
    ema: float | None
    precision: str

    def of(self, recipe: "Recipe", **others: Any) -> "tuple[Recipe, TrainSettings, int]":  # noqa: ANN401
        """A method's recipe, its settings, and the side of its crops.

        Args:
            recipe: the method's common one.
            others: settings that are no part of a recipe.

        Raises:
            UsageError: the method has no recipe of its own.
        """
        from dmef_bench.training import TrainSettings, own_recipe

        settings, crop = dict(others), _CROP
        if self.recipe == "own":
            own = own_recipe(recipe.name)
            recipe, crop = own.applied(recipe), own.crop
            settings |= own.settings
        given = {
            _FIELDS.get(name, name): value
            for name, value in vars(self).items()
            if value is not None and name not in ("recipe", "crop")
        }
        return recipe, TrainSettings(**(settings | given)), self.crop or crop


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that the command gets as one `HowToTrain`, its argument `how`."""
    names = HowToTrain.__dataclass_fields__

    @functools.wraps(command)
    def called(**given: Any) -> Any:  # noqa: ANN401 - what click gives and the command returns
        how = HowToTrain(**{name: given.pop(name) for name in names})
        return command(how=how, **given)

    result: Callable[..., Any] = called
    for option in reversed(_OPTIONS):
        result = option(result)
    return result
