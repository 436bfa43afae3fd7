"""Score pictures that were made elsewhere, into the same records a run leaves."""

import contextlib
import re
import secrets
from pathlib import Path

import torch

from dmef_bench import __version__
from dmef_bench.dataset import Dataset, Scene
from dmef_bench.dataset.layout import refuse_inside
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.cluster_job import ScorerMaker
from dmef_bench.evaluation.foreign_picture_score import PictureJob, picture_line
from dmef_bench.evaluation.foreign_prediction import SUFFIXES, SUFFIXES_OF_LIGHT
from dmef_bench.evaluation.light_scorer import suited
from dmef_bench.evaluation.machine import describe_machine, software_versions
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.plan import (
    chosen_scenes,
    common_settings,
    dataset_record,
    now,
    run_folder_name,
)
from dmef_bench.evaluation.run_folder import RunFolder
from dmef_bench.evaluation.runner import RunResult
from dmef_bench.evaluation.samples import covered
from dmef_bench.evaluation.score_on_cluster import lines_of_cluster
from dmef_bench.evaluation.scoring import Scorer
from dmef_bench.progress import progress_bar
from dmef_bench.work import Cluster
from leaderboard.records import MethodRecord, ProtocolRecord, RunRecord

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def score_pictures(
    pictures: Path,
    method: MethodRecord,
    dataset: Dataset,
    scorer: Scorer,
    options: RunOptions,
    *,
    cluster: Cluster | None = None,
    make_scorer: ScorerMaker | None = None,
) -> RunResult:
    """Score a folder of predictions: `<split>/<number>.png` or `<number>.png`, also TIFF or JPEG.

    A scene keeps its line as long as its picture's pixels are the ones that were scored.

    Args:
        pictures: the folder.
        method: what the table is to say about who made them.
        dataset: from `open_dataset`.
        scorer: from `make_scorer`.
        options: results, split, track, protocol (as the maker says), device, pictures, limit,
            overwrite, quiet and command; the rest has no meaning here. With a cluster, `device` is
            "cpu" or "cuda" and means the workers'.
        cluster: scores instead of this process; the record's machine is this one, as nothing is
            timed.
        make_scorer: what made `scorer`; the workers call it with their device.

    Raises:
        UsageError: no such folder, a name that can't be a folder's, no picture for any scene, or
            results of another kind under the same name.
        MissingError: the results can't be written, or the cluster is not fit or gone.
    """
    if not _NAME.fullmatch(method.name):
        raise UsageError(
            f"--name {method.name!r}: a name has lower case letters, digits and hyphens"
        )
    if not pictures.is_dir():
        raise UsageError(f"{pictures}: there is no such folder of predictions")
    refuse_inside(dataset.path, options.results)
    scenes = chosen_scenes(dataset, options.split, options.limit, options.track)
    files = {scene.id: _file_of(pictures, scene) for scene in scenes}
    if not any(files.values()):
        raise UsageError(
            f"{pictures}: holds no prediction; name them as {scenes[0].id}.png or "
            f"{scenes[0].record.scene}.png"
        )
    scorer = suited(scorer, scenes[0])
    device = options.device if cluster is None else torch.device("cpu")
    record = _record(method, dataset, len(scenes), scorer, options, device)
    path = options.results / run_folder_name(record)
    shown = {scene.id for scene in scenes[: options.pictures]}
    with (
        RunFolder(path, record, overwrite=options.overwrite) as folder,
        progress_bar(quiet=options.quiet) as bar,
    ):
        dataset_covered = covered(record.dataset, scenes, folder)
        folder.save(
            record.model_copy(update={"started": folder.record.started, "dataset": dataset_covered})
        )
        job = PictureJob(
            secrets.token_hex(8), pictures, folder.path, options.device, record.metrics
        )
        tasks = {
            scene.id: (scene, files[scene.id], folder.samples.get(scene.id), scene.id in shown)
            for scene in scenes
        }
        if cluster is None or make_scorer is None:
            found = (picture_line(job, scorer, *task) for task in tasks.values())
        else:
            found = lines_of_cluster(job, make_scorer, tasks, cluster)
        with contextlib.closing(found):
            for sample in bar.track(found, total=len(scenes), description=method.title):
                if sample != folder.samples.get(sample.scene):
                    folder.add(sample)
        if cluster is not None:
            folder.arrange([scene.id for scene in scenes])
        samples = tuple(folder.samples[scene.id] for scene in scenes)
        failed = any(sample.error is not None for sample in samples)
        folder.save(
            folder.record.model_copy(
                update={"finished": now(), "outcome": "failed" if failed else "complete"}
            )
        )
        return RunResult(path, folder.record, samples)


def _record(
    method: MethodRecord,
    dataset: Dataset,
    scenes: int,
    scorer: Scorer,
    options: RunOptions,
    device: torch.device,
) -> RunRecord:
    record = RunRecord(
        package_version=__version__,
        command=options.command,
        started=now(),
        method=method,
        dataset=dataset_record(dataset, options.split, scenes, options.track),
        protocol=ProtocolRecord(name=options.protocol),
        metrics=scorer.definitions,
        lpips_unavailable=scorer.lpips_unavailable,
        machine=describe_machine(device),
        software=software_versions(),
    )
    settings = common_settings(record) | {
        "source": "pictures made elsewhere",
        "pictures": str(options.pictures),
    }
    return record.model_copy(update={"settings": settings})


def _file_of(pictures: Path, scene: Scene) -> Path | None:
    """The scene's picture; one under the split's folder goes before one beside it."""
    for stem in (pictures / scene.id, pictures / scene.record.scene):
        for suffix in SUFFIXES_OF_LIGHT if scene.linear else SUFFIXES:
            file = stem.with_name(stem.name + suffix)
            if file.is_file():
                return file
    return None
