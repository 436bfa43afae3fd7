"""Frames of a sequence by their number, from a folder of pictures or a video."""

import hashlib
import re
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.picture_files import Picture, read_picture
from dmef_bench.video import Rejected, Rules, accept, probe, shown_name
from dmef_bench.video.every_frame import every_frame

PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
_FOLDER_RATE: Final = Fraction(30)
_KEPT: Final = 3


class Frames(ABC):
    """A sequence; a context manager that lets go of its file.

    Attributes:
        path: of the folder or video.
        count: frames there are; for a video an estimate until its end was met.
        rate: frames a second.
        identity: changes where the frames do.
    """

    path: Path
    count: int
    rate: Fraction
    identity: str

    @abstractmethod
    def has(self, number: int) -> bool:
        """Whether there is a frame of that number.

        Raises:
            IntegrityError: the video is damaged before it.
        """

    @abstractmethod
    def read(self, number: int) -> Picture:
        """A frame, (H, W, 3) uint8 or uint16.

        Args:
            number: that of a frame there is, at most two less than the highest one asked for.

        Raises:
            UsageError: its size differs from the first frame's.
            IntegrityError: it can't be decoded.
        """

    @abstractmethod
    def name(self, number: int) -> Path:
        """What to call a frame in a message."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of what is open."""


class FolderFrames(Frames):
    """The pictures of a folder in the order of their names, numbers in them by their value.

    Args:
        folder: PNG, JPEG or TIFF files; others, and hidden ones, are passed over.

    Attributes:
        paths: of the pictures.

    Raises:
        UsageError: fewer than three pictures, or two with the same name and number.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self.rate = folder, _FOLDER_RATE
        self.paths: Sequence[Path] = sorted(
            (
                path
                for path in folder.iterdir()
                if path.suffix.lower() in PICTURE_SUFFIXES
                and not path.name.startswith(".")
                and path.is_file()
            ),
            key=_natural,
        )
        self.count = len(self.paths)
        for path, other in pairwise(self.paths):
            if _numbered(path) == _numbered(other):
                raise UsageError(
                    f"{path} and {other} have the same place in the sequence; keep one of them"
                )
        if self.count < _KEPT:
            raise UsageError(
                f"{folder}: {self.count} pictures; three exposures or more are needed "
                f"({', '.join(sorted(PICTURE_SUFFIXES))})"
            )
        listing = hashlib.sha256()
        for path in self.paths:
            facts = path.stat()
            listing.update(f"{path.name}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
        self.identity = listing.hexdigest()
        self._kept = _Recent(lambda number: read_picture(self.paths[number]))
        self._size: tuple[int, ...] | None = None

    def has(self, number: int) -> bool:
        """Whether there are that many pictures."""
        return number < self.count

    def read(self, number: int) -> Picture:
        """Read a picture, or give it again."""
        picture = self._kept(number)
        self._size = self._size or picture.shape
        if picture.shape != self._size:
            raise UsageError(
                f"{self.paths[number]} is {picture.shape[1]}×{picture.shape[0]} and the pictures "
                f"before it are {self._size[1]}×{self._size[0]}; a sequence needs one size"
            )
        return picture

    def name(self, number: int) -> Path:
        """The picture's own name."""
        return self.paths[number]

    def close(self) -> None:
        """Forget the last pictures."""
        self._kept.clear()


class VideoFrames(Frames):
    """The frames of a video in order, through the supervised ffmpeg.

    Args:
        path: of the video.

    Raises:
        IntegrityError: it is none, or none that can be read safely and rightly.
        MissingError: ffmpeg can't be run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            clip = probe(path)
            accept(clip, Rules(min_height=1, hdr="tonemap"))
        except Rejected as rejected:
            raise self._unusable(rejected) from rejected
        self.count, self.identity = len(clip.container_ticks), clip.sha256
        times = clip.presentation_times
        # Cameras' clocks count in 1/90000 s or 1/1000 s, so that a rate is known that well only.
        self.rate = Fraction((len(times) - 1) / (times[-1] - times[0])).limit_denominator(1001)
        self._decoding = every_frame(clip)
        self._next = 0
        self._kept: OrderedDict[int, Picture] = OrderedDict()

    def has(self, number: int) -> bool:
        """Whether the video goes on that far; it is decoded up to there."""
        while self._next <= number:
            try:
                frame = next(self._decoding, None)
            except Rejected as rejected:
                raise self._unusable(rejected) from rejected
            if frame is None:
                self.count = self._next
                return False
            self._kept[self._next] = frame
            self._next += 1
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return True

    def read(self, number: int) -> Picture:
        """One of the last three frames that were decoded."""
        return self._kept[number]

    def name(self, number: int) -> Path:
        """The video's name with the frame's number."""
        return Path(f"{self.path} frame {number}")

    def _unusable(self, rejected: Rejected) -> IntegrityError:
        return IntegrityError(f"{shown_name(self.path)}: {rejected}")

    def close(self) -> None:
        """End the decoding."""
        self._decoding.close()


class _Recent:
    """The last few pictures that were read."""

    def __init__(self, read: Callable[[int], Picture]) -> None:
        self._read = read
        self._kept: OrderedDict[int, Picture] = OrderedDict()

    def __call__(self, number: int) -> Picture:
        if number not in self._kept:
            self._kept[number] = self._read(number)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[number]

    def clear(self) -> None:
        self._kept.clear()


def open_frames(path: Path) -> Frames:
    """The sequence in a folder or a video file.

    Raises:
        UsageError: there is nothing, or too few pictures.
        IntegrityError: the file is no video that can be used.
    """
    if path.is_dir():
        return FolderFrames(path)
    if not path.is_file():
        raise UsageError(
            f"{path}: there is no such folder or video; fuse takes three pictures, or one folder "
            "or video of alternating exposures"
        )
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise UsageError(f"{path} is one picture; fuse takes three: LOW MID HIGH")
    return VideoFrames(path)


def _natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sorting key in which 9 comes before 10."""
    return _numbered(path), path.name


def _numbered(path: Path) -> list[tuple[int, int, str]]:
    """A name without its suffix, in which 9 and 09 are the same."""
    return [
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part)
        for part in re.split(r"([0-9]{1,18})", path.stem)
        if part
    ]
