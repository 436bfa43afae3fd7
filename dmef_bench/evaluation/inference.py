"""Feed one scene to a method under a protocol, as often as asked, with the clock running."""

import statistics
from dataclasses import dataclass

import torch

from baselines import Bracket
from dmef_bench.evaluation.eight_bit import to_eight_bit
from dmef_bench.evaluation.method_call import (
    MethodCall,
    check_finite,
    failure,
    is_out_of_memory,
)
from dmef_bench.evaluation.predicted_pixels import Pixels, ToPixels
from dmef_bench.evaluation.protocols import Protocol
from dmef_bench.evaluation.timing import Stopwatch


@dataclass(frozen=True)
class Prediction:
    """What a method made of a scene.

    Attributes:
        picture: (H, W, 3), uint8 display values or float32 linear light.
        inference_seconds: inside the method alone, median of the repeats.
        total_seconds: with resizing, tiling, padding and conversion, median of the repeats.
    """

    picture: Pixels
    inference_seconds: float
    total_seconds: float


def predict(
    call: MethodCall,
    protocol: Protocol,
    bracket: Bracket,
    repeats: int,
    to_pixels: ToPixels = to_eight_bit,
) -> Prediction:
    """Fuse a whole bracket `repeats` times; the last picture counts.

    Args:
        call: the method.
        protocol: how it is fed.
        bracket: one scene on the method's device.
        repeats: at least 1.
        to_pixels: what is kept of the result, see `predicted_pixels`.

    Raises:
        MethodFailedError: the method raised, or returned no picture or one with NaN.
        OutOfMemoryError: the memory is too small.
    """
    inference, total = [], []
    for _ in range(repeats):
        call.stopwatch = Stopwatch(call.method.device)
        whole = Stopwatch(call.method.device)
        try:
            with whole:
                picture = protocol.predict(bracket, call)
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                raise failure(error) from error
            raise
        inference.append(call.stopwatch.seconds)
        total.append(whole.seconds)
    check_finite(picture)
    return Prediction(to_pixels(picture), statistics.median(inference), statistics.median(total))


def to_device(bracket: Bracket, device: torch.device) -> Bracket:
    """The bracket on `device`.

    Raises:
        OutOfMemoryError: it does not fit there.
    """
    try:
        return bracket.map(lambda images: images.to(device))
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise failure(error) from error
        raise
