"""Score pictures that were made elsewhere on the workers of a cluster."""

import contextlib
import os
import platform
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import torch

from dmef_bench.dataset import Scene
from dmef_bench.evaluation.cluster_job import ScorerMaker
from dmef_bench.evaluation.foreign_picture_score import PictureJob, picture_line
from dmef_bench.evaluation.light_scorer import suited
from dmef_bench.evaluation.samples import failed_sample
from dmef_bench.evaluation.scoring import Scorer
from dmef_bench.work import Broken, Cluster, UnfitWorkerError
from leaderboard.records import SampleRecord

PictureTask = tuple[Scene, Path | None, SampleRecord | None, bool]
# One scorer at most stays loaded between the scenes of a call.
_scorers: dict[str, Scorer] = {}


def lines_of_cluster(
    job: PictureJob, make_scorer: ScorerMaker, tasks: dict[str, PictureTask], cluster: Cluster
) -> Generator[SampleRecord]:
    """The scenes' lines as workers of a cluster finish them."""
    job = replace(job, pictures=job.pictures.absolute(), run=job.run.absolute())
    inputs, sees = {}, {}
    for key, (scene, file, earlier, shown) in tasks.items():
        there = replace(scene, root=scene.root.absolute())
        picture = file and file.absolute()
        inputs[key] = job, make_scorer, there, picture, earlier, shown
        sees[key] = picture or there.root
    outcomes = cluster.each(
        _line_on_worker,
        inputs,
        shared=job.run,
        sees=sees,
        apart=False,
        gpu=job.device.type == "cuda",
    )
    with contextlib.closing(outcomes):
        for outcome in outcomes:
            if isinstance(outcome, Broken):
                yield failed_sample(tasks[outcome.key][0], outcome.reason)
            else:
                yield outcome.value
    cluster.everywhere(_release)


def _line_on_worker(
    job: PictureJob,
    make_scorer: ScorerMaker,
    scene: Scene,
    file: Path | None,
    earlier: SampleRecord | None,
    shown: bool,
) -> SampleRecord:
    torch.set_num_threads(len(os.sched_getaffinity(0)))  # Dask starts its workers with one
    if job.id not in _scorers:
        _scorers.clear()
        scorer = make_scorer(job.device)
        if suited(scorer, scene).definitions != job.metrics:
            raise UnfitWorkerError(
                f"the worker on {platform.node()} would measure by other metrics "
                f"({scorer.lpips_unavailable or scorer.definitions.lpips})"
            )
        _scorers[job.id] = scorer
    return picture_line(job, suited(_scorers[job.id], scene), scene, file, earlier, shown)


def _release() -> None:
    _scorers.clear()
