"""From what a user asks for to a source, and a clean start."""

from pathlib import Path

from dmef_bench.training.generated import GeneratedScenes
from dmef_bench.training.loop import CHECKPOINT_FILE, LOG_FILE, WEIGHTS_FILE
from dmef_bench.training.mixture import Mixture
from dmef_bench.training.photographs import MovingPhotographs
from dmef_bench.training.samples import Source, Track


def make_source(
    dataset: Path | None, photographs: Path | None, crop: int, track: Track | None = None
) -> Source:
    """Crops of a dataset's train split or of generated scenes, mixed with moving photographs.

    Args:
        dataset: a built dataset, None for generated scenes.
        photographs: a folder that serves every other sample, None for none.
        crop: side of the crops in pixels.
        track: how exposures are made; None for a dataset's first track, else "paper".

    Raises:
        UsageError: a dataset or photographs that can't be used, or not together.
    """
    source: Source
    if dataset is None:
        source = GeneratedScenes(crop, track or "paper")
    else:
        from dmef_bench.training.dataset_crops import DatasetCrops

        source = DatasetCrops(dataset, crop, track)
    if photographs is None:
        return source
    return Mixture(source, MovingPhotographs(photographs, crop, track or "paper"))


def forget(output: Path) -> None:
    """Remove what an earlier training left in a folder, and nothing else."""
    for name in (CHECKPOINT_FILE, LOG_FILE, WEIGHTS_FILE):
        (output / name).unlink(missing_ok=True)
