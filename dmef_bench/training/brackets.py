"""From a batch of 8-bit pixels to what a network is trained on."""

import torch

from baselines import Bracket
from dmef_bench.training.context import CropInContext
from dmef_bench.training.samples import Batch, BatchSource, Source, known_response
from dmef_bench.training.validation import as_float


def bracket_of(batch: Batch, source: Source | BatchSource, device: torch.device) -> Bracket:
    """The brackets of a batch on the device, in their context where they have one.

    Args:
        batch: of the source.
        source: says what the batch does not.
        device: where the network is.
    """
    images = as_float(batch.images, device)
    evs, response = batch.evs or source.evs, known_response(source)
    if batch.context is None or batch.place is None:
        return Bracket(images, evs, response)
    return CropInContext(
        images, evs, response,
        context=as_float(batch.context, device), place=batch.place.to(device, non_blocking=True),
    )  # fmt: skip
