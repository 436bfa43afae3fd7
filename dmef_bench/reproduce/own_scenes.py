"""Test scenes for tables that were given no dataset: generated, or photographs set in motion.

They lie on disk as a dataset does and are opened as one; every scene is one of the test split.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from dmef_bench import __version__
from dmef_bench.atomic_write import atomic_write, sha256_of_file
from dmef_bench.dataset import (
    ColourRecord,
    DatasetRecord,
    ResponseRecord,
    SceneRecord,
    SourceRecord,
    measures,
)
from dmef_bench.dataset.camera_exposures import camera_columns, scene_camera
from dmef_bench.dataset.lock import held
from dmef_bench.dataset.records import CAMERA_PICTURES, DATASET_FILE, METADATA_FILE, PICTURES
from dmef_bench.dataset.settings import DEFAULT_CAMERA
from dmef_bench.errors import UsageError
from dmef_bench.picture_files import encode_png, picture_size
from dmef_bench.progress import progress_bar
from dmef_bench.training.photograph_motion import PhotographInMotion
from dmef_bench.training.photographs import photographs_in, read_photograph
from synth.camera_response import camera_response
from synth.camera_track import camera_exposure
from synth.exposure import DEFAULT_EVS, synthesise_bracket
from synth.moving_scenes import MovingScene

_Frame = NDArray[np.uint8]
_Frames = tuple[_Frame, _Frame, _Frame]
# Seconds between the frames of a generated scene, as of every other frame of a phone's video.
_SPACING: Final = 1 / 15
# A third of the training pipeline's motion: at 4K, tens of pixels between frames.
_SPEED: Final = 1 / 3
_RESPONSE: Final = "sigmoid"
_SCENE_FILE: Final = "scene.json"
_RGB: Final = ColourRecord(
    matrix="rgb", range="full", transfer="as the picture's", primaries="as the picture's"
)


class Frames(Protocol):
    """Where the frames of scenes come from.

    Attributes:
        name: of the dataset made of them.
        words: what they are, in a line.
        count: how many scenes.
        content: SHA-256 of each photograph; empty where there are none.
        left_out: what can't serve, a sentence each.
    """

    name: str
    words: str
    count: int
    content: tuple[str, ...]
    left_out: tuple[str, ...]

    def source(self, number: int) -> SourceRecord:
        """What scene `number` comes from; its digest says everything that decides the frames."""
        ...

    def frames(self, number: int) -> _Frames:
        """Three frames in order of time, (H, W, 3) uint8."""
        ...


class GeneratedFrames:
    """Generated moving scenes, seeds 1, 2, 3...

    Args:
        size: (height, width).
        count: of scenes.
    """

    name = "Generated scenes"
    content: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def __init__(self, size: tuple[int, int], count: int) -> None:
        self._size, self.count = size, count
        self.words = f"{count} generated moving scenes of {size[1]}×{size[0]}"

    def source(self, number: int) -> SourceRecord:
        """As of `Frames`."""
        told = f"generated scene, seed {number + 1}"
        digest = hashlib.sha256(f"{told}, {self._size}, {_SPACING}".encode()).hexdigest()
        return SourceRecord(name=told, sha256=digest, codec="none", pixel_format="rgb24")

    def frames(self, number: int) -> _Frames:
        """As of `Frames`."""
        scene = MovingScene(number + 1, *self._size)
        return scene.frame(0), scene.frame(_SPACING), scene.frame(2 * _SPACING)


class PhotographFrames:
    """Photographs set in motion: frame 2 is the middle of one, with objects that move on their own.

    Args:
        folder: holds JPEG and PNG pictures; those smaller than `size` are left out.
        size: (height, width).
        limit: take so many, evenly spaced among the others.

    Raises:
        UsageError: no photograph is large enough.
    """

    name = "Photographs in motion"

    def __init__(self, folder: Path, size: tuple[int, int], limit: int | None) -> None:
        self._size = size
        found = {path: picture_size(path) for path in photographs_in(folder)}
        fit = [p for p, (rows, columns) in found.items() if rows >= size[0] and columns >= size[1]]
        if not fit:
            raise UsageError(
                f"{folder}: none of its {len(found)} photographs has {size[1]}×{size[0]} pixels; "
                "name a smaller --size"
            )
        self.left_out = tuple(
            f"{path.name}: {columns}×{rows} is less than {size[1]}×{size[0]}"
            for path, (rows, columns) in found.items()
            if path not in fit
        )
        if limit is not None and limit < len(fit):
            fit = [fit[n * len(fit) // limit] for n in range(limit)]
        self._paths, self.count = fit, len(fit)
        self.content = tuple(sha256_of_file(path) for path in fit)
        self.words = f"{len(fit)} photographs set in motion, {size[1]}×{size[0]}"

    def source(self, number: int) -> SourceRecord:
        """As of `Frames`."""
        told = f"{self.content[number]}, {number}, {self._size}, {_SPEED}"
        digest = hashlib.sha256(told.encode()).hexdigest()
        name = "".join(c if c.isprintable() else "?" for c in self._paths[number].name)
        return SourceRecord(name=name, sha256=digest, codec="photograph", pixel_format="rgb24")

    def frames(self, number: int) -> _Frames:
        """As of `Frames`."""
        whole = read_photograph(self._paths[number])
        height, width = self._size
        top, left = (whole.shape[0] - height) // 2, (whole.shape[1] - width) // 2
        view = np.ascontiguousarray(whole[top : top + height, left : left + width])
        motion = PhotographInMotion(
            view, height, width, np.random.default_rng(number), objects_from=whole, speed=_SPEED
        )
        return motion.frame(-1), motion.frame(0), motion.frame(1)


def own_scenes(frames: Frames, below: Path, *, quiet: bool) -> Path:
    """The dataset of these scenes, both tracks; made, or gone on with, in a folder of its own.

    Args:
        frames: of the scenes.
        below: the folder gets a folder named after what decides the pictures.
        quiet: no progress bar.

    Returns:
        The dataset's folder, for `open_dataset`.

    Raises:
        MissingError: the disk is full or can't be written.
        UsageError: another process makes the same scenes.
    """
    record = _record(frames)
    sources = [frames.source(number) for number in range(frames.count)]
    told = record.as_file() + b"".join(source.sha256.encode() for source in sources)
    folder = below / f"scenes-{hashlib.sha256(told).hexdigest()[:8]}"
    if (folder / DATASET_FILE).is_file():
        return folder
    with held(folder, f"{folder}: another process makes these scenes; wait for it"):
        lines = []
        with progress_bar(quiet=quiet) as bar, ThreadPoolExecutor() as pool:
            task = bar.add_task(frames.words, total=frames.count)
            for number, source in enumerate(sources):
                lines.append(_scene(folder, number, source, frames, pool).as_line())
                bar.advance(task)
        atomic_write(folder / "test" / METADATA_FILE, b"".join(lines))
        atomic_write(folder / DATASET_FILE, record.as_file())
    return folder


def _record(frames: Frames) -> DatasetRecord:
    return DatasetRecord(
        name=frames.name,
        package_version=__version__,
        track="paper+camera",
        ffmpeg="none",
        ffmpeg_flags=(),
        seed=0,
        split_rule="all test",
        settings={"evs": ",".join(map(str, DEFAULT_EVS)), "model": _RESPONSE},
        scenes={"test": frames.count},
    )


def _scene(
    folder: Path, number: int, source: SourceRecord, frames: Frames, pool: ThreadPoolExecutor
) -> SceneRecord:
    """A scene's line; its pictures are written before it, and not again once it is there."""
    name = f"{number + 1:04d}"
    place = folder / "test" / name
    if (kept := _kept(place / _SCENE_FILE)) is not None:
        return kept
    three = frames.frames(number)
    camera = scene_camera(DEFAULT_CAMERA, 0, source.sha256, 1)
    response = camera_response(_RESPONSE)
    pictures = dict(
        zip(PICTURES, (*synthesise_bracket(three, DEFAULT_EVS, response), three[1]), strict=True)
    )
    columns: dict[str, Any] = measures.motion(three)
    for picture, pixels in pictures.items():
        columns |= measures.clipping(picture, pixels)
    for exposure, (picture, frame) in enumerate(zip(CAMERA_PICTURES, three, strict=True)):
        pictures[picture] = camera_exposure(frame, camera, exposure)
    for picture, content in zip(pictures, pool.map(encode_png, pictures.values()), strict=True):
        atomic_write(place / f"{picture}.png", content)
        columns[f"{picture}_file_name"] = f"{name}/{picture}.png"
        columns[f"{picture}_sha256"] = hashlib.sha256(content).hexdigest()
    record = SceneRecord(
        scene=name,
        **columns,
        width=three[1].shape[1],
        height=three[1].shape[0],
        evs=DEFAULT_EVS,
        response=ResponseRecord(model=response.name, parameters=dict(response.parameters)),
        **camera_columns(camera, alone=False),
        source=source,
        presentation_times=(0.0, _SPACING, 2 * _SPACING),
        rotation=0,
        colour=_RGB,
        motion=min(columns["moving_12"], columns["moving_23"]),
    )
    atomic_write(place / _SCENE_FILE, record.as_line())
    return record


def _kept(path: Path) -> SceneRecord | None:
    try:
        return SceneRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
