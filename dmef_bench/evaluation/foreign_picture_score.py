"""The line of a scene whose picture was made elsewhere."""

from dataclasses import dataclass
from pathlib import Path

import torch

from dmef_bench.dataset import Scene
from dmef_bench.errors import DmefError, UsageError
from dmef_bench.evaluation.foreign_prediction import read_prediction
from dmef_bench.evaluation.pictures import write_pictures
from dmef_bench.evaluation.samples import (
    failed_sample,
    picture_folder,
    pixels_sha256,
    scored_sample,
)
from dmef_bench.evaluation.scoring import Scorer
from leaderboard.records import MetricsRecord, SampleRecord


@dataclass(frozen=True)
class PictureJob:
    """What all scenes of a call have in common, as a worker of a cluster must know it too.

    Attributes:
        id: tells this call from any other.
        pictures: the folder of predictions.
        run: the folder of results.
        device: of the metrics.
        metrics: what a scorer must measure.
    """

    id: str
    pictures: Path
    run: Path
    device: torch.device
    metrics: MetricsRecord


def picture_line(
    job: PictureJob,
    scorer: Scorer,
    scene: Scene,
    file: Path | None,
    earlier: SampleRecord | None,
    shown: bool,
) -> SampleRecord:
    """The scene's line with its figures or with the reason why it has none.

    Args:
        job: the call.
        scorer: suited to the scene.
        scene: the scene.
        file: its picture; None where there is none.
        earlier: the line it has, which stays where it belongs to this very picture.
        shown: whether it leaves pictures for the leaderboard's page.
    """
    try:
        if file is None:
            raise UsageError(f"no prediction {scene.id}.png")
        return _scored(scene, file, earlier, job.run, scorer, shown=shown)
    except DmefError as error:
        return failed_sample(scene, str(error).replace(f"{job.pictures}/", ""))


def _scored(
    scene: Scene,
    file: Path,
    earlier: SampleRecord | None,
    run: Path,
    scorer: Scorer,
    *,
    shown: bool,
) -> SampleRecord:
    """The scene's line: the one there is where it belongs to this very picture, else a new one."""
    prediction = read_prediction(file, scene)
    sha256 = pixels_sha256(prediction)
    if earlier is not None and earlier.prediction_sha256 == sha256:
        return earlier
    truth = scene.load_ground_truth()
    figures = scorer(prediction, truth)
    if shown:
        write_pictures(picture_folder(run, scene), scene.load_bracket(), truth, prediction)
    return scored_sample(scene, prediction, figures)
