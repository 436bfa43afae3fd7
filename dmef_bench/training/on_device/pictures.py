"""What lies on the device: generated scenes rendered once, and photographs."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from dmef_bench.errors import DmefError
from dmef_bench.progress import progress_bar
from dmef_bench.training.generated import SPACING
from dmef_bench.training.on_device.pool import TIMES
from dmef_bench.training.photographs import read_photograph
from dmef_bench.training.samples import Stream, random_generator
from dmef_bench.training.worker_errors import ErrorsAsItems, items_or_error
from synth.moving_scenes import MovingScene

Frames = NDArray[np.uint8]

# Scenes are rendered this many times as wide as a frame, but not smaller than that.
_SCENE, _LEAST_SCENE = 2, 768
# How many times higher than its picture a whole scene may be.
_WIDEST = 3.0


def scene_frames(seed: int, number: int, side: int) -> Frames:
    """Three frames of a generated scene, larger than the frames that will show parts of it.

    Args:
        seed: of the training.
        number: of the scene, from 0.
        side: of the frames of a batch in pixels.

    Returns:
        (3, S, S, 3) uint8.
    """
    generator = random_generator(seed, Stream.DEVICE_PICTURES, number)
    size = max(_SCENE * side, _LEAST_SCENE)
    whole = size * _WIDEST ** generator.uniform(0, 1)
    scene = MovingScene(int(generator.integers(2**31)), size, size, scene_height=whole)
    start, spacing = generator.uniform(0, 2), math.exp(generator.uniform(*np.log(SPACING)))
    return np.stack([scene.frame(start + time * spacing) for time in range(TIMES)])


class _Pictures(Dataset[Frames]):
    def __init__(self, seed: int, scenes: int, side: int, photographs: Sequence[Path]) -> None:
        self._seed, self._scenes, self._side = seed, scenes, side
        self._photographs = photographs

    def __len__(self) -> int:
        return self._scenes + len(self._photographs)

    def __getitem__(self, number: int) -> Frames:
        if number < self._scenes:
            return scene_frames(self._seed, number, self._side)
        return read_photograph(self._photographs[number - self._scenes])[None]


def pictures(
    seed: int, scenes: int, side: int, photographs: Sequence[Path], *, workers: int, quiet: bool
) -> Iterator[Frames]:
    """Generated scenes, then photographs, in the same order with any number of workers.

    Args:
        seed: of the training.
        scenes: how many are generated.
        side: of the frames of a batch in pixels.
        photographs: files.
        workers: processes; 0 for this one.
        quiet: no progress bar.

    Yields:
        (3, S, S, 3) uint8 for a scene, (1, H, W, 3) for a photograph.

    Raises:
        IntegrityError: a photograph can't be read.
    """
    data = _Pictures(seed, scenes, side, photographs)
    loader: DataLoader[Frames | DmefError] = DataLoader(
        ErrorsAsItems(data), batch_size=None, num_workers=workers, collate_fn=_as_it_is,
        worker_init_fn=_one_thread,
    )  # fmt: skip
    with progress_bar(quiet=quiet) as bar:
        tracked = bar.track(loader, total=len(data), description="pictures for the device")
        yield from items_or_error(tracked)


def _as_it_is(item: Any) -> Any:  # noqa: ANN401 - PyTorch would make a tensor of an array
    return item


def _one_thread(worker: int) -> None:
    cv2.setNumThreads(0)
