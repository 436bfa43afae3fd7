"""Run one method over a split on a cluster: each scene where a worker is free."""

import contextlib
import secrets
from collections.abc import Iterable
from dataclasses import replace

import torch

from dmef_bench.dataset import Dataset, Scene
from dmef_bench.evaluation.cluster_job import (
    ClusterJob,
    SceneReport,
    ScorerMaker,
    absolute_spec,
    evaluate,
    found_method,
    release,
)
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.plan import Plan, plan_run
from dmef_bench.evaluation.run_folder import RunFolder
from dmef_bench.evaluation.runner import RunResult, any_finished, asked_for, begun, ended
from dmef_bench.evaluation.samples import failed_sample
from dmef_bench.progress import progress_bar
from dmef_bench.work import Broken, Cluster
from leaderboard.records import MachineRecord, RunRecord


def plan_on_cluster(
    method: str, dataset: Dataset, make_scorer: ScorerMaker, options: RunOptions
) -> Plan:
    """The run as this machine sees it: the method is loaded on the CPU, to be described.

    Raises:
        UsageError: the method can't be loaded, or an option doesn't fit.
        WeightsMissingError: the method needs weights and was given none.
    """
    cpu = torch.device("cpu")
    here = replace(options, results=options.results.absolute(), device=cpu)
    plan = plan_run(found_method(method), dataset, make_scorer(cpu), here)
    own = {
        "device": f"cluster, {options.device.type}",
        "threads": "all cores of each worker",
        "tf32": "n/a" if options.device.type == "cpu" else "False",  # `ready_method` there
    }
    record = plan.record.model_copy(update={"settings": plan.record.settings | own})
    return replace(plan, record=record)


def run_on_cluster(
    method: str,
    dataset: Dataset,
    make_scorer: ScorerMaker,
    options: RunOptions,
    cluster: Cluster,
) -> RunResult:
    """Run a method over a split as `run_method` does, on the workers of a cluster.

    Figures are those of a run on one machine of the kind the workers are. Times are recorded with
    the scenes; the run has times only where all workers were of one kind and none shared its
    processor or GPU with another.

    Args:
        method: what `baselines.resolve` takes; the workers resolve it too.
        dataset: from `open_dataset`, on a file system that the workers share.
        make_scorer: called with a device, here and on the workers.
        options: everything else; `device` is "cpu" or "cuda" and means the workers'.
        cluster: from `connected`.

    Raises:
        UsageError: as `run_method`.
        WeightsMissingError: as `run_method`.
        MissingError: the results can't be written, or the cluster is not fit or gone.
    """
    plan = plan_on_cluster(method, dataset, make_scorer, options)
    with RunFolder(plan.folder, plan.record, overwrite=options.overwrite) as folder:
        todo = [scene for scene in plan.scenes if scene.id not in folder.samples]
        if not todo and folder.record.outcome == "complete":
            return RunResult(folder.path, folder.record, asked_for(plan, folder))
        folder.save(_begun(plan, folder))
        weights = None if options.weights is None else options.weights.absolute()
        job = ClusterJob(
            id=secrets.token_hex(8),
            method=absolute_spec(method),
            make_scorer=make_scorer,
            options=replace(options, results=options.results.absolute(), weights=weights),
            data=dataset.path.absolute(),
            run=folder.path,
            settings=plan.record.settings,
        )
        work = _ClusterRun(plan, folder, job)
        work.do(todo, cluster)
        folder.arrange([scene.id for scene in plan.scenes])
        folder.save(work.ended())
        return RunResult(folder.path, folder.record, asked_for(plan, folder), tuple(work.notes))


def _begun(plan: Plan, folder: RunFolder) -> RunRecord:
    """The planned record; what workers of an earlier call told stays."""
    record = begun(plan, folder)
    if not folder.samples:
        return record
    there = folder.record
    return record.model_copy(
        update={
            "machine": there.machine,
            "other_machines": there.other_machines,
            "times_unavailable": there.times_unavailable,
            "software": there.software,
        }
    )


