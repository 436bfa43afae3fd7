"""Score pictures that were made elsewhere, into the same records a run leaves."""

import re
from pathlib import Path
from typing import Final

import numpy as np

from dmef_bench import __version__
from dmef_bench.dataset import Dataset, Scene
from dmef_bench.errors import DmefError, UsageError
from dmef_bench.evaluation.eight_bit import EightBit
from dmef_bench.evaluation.machine import describe_machine, software_versions
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.pictures import write_pictures
from dmef_bench.evaluation.plan import (
    chosen_scenes,
    common_settings,
    dataset_record,
    now,
    run_folder_name,
)
from dmef_bench.evaluation.run_folder import RunFolder
from dmef_bench.evaluation.runner import RunResult
from dmef_bench.evaluation.samples import (
    covered,
    failed_sample,
    picture_folder,
    pixels_sha256,
    scored_sample,
)
from dmef_bench.evaluation.scoring import Scorer
from dmef_bench.picture_files import Picture, picture_size, read_picture
from dmef_bench.progress import progress_bar
from leaderboard.records import MethodRecord, ProtocolRecord, RunRecord, SampleRecord

SUFFIXES: Final = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def score_pictures(
    pictures: Path,
    method: MethodRecord,
    dataset: Dataset,
    scorer: Scorer,
    options: RunOptions,
) -> RunResult:
    """Score a folder of predictions: `<split>/<number>.png` or `<number>.png`, also TIFF or JPEG.

    A scene keeps its line as long as its picture's pixels are the ones that were scored.

    Args:
        pictures: the folder.
        method: what the table is to say about who made them.
        dataset: from `open_dataset`.
        scorer: from `make_scorer`.
        options: results, split, protocol (as the maker says), device, pictures, limit, overwrite,
            quiet and command; the rest has no meaning here.

    Raises:
        UsageError: no such folder, a name that can't be a folder's, no picture for any scene, or
            results of another kind under the same name.
        MissingError: the results can't be written.
    """
    if not _NAME.fullmatch(method.name):
        raise UsageError(
            f"--name {method.name!r}: a name has lower case letters, digits and hyphens"
        )
    if not pictures.is_dir():
        raise UsageError(f"{pictures}: there is no such folder of predictions")
    scenes = chosen_scenes(dataset, options.split, options.limit)
    files = {scene.id: _file_of(pictures, scene) for scene in scenes}
    if not any(files.values()):
        raise UsageError(
            f"{pictures}: holds no prediction; name them as {scenes[0].id}.png or "
            f"{scenes[0].record.scene}.png"
        )
    record = _record(method, dataset, len(scenes), scorer, options)
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
        for scene in bar.track(scenes, description=method.title):
            file = files[scene.id]
            try:
                if file is None:
                    raise UsageError(f"no prediction {scene.id}.png")
                sample = _scored(scene, file, folder, scorer, shown=scene.id in shown)
            except DmefError as error:
                sample = failed_sample(scene, str(error).replace(f"{pictures}/", ""))
            if sample is not folder.samples.get(scene.id):
                folder.add(sample)
        samples = tuple(folder.samples[scene.id] for scene in scenes)
        failed = any(sample.error is not None for sample in samples)
        folder.save(
            folder.record.model_copy(
                update={"finished": now(), "outcome": "failed" if failed else "complete"}
            )
        )
        return RunResult(path, folder.record, tuple(folder.samples.values()))


def _record(
    method: MethodRecord, dataset: Dataset, scenes: int, scorer: Scorer, options: RunOptions
) -> RunRecord:
    record = RunRecord(
        package_version=__version__,
        command=options.command,
        started=now(),
        method=method,
        dataset=dataset_record(dataset, options.split, scenes),
        protocol=ProtocolRecord(name=options.protocol),
        metrics=scorer.definitions,
        lpips_unavailable=scorer.lpips_unavailable,
        machine=describe_machine(options.device),
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
        for suffix in SUFFIXES:
            file = stem.with_name(stem.name + suffix)
            if file.is_file():
                return file
    return None


def _scored(
    scene: Scene, file: Path, folder: RunFolder, scorer: Scorer, *, shown: bool
) -> SampleRecord:
    """The scene's line: the one there is where it belongs to this very picture, else a new one."""
    height, width = scene.record.height, scene.record.width
    if set(picture_size(file)) != {height, width}:
        rows, columns = picture_size(file)
        raise UsageError(f"{file}: {columns}×{rows}, but the scene is {width}×{height}")
    prediction = _eight_bit(read_picture(file))
    sha256 = pixels_sha256(prediction)
    earlier = folder.samples.get(scene.id)
    if earlier is not None and earlier.prediction_sha256 == sha256:
        return earlier
    truth = scene.load_ground_truth()
    figures = scorer(prediction, truth)
    if shown:
        write_pictures(picture_folder(folder.path, scene), scene.load_bracket(), truth, prediction)
    return scored_sample(scene, prediction, figures)


def _eight_bit(picture: Picture) -> EightBit:
    """16-bit values to the nearest 8-bit ones."""
    if picture.dtype == np.uint16:
        return np.rint(picture / 257.0).astype(np.uint8)
    return picture.astype(np.uint8, copy=False)
