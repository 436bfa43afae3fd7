"""Quality of a loaded method on held-out generated scenes, as anyone can measure it again."""

from collections.abc import Sequence
from typing import Final, get_args

import numpy as np
import torch

from baselines import Bracket, Method
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import psnr, ssim, to_eight_bit
from dmef_bench.evaluation.method_call import MethodCall, MethodFailedError
from dmef_bench.progress import progress_bar
from dmef_bench.training.generated import generated_sample
from dmef_bench.training.samples import Track, validation_generator
from dmef_bench.training.shipped.record import FigureSet, TrackFigures
from dmef_bench.training.validation import Quality, as_float, mean
from synth.exposure import DEFAULT_EVS

TOLERANCE: Final = TrackFigures(psnr=0.02, ssim=0.0005)
"""How far figures measured on another machine may be from the recorded ones."""


def measure(
    method: Method,
    scenes: int,
    side: int,
    tracks: Sequence[Track] = get_args(Track),
    *,
    quiet: bool = True,
) -> FigureSet:
    """Fuse held-out scenes and compare with their ground truths, both at 8 bit.

    Args:
        method: loaded, on any device; fed the whole scene, without its camera response.
        scenes: how many; the first of those a training validates on.
        side: of the square scenes in pixels.
        tracks: how they are exposed.
        quiet: no progress bar.

    Raises:
        UsageError: the method gives no finite picture.
    """
    fuse = MethodCall(method, "float32")
    figures = {}
    with progress_bar(quiet=quiet) as bar:
        for track in tracks:
            label = f"{method.info.name}, {track}, {side}×{side}"
            numbers = bar.track(range(scenes), description=label)
            figure = mean([_quality(fuse, side, number, track) for number in numbers])
            figures[track] = TrackFigures(psnr=figure.psnr, ssim=figure.ssim)
    return FigureSet(scenes=scenes, side=side, tracks=figures)


def _quality(fuse: MethodCall, side: int, number: int, track: Track) -> Quality:
    scene = generated_sample(side, validation_generator(number), track)
    images = as_float(torch.from_numpy(scene.images)[None], fuse.method.device)
    try:
        fused = to_eight_bit(fuse(Bracket(images, DEFAULT_EVS)))
    except MethodFailedError as error:
        raise UsageError(f"{fuse.method.info.name} can't be measured: {error}") from None
    truth = np.ascontiguousarray(np.moveaxis(scene.target, 0, -1))
    return Quality(psnr(fused, truth), ssim(fused, truth))
