"""Run one method over a split: infer, time, score and record, scene by scene."""

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import torch

from baselines import Bracket, Method
from dmef_bench.atomic_write import atomic_write
from dmef_bench.dataset import Dataset, Scene
from dmef_bench.errors import DmefError
from dmef_bench.evaluation.eight_bit import EightBit
from dmef_bench.evaluation.inference import Prediction, predict, to_device
from dmef_bench.evaluation.method_call import MethodFailedError, OutOfMemoryError
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.pictures import write_pictures
from dmef_bench.evaluation.plan import Plan, now, plan_run
from dmef_bench.evaluation.run_folder import PREDICTIONS_FOLDER, RunFolder
from dmef_bench.evaluation.samples import covered, failed_sample, picture_folder, scored_sample
from dmef_bench.evaluation.scene_loader import LoadedScene, SceneLoader
from dmef_bench.evaluation.scoring import Scorer
from dmef_bench.evaluation.timing import spread
from dmef_bench.evaluation.warm_up import measure_cost
from dmef_bench.picture_files import encode_png
from dmef_bench.progress import progress_bar
from leaderboard.records import CostRecord, RunRecord, SampleRecord


@dataclass(frozen=True)
class RunResult:
    """A run as it is on disk now.

    Attributes:
        folder: where it lies.
        record: its `run.json`.
        samples: a line a scene.
        notes: what a user should know and no figure says, a sentence each.
    """

    folder: Path
    record: RunRecord
    samples: tuple[SampleRecord, ...]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[SampleRecord, ...]:
        """The scenes without figures."""
        return tuple(sample for sample in self.samples if sample.error is not None)


def run_method(
    method_class: type[Method], dataset: Dataset, scorer: Scorer, options: RunOptions
) -> RunResult:
    """Run a method over a split, or go on with a run that was stopped.

    Every scene leaves a line on the disk before the next one is scored. A scene that fails leaves
    a line that says why, and the others are finished; a method that has not enough memory for the
    first scenes ends its run with that outcome.

    Args:
        method_class: from `baselines.resolve`.
        dataset: from `open_dataset`.
        scorer: from `make_scorer`.
        options: everything else.

    Raises:
        UsageError: the method can't be loaded, an option doesn't fit, or the folder holds a run
            with other settings.
        WeightsMissingError: the method needs weights and was given none.
        MissingError: the results can't be written.
    """
    plan = plan_run(method_class, dataset, scorer, options)
    with RunFolder(plan.folder, plan.record, overwrite=options.overwrite) as folder:
        todo = [scene for scene in plan.scenes if scene.id not in folder.samples]
        if not todo and folder.record.outcome == "complete":
            return RunResult(folder.path, folder.record, tuple(folder.samples.values()))
        folder.save(_begun(plan, folder))
        work = _Work(plan, folder, scorer, options)
        work.do(todo)
        folder.save(work.ended())
        return RunResult(
            folder.path, folder.record, tuple(folder.samples.values()), tuple(work.notes)
        )


def _begun(plan: Plan, folder: RunFolder) -> RunRecord:
    """The planned record over what an earlier process measured."""
    return plan.record.model_copy(
        update={
            "started": folder.record.started,
            "cost": folder.record.cost,
            "dataset": covered(plan.record.dataset, plan.scenes, folder),
        }
    )


class _Work:
    """A run in progress."""

    def __init__(self, plan: Plan, folder: RunFolder, scorer: Scorer, options: RunOptions) -> None:
        self._plan = plan
        self._folder = folder
        self._scorer = scorer
        self._options = options
        self._shown = {scene.id for scene in plan.scenes[: options.pictures]}
        self._warm = False
        self._out_of_memory = False
        self.notes: list[str] = []

    def do(self, todo: list[Scene]) -> None:
        """Finish the scenes, each with a line."""
        done = len(self._plan.scenes) - len(todo)
        title = self._plan.call.method.info.title
        with SceneLoader() as loader, progress_bar(quiet=self._options.quiet) as bar:
            task = bar.add_task(title, total=len(self._plan.scenes), completed=done)
            if todo:
                loader.begin(todo[0])
            for scene, following in zip_longest(todo, todo[1:]):
                inferred = self._infer(scene, loader)
                if following is not None and not self._out_of_memory:
                    loader.begin(following)
                self._folder.add(
                    inferred if isinstance(inferred, SampleRecord) else self._finish(*inferred)
                )
                bar.advance(task)
                if self._out_of_memory:
                    break

    def ended(self) -> RunRecord:
        """The record with the times of all scenes and the outcome."""
        samples = self._folder.samples.values()
        record = self._folder.record
        cost = record.cost.model_copy(
            update={
                "inference_seconds": spread(
                    [s.inference_seconds for s in samples if s.inference_seconds is not None]
                ),
                "total_seconds": spread(
                    [s.total_seconds for s in samples if s.total_seconds is not None]
                ),
            }
        )
        failed = any(sample.error is not None for sample in samples)
        outcome = "out-of-memory" if self._out_of_memory else "failed" if failed else "complete"
        return record.model_copy(update={"cost": cost, "finished": now(), "outcome": outcome})

    def _infer(
        self, scene: Scene, loader: SceneLoader
    ) -> tuple[Scene, EightBit, Prediction, Bracket | None] | SampleRecord:
        """Truth and prediction, with the bracket where its pictures are wanted; or the failure."""
        try:
            loaded = loader.take()
            prediction = self._predict(loaded)
        except OutOfMemoryError as error:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self._out_of_memory = not any(
                sample.error is None for sample in self._folder.samples.values()
            )
            return failed_sample(scene, str(error))
        except MethodFailedError as error:
            return failed_sample(scene, f"{self._plan.call.method.info.name} {error}")
        except DmefError as error:
            return failed_sample(scene, str(error))
        return (
            scene, loaded.truth, prediction, loaded.bracket if scene.id in self._shown else None
        )  # fmt: skip

    def _predict(self, loaded: LoadedScene) -> Prediction:
        call, protocol = self._plan.call, self._plan.protocol
        bracket = to_device(loaded.bracket, self._options.device)
        if not self._warm:
            cost, note = measure_cost(call, protocol, bracket)
            self._keep(cost)
            self.notes += [note] if note else []
            self._warm = True
        return predict(call, protocol, bracket, self._options.repeats)

    def _keep(self, cost: CostRecord) -> None:
        """Write the cost down now: a run that is killed and resumed need not measure it again."""
        self._folder.save(self._folder.record.model_copy(update={"cost": cost}))

    def _finish(
        self, scene: Scene, truth: EightBit, prediction: Prediction, bracket: Bracket | None
    ) -> SampleRecord:
        """Score a prediction and leave its pictures."""
        try:
            figures = self._scorer(prediction.picture, truth)
        except DmefError as error:
            return failed_sample(scene, str(error))
        if bracket is not None:
            write_pictures(
                picture_folder(self._folder.path, scene), bracket, truth, prediction.picture
            )
        if self._options.save_predictions:
            path = self._folder.path / PREDICTIONS_FOLDER / f"{scene.id}.png"
            atomic_write(path, encode_png(prediction.picture))
        return scored_sample(scene, prediction.picture, figures, prediction)
