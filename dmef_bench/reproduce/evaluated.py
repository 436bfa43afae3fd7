"""The test split that a table is measured on, and what scores it."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmef_bench import __version__
from dmef_bench.dataset import Dataset, open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import Scorer, make_scorer
from dmef_bench.reproduce.centre import centre_of
from dmef_bench.reproduce.outcome import Budget, Request
from dmef_bench.reproduce.own_scenes import Frames, GeneratedFrames, own_scenes
from dmef_bench.reproduce.quick import SCENES, SIZE
from dmef_bench.reproduce.report import chosen_device

_DATA: Final = Path("4k-dmef")


@dataclass(frozen=True)
class Evaluated:
    """What a table is measured on.

    Attributes:
        trains: the dataset's folder, for its train split; None where it has none.
        dataset: the dataset; cut to its pictures' centres where the request says so.
        scorer: of its scenes.
        count: how many of its test scenes are taken.
        words: the same for people.
        budget: of the trainings: on generated scenes where there is no train split.
        frames: of the scenes, where they were made for the table.
    """

    trains: Path | None
    dataset: Dataset
    scorer: Scorer
    count: int
    words: str
    budget: Budget
    frames: Frames | None = None

    def settings(self, request: Request) -> dict[str, str]:
        """What decides a figure here, apart from the networks."""
        definitions = self.scorer.definitions
        return {
            "evaluated on": f"{self.dataset.record.name}, digest {self.dataset.digest[:16]}",
            "scenes": self._taken(request),
            "psnr": definitions.psnr,
            "ssim": definitions.ssim,
            "lpips": definitions.lpips or "n/a",
            "device": chosen_device(request.device).type,
            "package": __version__,
        }

    def _taken(self, request: Request) -> str:
        if request.limit is None:
            return "all"
        if request.comparison.photographs is not None:
            return f"{self.count}, evenly spaced"
        return f"the first {request.limit}"


def evaluated(request: Request, table: str, frames: Frames | None = None) -> Evaluated:
    """The dataset that the request names, opened and checked.

    Args:
        request: a quick one that names no dataset gets generated scenes.
        table: for messages.
        frames: of scenes to be made for the table instead.

    Raises:
        UsageError: no such folder, no test scenes, or ground truth that is light.
        IntegrityError: the dataset is damaged.
        MissingError: scenes can't be written.
    """
    if frames is None and request.data is None and request.quick:
        frames = GeneratedFrames(request.size or SIZE, request.limit or SCENES)
    if frames is None:
        path = request.data or _DATA
    else:
        path = own_scenes(frames, request.results, quiet=request.quiet)
    whole = open_dataset(path)
    scenes = whole.scenes("test")
    if not scenes:
        raise UsageError(f"{path}: the test split has no scenes")
    if scenes[0].linear:
        raise UsageError(f"{path}: its ground truth is light; {table} takes display-referred ones")
    cut = request.size if frames is None else None
    dataset = whole if cut is None else centre_of(whole, cut)
    count = len(scenes[: request.limit])
    words = f"{dataset.record.name}, test split, {count} of {len(scenes)} scenes"
    own = frames is not None
    return Evaluated(
        trains=None if own else path,
        dataset=dataset,
        scorer=make_scorer(
            chosen_device(request.device), request.lpips_net, request.lpips_backbone
        ),
        count=count,
        words=f"{words if frames is None else frames.words}, digest {dataset.digest[:8]}",
        budget=dataclasses.replace(request.budget, generated=request.budget.generated or own),
        frames=frames,
    )


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
