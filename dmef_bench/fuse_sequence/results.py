"""Where the fused pictures of a sequence go: numbered PNGs that can be resumed, or a video."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from dmef_bench.atomic_write import atomic_write
from dmef_bench.errors import UsageError
from dmef_bench.picture_files import Picture, encode_png
from dmef_bench.video.encode import VIDEO_SUFFIXES, VideoWriter

SETTINGS_FILE: Final = "fused-with.json"
_DIGITS: Final = 6


class Results(ABC):
    """Takes pictures by their number, in order; a context manager."""

    @abstractmethod
    def has(self, number: int) -> bool:
        """Whether an earlier run has finished this one."""

    @abstractmethod
    def write(self, number: int, picture: Picture) -> None:
        """Keep a picture, (H, W, 3) uint8 or uint16."""

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish, or after an error drop what can't be finished."""


class PictureFolder(Results):
    """PNGs named by their number, and a file with the settings they were made with.

    Args:
        folder: made where it is missing.
        settings: JSON values; what was made with others is not mixed with.
        resume: whether finished pictures are kept; otherwise they are made anew.
        overwrite: replace what was made with other settings.

    Raises:
        UsageError: the folder holds results of other settings, or other files.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, object], *, resume: bool, overwrite: bool
    ) -> None:
        self._folder = folder
        wanted = json.loads(json.dumps(dict(settings)))
        found = self._settings()
        if found != wanted and not overwrite:
            if found is not None:
                raise UsageError(
                    f"{folder} holds pictures fused with other settings ("
                    f"{_difference(found, wanted)}); take another folder or --overwrite"
                )
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise UsageError(
                    f"{folder} holds files that fuse did not write; take another folder"
                )
        if found is not None and (found != wanted or not resume):
            for path in self._finished():
                path.unlink()
        text = json.dumps(wanted, indent=2, sort_keys=True) + "\n"
        atomic_write(folder / SETTINGS_FILE, text.encode())

    def has(self, number: int) -> bool:
        """Whether the picture is there; it is only ever written whole."""
        return self._path(number).is_file()

    def write(self, number: int, picture: Picture) -> None:
        """Write a PNG of the picture's own bits."""
        atomic_write(self._path(number), encode_png(picture))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Every picture was whole when it was written."""

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:0{_DIGITS}d}.png"

    def _finished(self) -> list[Path]:
        return [
            path
            for path in self._folder.glob("*.png")
            if path.stem.isdecimal() and len(path.stem) >= _DIGITS
        ]

    def _settings(self) -> dict[str, object] | None:
        try:
            read = json.loads((self._folder / SETTINGS_FILE).read_text(encoding="utf-8"))
        except OSError:
            return None
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}


class VideoFile(Results):
    """A video that appears when it is whole; it can't be resumed.

    Args:
        path: .mp4, .mov or .mkv.
        rate: pictures a second.
    """

    def __init__(self, path: Path, rate: Fraction) -> None:
        self._path, self._rate = path, rate
        self._writer: VideoWriter | None = None

    def has(self, number: int) -> bool:
        """No: a video is written as one."""
        return False

    def write(self, number: int, picture: Picture) -> None:
        """Add a picture, rounded to 8 bit."""
        if self._writer is None:
            height, width = picture.shape[:2]
            self._writer = VideoWriter(self._path, height, width, self._rate).__enter__()
        if picture.dtype == np.uint16:
            self._writer.write(np.rint(picture / 257.0).astype(np.uint8))
        else:
            self._writer.write(np.ascontiguousarray(picture, np.uint8))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the video, or drop it after an error."""
        if self._writer is not None:
            self._writer.__exit__(kind, error, traceback)


def open_results(
    output: Path, settings: Mapping[str, object], rate: Fraction, *, resume: bool, overwrite: bool
) -> Results:
    """A video for a video's name, otherwise a folder.

    Raises:
        UsageError: a name of one picture, or a folder with other things in it.
    """
    suffix = output.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return VideoFile(output, rate)
    if suffix in {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy", ".avi", ".webm"}:
        raise UsageError(
            f"{output}: a sequence becomes a folder of PNGs, or a video named "
            f"{', '.join(VIDEO_SUFFIXES)}"
        )
    return PictureFolder(output, settings, resume=resume, overwrite=overwrite)


def _difference(found: Mapping[str, object], wanted: Mapping[str, object]) -> str:
    names = [name for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
    return ", ".join(f"{n}: {found.get(n)!r} and now {wanted.get(n)!r}" for n in names[:3])
