"""The test split that a table is measured on, and what scores it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmef_bench import __version__
from dmef_bench.dataset import Dataset, open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import Scorer, make_scorer
from dmef_bench.reproduce.centre import centre_of
from dmef_bench.reproduce.outcome import Budget, Request
from dmef_bench.reproduce.report import chosen_device

_DATA: Final = Path("4k-dmef")


@dataclass(frozen=True)
class Evaluated:
    """What a table is measured on.

    Attributes:
        path: the dataset's folder.
        dataset: the dataset; cut to its pictures' centres where the request says so.
        scorer: of its scenes.
        count: how many of its test scenes are taken.
        words: the same for people.
    """

    path: Path
    dataset: Dataset
    scorer: Scorer
    count: int
    words: str

    def settings(self, request: Request) -> dict[str, str]:
        """What decides a figure here, apart from the networks."""
        definitions = self.scorer.definitions
        return {
            "evaluated on": f"{self.dataset.record.name}, digest {self.dataset.digest[:16]}",
            "scenes": "all" if request.limit is None else f"the first {request.limit}",
            "psnr": definitions.psnr,
            "ssim": definitions.ssim,
            "lpips": definitions.lpips or "n/a",
            "device": chosen_device(request.device).type,
            "package": __version__,
        }


def evaluated(request: Request, table: str) -> Evaluated:
    """The dataset that the request names, opened and checked.

    Raises:
        UsageError: no such folder, no test scenes, or ground truth that is light.
        IntegrityError: the dataset is damaged.
    """
    path = request.data or _DATA
    whole = open_dataset(path)
    scenes = whole.scenes("test")
    if not scenes:
        raise UsageError(f"{path}: the test split has no scenes")
    if scenes[0].linear:
        raise UsageError(f"{path}: its ground truth is light; {table} takes display-referred ones")
    dataset = whole if request.size is None else centre_of(whole, request.size)
    scorer = make_scorer(chosen_device(request.device), request.lpips_net, request.lpips_backbone)
    count = len(scenes[: request.limit])
    words = (
        f"{dataset.record.name}, test split, {count} of {len(scenes)} scenes, "
        f"digest {dataset.digest[:8]}"
    )
    return Evaluated(path, dataset, scorer, count, words)


def budget_settings(budget: Budget) -> dict[str, str]:
    """What decides a network that the table trains, apart from its data."""
    return {
        "steps": str(budget.steps),
        "batch": str(budget.batch),
        "crop": str(budget.crop),
        "learning rate": str(budget.learning_rate),
        "seed": str(budget.seed),
        "set": ", ".join(f"{k}={v}" for k, v in sorted(budget.options.items())) or "nothing",
    }
