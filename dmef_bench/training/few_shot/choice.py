"""From what a user asks for to a stage's recipe and source."""

from pathlib import Path
from typing import Final

from dmef_bench.errors import UsageError
from dmef_bench.training.few_shot.source import FewShotSource
from dmef_bench.training.few_shot.stages import Stage, stage_one, stage_two
from dmef_bench.training.recipes import Recipe
from dmef_bench.training.samples import Source

# The paper's "five-shot".
_LABELLED: Final = 5


def staged(
    recipe: Recipe,
    source: Source,
    stage: Stage,
    labelled: int | None,
    first: Path | None,
    batch: int,
) -> tuple[Recipe, Source]:
    """A stage of FSHDR instead of plain supervision.

    Args:
        recipe: of the method to train.
        source: all samples.
        stage: which one.
        labelled: how many scenes have a ground truth; None for five.
        first: weights of stage S1, for S2.
        batch: samples a step.

    Raises:
        UsageError: another method, weights too many or missing, or numbers that don't fit.
    """
    if recipe.name != "fshdr":
        raise UsageError(f"--stage {stage}: only fshdr has stages, not {recipe.name}")
    count = _LABELLED if labelled is None else labelled
    few = FewShotSource(source, count)
    few.check_batch(batch)
    if stage == "s1":
        if first is not None:
            raise UsageError("--stage-one is for --stage s2")
        return stage_one(count), few
    if first is None:
        raise UsageError(
            "--stage s2 needs --stage-one FILE: weights of `dmef-bench train --method fshdr "
            "--stage s1`"
        )
    return stage_two(count, first), few
