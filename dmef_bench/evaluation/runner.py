"""Run one method over a split: infer, time, score and record, scene by scene."""

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from baselines import Method
from dmef_bench.dataset import Dataset, Scene
from dmef_bench.errors import DmefError
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.plan import Plan, now, plan_run
from dmef_bench.evaluation.run_folder import RunFolder
from dmef_bench.evaluation.samples import covered, failed_sample
from dmef_bench.evaluation.scene_loader import SceneLoader
from dmef_bench.evaluation.scene_work import Inferred, SceneWork
from dmef_bench.evaluation.scoring import Scorer
from dmef_bench.evaluation.timing import spread
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
            return RunResult(folder.path, folder.record, asked_for(plan, folder))
        folder.save(begun(plan, folder))
        work = _Work(plan, folder, scorer, options)
        work.do(todo)
        folder.save(work.ended())
        return RunResult(folder.path, folder.record, asked_for(plan, folder), tuple(work.notes))


def asked_for(plan: Plan, folder: RunFolder) -> tuple[SampleRecord, ...]:
    """The lines of this run's scenes; the folder may hold those of an earlier, longer one."""
    return tuple(folder.samples[s.id] for s in plan.scenes if s.id in folder.samples)


def begun(plan: Plan, folder: RunFolder) -> RunRecord:
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
        self._quiet = options.quiet
        self._shown = {scene.id for scene in plan.scenes[: options.pictures]}
        self._scene_work = SceneWork(plan.call, plan.protocol, scorer, options, folder.path)
        self._out_of_memory = False

    @property
    def notes(self) -> list[str]:
        """What a user should know and no figure says."""
        return self._scene_work.notes

    def do(self, todo: list[Scene]) -> None:
        """Finish the scenes, each with a line."""
        done = len(self._plan.scenes) - len(todo)
        title = self._plan.call.method.info.title
        with SceneLoader() as loader, progress_bar(quiet=self._quiet) as bar:
            task = bar.add_task(title, total=len(self._plan.scenes), completed=done)
            if todo:
                loader.begin(todo[0])
            for scene, following in zip_longest(todo, todo[1:]):
                inferred = self._infer(scene, loader)
                if following is not None and not self._out_of_memory:
                    loader.begin(following)
                self._folder.add(self._scene_work.finish(inferred))
                bar.advance(task)
                if self._out_of_memory:
                    break

    def ended(self) -> RunRecord:
        """The record with the times of all scenes and the outcome."""
        return ended(self._folder, out_of_memory=self._out_of_memory)

    def _infer(self, scene: Scene, loader: SceneLoader) -> Inferred | SampleRecord:
        try:
            loaded = loader.take()
        except DmefError as error:
            return failed_sample(scene, str(error))
        measured = self._scene_work.cost
        inferred = self._scene_work.infer(loaded, shown=scene.id in self._shown)
        if self._scene_work.cost is not None and measured is None:
            # Written down now: a run that is killed and resumed need not measure it again.
            keep_cost(self._folder, self._scene_work.cost)
        if self._scene_work.out_of_memory:
            self._out_of_memory = not any_finished(self._folder)
        return inferred


def keep_cost(folder: RunFolder, cost: CostRecord) -> None:
    """Write down what the call before the first timed scene measured."""
    folder.save(folder.record.model_copy(update={"cost": cost}))


def any_finished(folder: RunFolder) -> bool:
    """Whether any scene of the run has figures."""
    return any(sample.error is None for sample in folder.samples.values())


def ended(folder: RunFolder, *, out_of_memory: bool) -> RunRecord:
    """The record of a run whose scenes all have their line: their times and the outcome."""
    samples = folder.samples.values()
    record = folder.record
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
    outcome = "out-of-memory" if out_of_memory else "failed" if failed else "complete"
    return record.model_copy(update={"cost": cost, "finished": now(), "outcome": outcome})
