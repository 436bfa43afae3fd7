"""What a scene leaves: its line, and where its pictures go."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from dmef_bench.dataset import Scene
from dmef_bench.evaluation.inference import Prediction
from dmef_bench.evaluation.predicted_pixels import Pixels
from dmef_bench.evaluation.run_folder import RunFolder
from dmef_bench.evaluation.scoring import Figures
from leaderboard.records import PICTURES_FOLDER, DatasetRecord, SampleRecord


def scored_sample(
    scene: Scene, picture: Pixels, figures: Figures, prediction: Prediction | None = None
) -> SampleRecord:
    """A scored scene's line; times are known where the picture was made here."""
    return SampleRecord(
        scene=scene.id,
        psnr=figures.psnr,
        ssim=figures.ssim,
        lpips=figures.lpips,
        psnr_mu=figures.psnr_mu,
        ssim_mu=figures.ssim_mu,
        psnr_pu21=figures.psnr_pu21,
        inference_seconds=prediction.inference_seconds if prediction else None,
        total_seconds=prediction.total_seconds if prediction else None,
        prediction_sha256=pixels_sha256(picture),
    )


def failed_sample(scene: Scene, reason: str) -> SampleRecord:
    """A scene's line that says in one line why it failed, without the machine's folders."""
    one_line = " ".join(reason.replace(f"{scene.root}/", "").split())
    return SampleRecord(scene=scene.id, error=one_line)


def picture_folder(run: Path, scene: Scene) -> Path:
    """Where a run's pictures of a scene for the leaderboard's page lie."""
    return run / PICTURES_FOLDER / scene.id.replace("/", "-")


def pixels_sha256(picture: Pixels) -> str:
    """SHA-256 of an (H, W, 3) picture's values in row order, R, G, B; float32 little-endian."""
    return hashlib.sha256(picture.tobytes()).hexdigest()


def covered(dataset: DatasetRecord, scenes: Iterable[Scene], folder: RunFolder) -> DatasetRecord:
    """The dataset's record with the number of scenes the run covers: those wanted and those there.

    A run over the first scenes may be followed by one over more of them, into the same folder.
    """
    together = {scene.id for scene in scenes} | folder.samples.keys()
    return dataset.model_copy(update={"scenes": len(together)})
