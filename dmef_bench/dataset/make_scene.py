"""One video to the pictures of its scenes: what a worker process of the build does."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import scenedetect.detectors  # noqa: F401 - `find_cuts` imports it in its first call, each worker anew
from numpy.typing import NDArray

from dmef_bench.atomic_write import atomic_write
from dmef_bench.dataset import measures
from dmef_bench.dataset.camera_exposures import camera_columns, scene_camera
from dmef_bench.dataset.markers import (
    MARKER_FILE,
    FileRecord,
    MadeScene,
    MadeVideo,
    TurnedDown,
)
from dmef_bench.dataset.records import (
    CAMERA_PICTURES,
    PICTURES,
    ColourRecord,
    RejectionRecord,
    SceneRecord,
    SourceRecord,
)
from dmef_bench.dataset.settings import BuildSettings
from dmef_bench.errors import DmefError
from dmef_bench.picture_files import encode_png
from dmef_bench.video import (
    Choice,
    ChoiceOptions,
    Clip,
    Rejected,
    Room,
    Rules,
    accept,
    choose_scenes,
    extract_frames,
    probe,
)
from synth.camera_track import Camera, camera_bracket, camera_exposure
from synth.exposure import expose, synthesise_bracket

Frames = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


def make_scenes(
    video: Path,
    name: str,
    sha256: str,
    folder: Path,
    settings: BuildSettings,
    threads: int | None = None,
    room: Room | None = None,
) -> MadeVideo | TurnedDown:
    """Make the pictures of a video's scenes and, last of all, the marker that vouches for them.

    Args:
        video: the file.
        name: what it is called in records.
        sha256: of the file's bytes.
        folder: where to write, a folder a scene; named after nothing but the video's content.
        settings: of the build.
        threads: of the decoder; None for as many as serve who has the machine alone.
        room: where to hold frames while they are looked at; None for memory of their own.

    Raises:
        DmefError: the file is not the one whose SHA-256 was given.
        MissingError: the disk is full or read-only.
    """
    cv2.setNumThreads(1)  # the build's workers share the cores
    marker: MadeVideo | TurnedDown
    try:
        clip = probe(video)
        if clip.sha256 != sha256:
            raise DmefError("the file changed while it was being read; run the command again")
        accept(clip, Rules(min_height=settings.min_height, hdr=settings.hdr))
        options = ChoiceOptions(spacing=settings.spacing, threads=threads, room=room)
        choices = choose_scenes(clip, settings.scenes_per_video, options)
        source = SourceRecord(
            name=name, sha256=sha256, codec=clip.codec, pixel_format=clip.pixel_format
        )
        marker = MadeVideo(
            scenes=tuple(
                _make_scene(clip, choice, source, place, folder, settings)
                for place, choice in enumerate(choices, 1)
            )
        )
    except Rejected as rejected:
        marker = TurnedDown(
            rejection=RejectionRecord(
                name=name, sha256=sha256, code=rejected.code, reason=rejected.reason
            )
        )
    atomic_write(folder / MARKER_FILE, marker.model_dump_json(exclude_none=True).encode())
    return marker


def _make_scene(
    clip: Clip,
    choice: Choice,
    source: SourceRecord,
    place: int,
    folder: Path,
    settings: BuildSettings,
) -> MadeScene:
    """Make the scene that is the `place`-th of its video, from 1."""
    frames = extract_frames(clip, choice)
    camera = _camera(settings, source.sha256, place)
    files, measured = [], measures.motion(frames)
    for picture, pixels in _pictures(frames, settings, camera):
        content = encode_png(pixels)
        files.append(
            FileRecord(
                name=f"{place}/{picture}.png",
                sha256=hashlib.sha256(content).hexdigest(),
                size=len(content),
            )
        )
        atomic_write(folder / files[-1].name, content)
        if picture in PICTURES:
            measured |= measures.clipping(picture, pixels)
    height, width = frames[1].shape[:2]
    return MadeScene(
        scene=SceneRecord(
            scene="0000",
            **_columns(files),
            width=width,
            height=height,
            **_exposure_columns(settings, camera),
            source=source,
            presentation_times=choice.presentation_times,
            rotation=clip.rotation,
            colour=ColourRecord(**dataclasses.asdict(clip.colour)),
            motion=choice.motion,
            place=place,
            sharpness=round(choice.sharpness, 4),
            blur=measures.blur(frames[1]),
            gt_phash=measures.perceptual_hash(frames[1]),
            **measured,
        ),
        files=tuple(files),
    )


def _columns(files: list[FileRecord]) -> dict[str, str]:
    columns = {}
    for file in files:
        picture = PurePosixPath(file.name).stem
        columns[f"{picture}_file_name"] = f"0000/{picture}.png"
        columns[f"{picture}_sha256"] = file.sha256
    return columns


def _camera(settings: BuildSettings, sha256: str, place: int) -> Camera | None:
    options = settings.camera
    return None if options is None else scene_camera(options, settings.seed, sha256, place)


def _exposure_columns(settings: BuildSettings, camera: Camera | None) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if settings.track != "camera":
        columns |= {"evs": settings.evs, "response": settings.response_record}
    if camera is not None:
        columns |= camera_columns(camera, alone=settings.track == "camera")
    return columns


def _pictures(
    frames: Frames, settings: BuildSettings, camera: Camera | None
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Name and pixels of each; one after the other, so that few are in memory at a time."""
    if camera is not None and settings.track == "camera":
        yield from zip(PICTURES, (*camera_bracket(frames, camera), frames[1]), strict=True)
        return
    bracket = synthesise_bracket(frames, settings.evs, settings.response)
    yield from zip(PICTURES, (*bracket, frames[1]), strict=True)
    if camera is not None:
        for place, (picture, frame) in enumerate(zip(CAMERA_PICTURES, frames, strict=True)):
            yield picture, camera_exposure(frame, camera, place)
    if settings.all_exposures:
        exposures = dict(zip(("low", "mid", "high"), settings.evs, strict=True))
        for number, (frame, done) in enumerate(zip(frames, exposures, strict=True), 1):
            for exposure, ev in exposures.items():
                if exposure != done:
                    yield f"frame{number}_{exposure}", expose(frame, ev, settings.response)
