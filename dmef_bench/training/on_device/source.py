"""What the loop asks for batches that are made on the device."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.errors import MissingError, UsageError
from dmef_bench.training.on_device.draw import draw_motion
from dmef_bench.training.on_device.exposures import (
    BothExposures,
    CameraExposures,
    Exposures,
    PaperExposures,
)
from dmef_bench.training.on_device.pictures import pictures
from dmef_bench.training.on_device.pool import PicturePool
from dmef_bench.training.on_device.render import render
from dmef_bench.training.photographs import photographs_in
from dmef_bench.training.samples import Batch, Stream, named
from synth.camera_response import CameraResponse
from synth.exposure import DEFAULT_EVS


class ScenesOnDevice:
    """Moving views of pictures that lie on the device, exposed there: whole batches at once.

    Args:
        pool: the pictures.
        scenes: so many of them, the first, are generated; the others are photographs.
        crop: side of the square frames in pixels.
        exposures: how they are exposed.
        facts: what tells the pictures from others, for `description`.

    Attributes:
        evs: exposure values around which those of the batches lie.
    """

    evs = DEFAULT_EVS

    def __init__(
        self, pool: PicturePool, scenes: int, crop: int, exposures: Exposures, facts: dict[str, Any]
    ) -> None:
        self._pool, self._crop, self._exposures, self._facts = pool, crop, exposures, facts
        count = len(pool.sizes)
        kinds = ((range(scenes), True), (range(scenes, count), False))
        self._kinds = [(numbers, exchanged) for numbers, exchanged in kinds if numbers]

    @property
    def track(self) -> str:
        """How every batch's exposures are made."""
        return self._exposures.track

    @property
    def response(self) -> CameraResponse | None:
        """Of all brackets; None where each has its own."""
        return self._exposures.response

    def batch(self, seed: int, step: int, samples: int) -> Batch:
        """The batch of a training step: the same whenever it is asked for on the same device.

        Scenes, motions and cameras are the same on every device; noise depends on its kind.
        """
        sequence = np.random.SeedSequence(seed, spawn_key=(int(Stream.DEVICE_BATCH), step))
        words = [int(word) for word in sequence.generate_state(2, np.uint64)]
        draws = torch.Generator().manual_seed(words[0])
        noise = torch.Generator(self._pool.device).manual_seed(words[1])
        with torch.inference_mode(False), torch.no_grad():
            motion = draw_motion(self._pool.sizes, self._kinds, step, samples, self._crop, draws)
            frames = render(self._pool, motion, self._crop)
            images, evs = self._exposures.expose(frames, step, draws, noise)
        return Batch(images, frames[:, 1].contiguous(), evs)

    def description(self) -> dict[str, Any]:
        """What the data is: the photographs by content, in the order that samples count them."""
        return {"kind": "on device", "crop": self._crop, **self._facts, **named(self.track)}


def scenes_on_device(
    photographs: Path | None,
    crop: int,
    track: Literal["paper", "camera", "both"],
    device: torch.device,
    *,
    scenes: int,
    seed: int,
    workers: int = 0,
    quiet: bool = False,
) -> ScenesOnDevice:
    """Render scenes, read photographs, and put them on the device.

    Args:
        photographs: a folder that serves every other sample, None for none.
        crop: side of the square frames in pixels.
        track: how they are exposed.
        device: where the network is trained.
        scenes: how many are generated; 0 for photographs alone.
        seed: of the training; decides scenes and cameras.
        workers: processes that render and read; 0 for this one.
        quiet: no progress bar.

    Raises:
        UsageError: neither scenes nor photographs.
        IntegrityError: a photograph can't be read.
        MissingError: the device has too little memory for them.
    """
    paths = [] if photographs is None else photographs_in(photographs)
    if not paths and not scenes:
        raise UsageError("no generated scenes and no photographs: nothing to train on")
    found = pictures(seed, scenes, crop, paths, workers=workers, quiet=quiet)
    try:
        pool = PicturePool(found, device)
    except torch.OutOfMemoryError:
        raise MissingError(
            f"{scenes} generated scenes and {len(paths)} photographs don't fit into the memory of "
            f"{device}; give fewer of them, or leave --data-on-device out"
        ) from None
    facts = {"scenes": scenes, "sha256": [sha256_of_file(path) for path in paths]}
    return ScenesOnDevice(pool, scenes, crop, _exposures(track, seed, device), facts)


def _exposures(track: str, seed: int, device: torch.device) -> Exposures:
    if track == "paper":
        return PaperExposures(device)
    if track == "camera":
        return CameraExposures.drawn(seed, device)
    # Both tracks have the same exposure values only if those of the cameras stay where they are.
    return BothExposures(PaperExposures(device), CameraExposures.drawn(seed, device, jitter=0.0))
