"""One folder with three photographs, their EVs and a ground truth of linear light."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from dmef_bench.dataset.imported_records import EVs
from dmef_bench.dataset.importers.found import BrokenSceneError, ScenePictures
from dmef_bench.dataset.importers.source_folder import files, read_source
from dmef_bench.dataset.importers.truth_offset import truth_offset
from dmef_bench.errors import IntegrityError
from dmef_bench.linear_files import decode_light
from dmef_bench.picture_files import decode_picture

# 16 bit RGB of 80 megapixels, and floats of 20: far above any public bracketed dataset.
MAX_FILE_BYTES: Final = 512 * 1024 * 1024
MAX_PIXELS: Final = 100_000_000
_MAX_EXPOSURE_TEXT: Final = 4096
_MAX_EV: Final = 30.0
_PICTURES: Final = ("low", "mid", "high")
_KEPT_AS: Final = {".tiff": ".tif", ".jpeg": ".jpg"}


@dataclass(frozen=True)
class FolderLayout:
    """How a scene's files are named.

    Attributes:
        exposures: whether a file name is one of the three exposures.
        exposures_words: the same in words, for messages.
        truth: name of the ground truth, compared without regard to case.
        exposure_file: name of the text file with three EVs; None where `evs` are given.
        evs: EVs of the exposures in order of their names.
        fit_scale: scale each ground truth to the brightness of its mid exposure.
    """

    exposures: Callable[[str], bool]
    exposures_words: str
    truth: str
    exposure_file: str | None
    evs: EVs | None = None
    fit_scale: bool = False


def is_scene(folder: Path, layout: FolderLayout) -> bool:
    """Whether anything in a folder says that it is a scene, be it whole or not."""
    wanted = {layout.truth.lower(), (layout.exposure_file or layout.truth).lower()}
    return any(layout.exposures(path.name) or path.name.lower() in wanted for path in files(folder))


def read_folder_scene(folder: Path, layout: FolderLayout) -> ScenePictures:
    """Read and check one scene.

    The exposures are ordered by their EVs, the darkest first. EVs are counted from the darkest
    one: its saturation is 1 in the ground truth, as the public code for these datasets has it.

    Raises:
        BrokenSceneError: a file is missing, a link, too large, damaged, or doesn't fit the others.
    """
    there = {path.name.lower(): path for path in files(folder)}
    exposures = [
        path
        for name, path in there.items()
        if layout.exposures(path.name) and name != layout.truth.lower()
    ]
    if len(exposures) != 3:
        raise BrokenSceneError(
            f"{folder}: {len(exposures)} exposures ({layout.exposures_words}) instead of three"
        )
    stated = layout.evs or _read_evs(_named(folder, there, layout.exposure_file or ""))
    order = sorted(range(3), key=lambda index: stated[index])
    sources = {picture: exposures[index] for picture, index in zip(_PICTURES, order, strict=True)}
    sources["gt"] = _named(folder, there, layout.truth)
    contents = {picture: read_source(path, MAX_FILE_BYTES) for picture, path in sources.items()}
    try:
        shapes, mid = {}, None
        for picture in _PICTURES:
            image = decode_picture(contents[picture], sources[picture], MAX_PIXELS)
            shapes[picture] = image.shape[:2]
            mid = image if picture == "mid" else mid
        light = decode_light(contents["gt"], sources["gt"], MAX_PIXELS)
    except BrokenSceneError:
        raise
    except IntegrityError as error:
        raise BrokenSceneError(str(error)) from error
    height, width = light.shape[:2]
    for picture, shape in shapes.items():
        if shape != (height, width):
            raise BrokenSceneError(
                f"{sources[picture]}: {shape[1]}×{shape[0]}, but {sources['gt'].name} is "
                f"{width}×{height}; all four pictures of a scene have one size"
            )
    low, middle, high = (stated[index] for index in order)
    evs = (0.0, middle - low, high - low)
    if mid is None:
        raise BrokenSceneError(f"{folder}: no mid exposure")
    offset = truth_offset(light, mid, evs[1])
    scale = 1.0
    if layout.fit_scale:
        if offset is None:
            raise BrokenSceneError(
                f"{sources['mid']}: too few well-exposed pixels to fit the ground truth's scale"
            )
        scale, offset = float(np.exp2(-offset)), 0.0
    return ScenePictures(
        files={picture: (_suffix(sources[picture]), contents[picture]) for picture in sources},
        height=height,
        width=width,
        evs=evs,
        stated_evs=(low, middle, high),
        truth_scale=scale,
        truth_offset=offset,
        sources=sources,
    )


def _named(folder: Path, there: dict[str, Path], name: str) -> Path:
    path = there.get(name.lower())
    if path is None:
        raise BrokenSceneError(f"{folder / name}: missing; put the file there as it is distributed")
    return path


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return _KEPT_AS.get(suffix, suffix)


def _read_evs(path: Path) -> EVs:
    """Three different numbers, one a line.

    Raises:
        BrokenSceneError: anything else.
    """
    text = read_source(path, _MAX_EXPOSURE_TEXT)
    try:
        numbers = [float(word) for word in text.decode("ascii").split()]
    except ValueError:
        numbers = []
    if (
        len(numbers) != 3
        or not all(math.isfinite(number) and abs(number) <= _MAX_EV for number in numbers)
        or len(set(numbers)) < 3
    ):
        raise BrokenSceneError(
            f"{path}: three different EVs are due, one a line (as -2, 0 and 2); put the file there "
            "as it is distributed"
        )
    return numbers[0], numbers[1], numbers[2]
