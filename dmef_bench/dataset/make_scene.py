"""One video to the pictures of one scene: what a worker process of the build does."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dmef_bench.atomic_write import atomic_write
from dmef_bench.dataset.records import (
    PICTURES,
    ColourRecord,
    DiskRecord,
    InsideName,
    RejectionRecord,
    SceneRecord,
    Sha256,
    SourceRecord,
)
from dmef_bench.dataset.settings import BuildSettings
from dmef_bench.errors import DmefError
from dmef_bench.picture_files import encode_png
from dmef_bench.video import (
    ChoiceOptions,
    Rejected,
    Rules,
    accept,
    choose_frames,
    extract_frames,
    probe,
)
from synth.exposure import expose, synthesise_bracket

MARKER_FILE = "marker.json"

Frames = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


class FileRecord(DiskRecord):
    """A finished file: its name, the SHA-256 of its bytes, and how many they are."""

    name: InsideName
    sha256: Sha256
    size: int


class MadeScene(DiskRecord):
    """Marker of a finished scene: its line of metadata.jsonl but for the number, and its files."""

    outcome: Literal["made"] = "made"
    scene: SceneRecord
    files: tuple[FileRecord, ...]


class TurnedDown(DiskRecord):
    """Marker of a video that can't give a scene."""

    outcome: Literal["rejected"] = "rejected"
    rejection: RejectionRecord


Marker = Annotated[MadeScene | TurnedDown, Field(discriminator="outcome")]


def make_scene(
    video: Path, name: str, sha256: str, folder: Path, settings: BuildSettings
) -> MadeScene | TurnedDown:
    """Make the pictures of a scene in `folder` and, last of all, the marker that vouches for them.

    Args:
        video: the file.
        name: what it is called in records.
        sha256: of the file's bytes.
        folder: where to write; named after nothing but the video's content.
        settings: of the build.

    Raises:
        DmefError: the file is not the one whose SHA-256 was given.
        MissingError: the disk is full or read-only.
    """
    cv2.setNumThreads(1)  # the build's workers share the cores
    marker: MadeScene | TurnedDown
    try:
        clip = probe(video)
        if clip.sha256 != sha256:
            raise DmefError("the file changed while it was being read; run the command again")
        accept(clip, Rules(min_height=settings.min_height, hdr=settings.hdr))
        choice = choose_frames(clip, ChoiceOptions(spacing=settings.spacing))
        frames = extract_frames(clip, choice)
    except Rejected as rejected:
        marker = TurnedDown(
            rejection=RejectionRecord(
                name=name, sha256=sha256, code=rejected.code, reason=rejected.reason
            )
        )
    else:
        files = []
        for picture, pixels in _pictures(frames, settings):
            content = encode_png(pixels)
            files.append(
                FileRecord(
                    name=f"{picture}.png",
                    sha256=hashlib.sha256(content).hexdigest(),
                    size=len(content),
                )
            )
            atomic_write(folder / f"{picture}.png", content)
        height, width = frames[1].shape[:2]
        marker = MadeScene(
            scene=SceneRecord(
                scene="0000",
                **_columns(files),
                width=width,
                height=height,
                evs=settings.evs,
                response=settings.response_record,
                source=SourceRecord(
                    name=name, sha256=sha256, codec=clip.codec, pixel_format=clip.pixel_format
                ),
                presentation_times=choice.presentation_times,
                rotation=clip.rotation,
                colour=ColourRecord(**dataclasses.asdict(clip.colour)),
                motion=choice.motion,
            ),
            files=tuple(files),
        )
    atomic_write(folder / MARKER_FILE, marker.model_dump_json(exclude_none=True).encode())
    return marker


def numbered(scene: SceneRecord, number: str, name: str) -> SceneRecord:
    """The same scene under its final number, from a video called `name`."""
    files = {f"{picture}_file_name": f"{number}/{picture}.png" for picture in scene.pictures()}
    source = scene.source.model_copy(update={"name": name})
    return scene.model_copy(update={"scene": number, "source": source, **files})


def _columns(files: list[FileRecord]) -> dict[str, str]:
    columns = {}
    for file in files:
        picture = file.name.removesuffix(".png")
        columns[f"{picture}_file_name"] = f"0000/{file.name}"
        columns[f"{picture}_sha256"] = file.sha256
    return columns


def _pictures(frames: Frames, settings: BuildSettings) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    bracket = synthesise_bracket(frames, settings.evs, settings.response)
    yield from zip(PICTURES, (*bracket, frames[1]), strict=True)
    if settings.all_exposures:
        exposures = dict(zip(("low", "mid", "high"), settings.evs, strict=True))
        for number, (frame, done) in enumerate(zip(frames, exposures, strict=True), 1):
            for exposure, ev in exposures.items():
                if exposure != done:
                    yield f"frame{number}_{exposure}", expose(frame, ev, settings.response)
