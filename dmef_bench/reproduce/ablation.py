"""The networks of Table 4: which parts each has, and the data all of them are trained on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmef_bench.errors import UsageError
from dmef_bench.ipl import IPLConfig
from dmef_bench.reproduce.outcome import Budget
from dmef_bench.training import Source, make_source
from leaderboard.published import TABLE_4, PublishedRow

_LOST: Final = "The printed {psnr} dB, far below a copy of the reference, says that "
_FEATURES_PASS: Final = (
    "DRTM only, read as: no dimension is sliced, so DAEM is left out and features pass it; a "
    "block is F + DRTM(F). " + _LOST + "features were lost, which this reading does not do."
)
_PRODUCT_ALONE: Final = (
    "DRTM only, read as: F_DAEM is missing from eq. 14 too; a block is DRTM(F) alone, features "
    "times a context eight times over. " + _LOST + "features were lost; how is not said."
)


@dataclass(frozen=True)
class Ablation:
    """A row of Table 4.

    Attributes:
        name: of its folder.
        printed: the paper's row; label: its own, as two readings may share one.
        options: the `IPLConfig` fields that make it.
        reading: what was made of the paper's words where they leave a choice.
    """

    name: str
    printed: PublishedRow
    label: str
    options: dict[str, str]
    reading: tuple[str, ...] = ()


def _ablations() -> tuple[Ablation, ...]:
    rows = {row.label[1]: row for row in TABLE_4.rows}
    printed = {"psnr": rows["a"].psnr}
    made = [
        Ablation(
            "a-features-pass", rows["a"], f"{rows['a'].label}, features pass",
            {"dimensions": ""}, (_FEATURES_PASS.format(**printed),),
        ),
        Ablation(
            "a-product-alone", rows["a"], f"{rows['a'].label}, product alone",
            {"dimensions": "", "residual": "false"}, (_PRODUCT_ALONE.format(**printed),),
        ),
    ]  # fmt: skip
    sliced = {"b": "C", "c": "W", "d": "H", "e": "CW", "f": "CH", "g": "WH"}
    for mark, dimensions in sliced.items():
        name = f"{mark}-{dimensions.lower()}"
        made.append(Ablation(name, rows[mark], rows[mark].label, {"dimensions": dimensions}))
    made.append(Ablation("h-no-drtm", rows["h"], rows["h"].label, {"drtm": "false"}))
    made.append(Ablation("i-all", rows["i"], rows["i"].label, {}))
    return tuple(made)


ABLATIONS: Final = _ablations()
_SWITCHED: Final = ("dimensions", "drtm", "residual")


def check_options(budget: Budget) -> None:
    """Refuse `IPLConfig` fields that the table switches itself, or that no network can have.

    Raises:
        UsageError: says which.
    """
    taken = [name for name in budget.options if name in _SWITCHED]
    if taken:
        raise UsageError(f"--set {taken[0]}=...: table4 sets {taken[0]} itself, row by row")
    for ablation in ABLATIONS:
        try:
            IPLConfig().changed({**budget.options, **ablation.options})
        except ValueError as error:
            raise UsageError(f"--set: {error}") from None


def training_data(budget: Budget, dataset: Path | None) -> Source:
    """What all rows are trained on; generated scenes where there is no dataset to train on.

    Raises:
        UsageError: a dataset or photographs that can't be used.
    """
    return make_source(None if budget.generated else dataset, budget.photographs, budget.crop)
