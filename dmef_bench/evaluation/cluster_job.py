"""What a cluster's worker does with one scene of a run, and what it tells about it."""

import gc
import os
import platform
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from baselines import Method, MethodError, resolve
from dmef_bench.dataset import Scene, open_dataset
from dmef_bench.errors import DmefError, UsageError
from dmef_bench.evaluation.machine import describe_machine, software_versions
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.plan import plan_run
from dmef_bench.evaluation.samples import failed_sample
from dmef_bench.evaluation.scene_loader import load_scene
from dmef_bench.evaluation.scene_work import SceneWork
from dmef_bench.evaluation.scoring import Scorer
from dmef_bench.work import UnfitWorkerError
from leaderboard.records import CostRecord, MachineRecord, SampleRecord

# What each machine has its own of; a record says it by its machine and software.
OWN_SETTINGS = {"device", "threads", "tf32"}
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_FILE_SPEC = re.compile(r"(?P<file>.+\.py):(?P<name>[^:/]+)")

ScorerMaker = Callable[[torch.device], Scorer]


@dataclass(frozen=True)
class ClusterJob:
    """A run as a worker must know it; all paths are absolute.

    Attributes:
        id: tells this call's work from that of any other.
        method: what `baselines.resolve` takes.
        make_scorer: called with the worker's device.
        options: of the run.
        data: the dataset's folder.
        run: the run's folder.
        settings: that the worker must arrive at too, but for `OWN_SETTINGS`.
    """

    id: str
    method: str
    make_scorer: ScorerMaker
    options: RunOptions
    data: Path
    run: Path
    settings: dict[str, str]


@dataclass(frozen=True)
class SceneReport:
    """What a worker tells about a scene.

    Attributes:
        sample: the scene's line.
        out_of_memory: whether it failed for lack of memory.
        cost: what the worker's first call measured; None where it did not get that far.
        notes: a sentence each.
        machine, software: where it was done.
        place: the same for workers that share a processor (or, on CUDA, a GPU).
        began, ended: seconds on a clock that all workers of a place share.
    """

    sample: SampleRecord
    out_of_memory: bool
    cost: CostRecord | None
    notes: tuple[str, ...]
    machine: MachineRecord
    software: dict[str, str]
    place: str
    began: float
    ended: float


# One method at most stays loaded between the scenes of a run.
_loaded: dict[str, tuple[SceneWork, dict[str, Scene]]] = {}


def evaluate(job: ClusterJob, scene_id: str, shown: bool) -> SceneReport:
    """Infer, time and score a scene; the method stays loaded for the next one.

    Args:
        job: the run.
        scene_id: "<split>/<number>".
        shown: whether the scene leaves pictures for the leaderboard's page.

    Raises:
        UsageError: the method can't be loaded here.
        UnfitWorkerError: this worker would do something else than the others.
        MissingError: weights or a GPU are missing, or results can't be written.
    """
    device = job.options.device
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UnfitWorkerError(
            f"the worker on {platform.node()} offers a GPU, but PyTorch finds none there"
        )
    # Dask starts its workers with one thread for each library.
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    work, scenes = _work_of(job)
    scene = scenes[scene_id]
    out_of_memory = False
    try:
        loaded = load_scene(scene)
    except DmefError as error:
        sample = failed_sample(scene, str(error))
    else:
        inferred = work.infer(loaded, shown=shown)
        out_of_memory = work.out_of_memory
        sample = work.finish(inferred)
    return SceneReport(
        sample=sample,
        out_of_memory=out_of_memory,
        cost=work.cost,
        notes=tuple(work.notes),
        machine=describe_machine(work.device),
        software=software_versions(),
        place=_place(work.device),
        began=began,
        ended=time.clock_gettime(time.CLOCK_BOOTTIME),
    )


def release() -> None:
    """Let go of the method that stayed loaded."""
    _loaded.clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def found_method(spec: str) -> type[Method]:
    """The method class that `spec` names.

    Raises:
        UsageError: no such method, or a broken one.
    """
    try:
        return resolve(spec)
    except MethodError as error:
        raise UsageError(str(error)) from error


def absolute_spec(spec: str) -> str:
    """The same method for a process in any folder."""
    found = _FILE_SPEC.fullmatch(spec)
    return f"{Path(found['file']).absolute()}:{found['name']}" if found else spec


def _work_of(job: ClusterJob) -> tuple[SceneWork, dict[str, Scene]]:
    if job.id not in _loaded:
        release()
        scorer = job.make_scorer(job.options.device)
        plan = plan_run(found_method(job.method), open_dataset(job.data), scorer, job.options)
        here, wanted = plan.record.settings, job.settings
        differing = [
            f"{name} is {here.get(name)!r} instead of {wanted.get(name)!r}"
            for name in sorted((here.keys() | wanted.keys()) - OWN_SETTINGS)
            if here.get(name) != wanted.get(name)
        ]
        if differing:
            raise UnfitWorkerError(
                f"the worker on {platform.node()} would run something else: {'; '.join(differing)}"
            )
        work = SceneWork(plan.call, plan.protocol, scorer, job.options, job.run)
        _loaded[job.id] = work, {scene.id: scene for scene in plan.scenes}
    return _loaded[job.id]


def _place(device: torch.device) -> str:
    boot = _BOOT_ID.read_text().strip() if _BOOT_ID.is_file() else platform.node()
    if device.type != "cuda":
        return boot
    properties = torch.cuda.get_device_properties(device)
    return f"{boot} {getattr(properties, 'uuid', properties.name)}"
