"""From what a user asks for to a source, and a clean start."""

from pathlib import Path
from typing import Literal

import torch

from dmef_bench.training.both_tracks import BothTracks
from dmef_bench.training.context import WHOLE, InContext, InContextOnDevice
from dmef_bench.training.generated import GeneratedScenes
from dmef_bench.training.mixture import Mixture
from dmef_bench.training.on_device import scenes_on_device
from dmef_bench.training.photographs import MovingPhotographs
from dmef_bench.training.samples import BatchSource, Source, Track


def make_source(
    dataset: Path | None,
    photographs: Path | None,
    crop: int,
    track: Track | Literal["both"] | None = None,
    *,
    context: bool = False,
) -> Source:
    """Crops of a dataset's train split or of generated scenes, mixed with moving photographs.

    Args:
        dataset: a built dataset, None for generated scenes.
        photographs: a folder that serves every other sample, None for none.
        crop: side of the crops in pixels.
        track: how exposures are made, "both" for either in turn; None for a dataset's first
            track, else "paper".
        context: whether crops bring the picture around them, which is `WHOLE` times as wide.

    Raises:
        UsageError: a dataset or photographs that can't be used, or not together.
    """
    if context:
        return InContext(make_source(dataset, photographs, WHOLE * crop, track), crop)
    if track == "both":
        return BothTracks(
            make_source(dataset, photographs, crop, "paper"),
            make_source(dataset, photographs, crop, "camera"),
        )
    source: Source
    if dataset is None:
        source = GeneratedScenes(crop, track or "paper")
    else:
        from dmef_bench.training.dataset_crops import DatasetCrops

        source = DatasetCrops(dataset, crop, track)
    if photographs is None:
        return source
    return Mixture(source, MovingPhotographs(photographs, crop, track or "paper"))


def make_device_source(
    photographs: Path | None,
    crop: int,
    track: Track | Literal["both"] | None,
    device: torch.device,
    *,
    scenes: int,
    seed: int,
    context: bool = False,
    workers: int = 0,
    quiet: bool = False,
) -> BatchSource:
    """Batches of generated scenes and moving photographs, made where the network is.

    Args:
        photographs: a folder that serves every other sample, None for none.
        crop: side of the crops in pixels.
        track: how exposures are made; None for "paper".
        device: where the network is.
        scenes: how many scenes are generated; 0 for photographs alone.
        seed: of the training.
        context: whether crops bring the picture around them.
        workers: processes that render and read; 0 for this one.
        quiet: no progress bar.

    Raises:
        UsageError: neither scenes nor photographs.
        IntegrityError: a photograph can't be read.
        MissingError: the device has too little memory for them.
    """
    whole = scenes_on_device(
        photographs, WHOLE * crop if context else crop, track or "paper", device,
        scenes=scenes, seed=seed, workers=workers, quiet=quiet,
    )  # fmt: skip
    return InContextOnDevice(whole, crop) if context else whole