class _ClusterRun:
    """A run in progress."""

    def __init__(self, plan: Plan, folder: RunFolder, job: ClusterJob) -> None:
        self._plan = plan
        self._folder = folder
        self._job = job
        self._out_of_memory = False
        self._told = bool(folder.samples)
        self._busy: dict[str, list[tuple[float, float]]] = {}
        self.notes: dict[str, None] = {}

    def do(self, todo: list[Scene], cluster: Cluster) -> None:
        """Finish the scenes, each with a line."""
        scenes = {scene.id: scene for scene in todo}
        options = self._job.options
        shown = {scene.id for scene in self._plan.scenes[: options.pictures]}
        outcomes = cluster.each(
            evaluate,
            {one: (self._job, one, one in shown) for one in scenes},
            shared=self._folder.path,
            sees=dict.fromkeys(scenes, self._job.data),
            apart=False,
            gpu=options.device.type == "cuda",
        )
        with progress_bar(quiet=options.quiet) as bar, contextlib.closing(outcomes):
            task = bar.add_task(
                self._plan.call.method.info.title,
                total=len(self._plan.scenes),
                completed=len(self._plan.scenes) - len(todo),
            )
            for outcome in outcomes:
                if isinstance(outcome, Broken):
                    self._folder.add(failed_sample(scenes[outcome.key], outcome.reason))
                else:
                    self._take(outcome.value)
                bar.advance(task)
                if self._out_of_memory:
                    break
        cluster.everywhere(release)

    def ended(self) -> RunRecord:
        """The record with its outcome, and with times where they stand for one kind of machine."""
        record = ended(self._folder, out_of_memory=self._out_of_memory)
        if record.times_unavailable:
            no_times = {"inference_seconds": None, "total_seconds": None}
            return record.model_copy(update={"cost": record.cost.model_copy(update=no_times)})
        return record

    def _take(self, report: SceneReport) -> None:
        """Write a scene down, and before it where it was done."""
        self.notes |= dict.fromkeys(report.notes)
        record = self._with_machine(report)
        if not record.times_unavailable and self._shared(report):
            record = record.model_copy(
                update={
                    "times_unavailable": "workers that share a "
                    f"{'GPU' if self._job.options.device.type == 'cuda' else 'machine'} "
                    "were at work at the same time"
                }
            )
        if record != self._folder.record:
            self._folder.save(record)
        self._folder.add(report.sample)
        if report.out_of_memory:
            self._out_of_memory = not any_finished(self._folder)

    def _with_machine(self, report: SceneReport) -> RunRecord:
        record = self._folder.record
        if not self._told:
            self._told = True
            update = {"machine": report.machine, "software": report.software, "cost": report.cost}
            update = {name: value for name, value in update.items() if value is not None}
            return record.model_copy(update=update)
        known = (record.machine, *record.other_machines)
        if _kind(report.machine) in map(_kind, known):
            return record
        kinds = "; ".join(sorted(_kind(machine) for machine in (*known, report.machine)))
        return record.model_copy(
            update={
                "other_machines": (*record.other_machines, report.machine),
                "times_unavailable": f"several kinds of machines took part ({kinds})",
            }
        )

    def _shared(self, report: SceneReport) -> bool:
        """Whether another worker was busy at the same place at the same time."""
        busy = self._busy.setdefault(report.place, [])
        shared = _overlaps(report.began, report.ended, busy)
        busy.append((report.began, report.ended))
        return shared


def _kind(machine: MachineRecord) -> str:
    """What must be equal for times to be comparable."""
    device = "" if machine.device == machine.processor else f"{machine.device}, "
    return f"{device}{machine.processor}, {machine.cores} cores, {machine.threads} threads"


def _overlaps(began: float, ended: float, others: Iterable[tuple[float, float]]) -> bool:
    return any(began < end and begin < ended for begin, end in others)
