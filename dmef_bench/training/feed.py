"""A run's batches in the order of its steps, from where it stands to its end."""

from collections.abc import Iterator

import cv2
import torch
from torch.utils.data import DataLoader

from dmef_bench.training.samples import Batch, Batches, BatchSource, Source
from dmef_bench.training.settings import TrainSettings
from dmef_bench.training.worker_errors import ErrorsAsItems, items_or_error


def batches_from(
    source: Source | BatchSource,
    settings: TrainSettings,
    done: int,
    slots: range,
    workers: int,
    device: torch.device,
) -> Iterator[Batch]:
    """The batches of the steps that are left; the same with any number of workers.

    Args:
        source: of the samples.
        settings: of the run.
        done: steps that are done.
        slots: which places of every batch.
        workers: processes that prepare samples; 0 for this one.
        device: where they are wanted.

    Raises:
        DmefError: a sample can't be made, whichever process was to make it.
    """
    if isinstance(source, BatchSource):
        for step in range(done, settings.steps):
            yield _places(source.batch(settings.seed, step, settings.batch), slots)
        return
    loader = DataLoader(
        ErrorsAsItems(Batches(source, settings.seed, slots, settings.steps)),
        batch_size=None,
        sampler=range(done, settings.steps),
        num_workers=workers,
        worker_init_fn=_one_thread,
        pin_memory=device.type == "cuda",
        # Without one it draws from the numbers of the first step that is left.
        generator=torch.Generator(),
    )
    yield from items_or_error(loader)


def _places(batch: Batch, slots: range) -> Batch:
    part = slice(slots.start, slots.stop)
    return batch._replace(
        images=batch.images[part],
        target=batch.target[part],
        context=None if batch.context is None else batch.context[part],
        place=None if batch.place is None else batch.place[part],
    )


def _one_thread(worker: int) -> None:
    """Workers are processes already; OpenCV's threads would only fight over the cores."""
    cv2.setNumThreads(0)
