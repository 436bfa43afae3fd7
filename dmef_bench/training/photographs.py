"""Training samples from a folder of photographs set in motion."""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.errors import UsageError
from dmef_bench.picture_files import read_picture
from dmef_bench.training.generated import tone_curve
from dmef_bench.training.photograph_motion import PhotographInMotion, random_view
from dmef_bench.training.samples import (
    PICTURES_AT_ONCE,
    Frame,
    Sample,
    SampleKey,
    Track,
    bracket_sample,
    named,
    response_of,
)
from synth.exposure import DEFAULT_EVS

# A photograph serves this many steps in a row, so that it is decoded once for many crops.
_STEPS_A_PHOTO = 16
_SUFFIXES = {".jpg", ".jpeg", ".png"}


class MovingPhotographs:
    """Random views of the photographs in a folder, panned, zoomed and turned.

    Args:
        folder: holds JPEG and PNG pictures.
        crop: side of the square crops in pixels.
        track: how they are exposed.

    Raises:
        UsageError: no picture in the folder.
    """

    evs = DEFAULT_EVS

    def __init__(self, folder: Path, crop: int, track: Track = "paper") -> None:
        self._crop, self.track, self.response = crop, track, response_of(track)
        self._paths = photographs_in(folder)
        self._digests = [sha256_of_file(path) for path in self._paths]

    def sample(self, key: SampleKey) -> Sample:
        """The sample of that key."""
        path = self._paths[key.picture(len(self._paths), _STEPS_A_PHOTO)]
        return moving_photograph(_photograph(path), self._crop, key.generator(), self.track)

    def description(self) -> dict[str, Any]:
        """What the data is: the photographs by content, in the order that samples count them."""
        content = {"kind": "photographs", "crop": self._crop, "sha256": self._digests}
        return content | named(self.track)


def photographs_in(folder: Path) -> list[Path]:
    """The JPEG and PNG pictures in a folder, by name.

    Raises:
        UsageError: there is none.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise UsageError(f"{folder}: no JPEG or PNG photographs to set in motion")
    return paths


def read_photograph(path: Path) -> Frame:
    """(H, W, 3) uint8; of 16 bits the upper eight.

    Raises:
        IntegrityError: it is damaged or too large.
    """
    picture = read_picture(path)
    wide = picture.dtype == np.uint16
    return (picture >> 8 if wide else picture).astype(np.uint8, copy=False)


_photograph = functools.lru_cache(PICTURES_AT_ONCE)(read_photograph)


def moving_photograph(
    photograph: Frame, crop: int, generator: np.random.Generator, track: Track = "paper"
) -> Sample:
    """A bracket from one photograph: a moving camera, and textured objects that move on their own.

    Args:
        photograph: (H, W, 3) uint8 of any size.
        crop: side of the result in pixels.
        generator: decides everything.
        track: how it is exposed.
    """
    view = random_view(photograph, 2 * crop, generator)
    motion = PhotographInMotion(view, crop, crop, generator, objects_from=photograph)
    tone = tone_curve(generator)

    def frame(time: int) -> Frame:
        toned: Frame = tone[motion.frame(time)]
        return toned

    return bracket_sample((frame(-1), frame(0), frame(1)), generator, track)
