"""Write frames as a video, through ffmpeg: H.264, HEVC or lossless FFV1 by the file's name."""

import contextlib
import os
import signal
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dmef_bench.atomic_write import explained, fsync_folder
from dmef_bench.errors import MissingError, UsageError
from dmef_bench.video.extract import Frame
from dmef_bench.video.ffmpeg import SCALER_FLAGS, ffmpeg_executable

_BT709: Final = (
    "-vf", f"scale=flags={SCALER_FLAGS}:out_color_matrix=bt709:out_range=limited",
    "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
    "-color_range", "tv", "-pix_fmt", "yuv420p",
)  # fmt: skip
_KINDS: Final[dict[str, tuple[str, ...]]] = {
    ".mp4": ("-c:v", "libx264", "-crf", "16", *_BT709, "-movflags", "+faststart", "-f", "mp4"),
    ".mov": (
        "-c:v", "libx265", "-crf", "18", "-tag:v", "hvc1", "-x265-params", "log-level=none",
        *_BT709, "-f", "mov",
    ),
    ".mkv": ("-c:v", "ffv1", "-level", "3", "-slicecrc", "1", "-pix_fmt", "bgr0", "-f", "matroska"),
}  # fmt: skip
VIDEO_SUFFIXES: Final = tuple(_KINDS)
_LOSSLESS: Final = ".mkv"
_TIME_LIMIT: Final = 600.0
_TOLD: Final = 300


class VideoWriter:
    """A video that appears under its name when it is whole; a context manager.

    Args:
        path: .mp4 (H.264), .mov (HEVC) or .mkv (FFV1, lossless).
        height: of the frames; even, but for FFV1.
        width: likewise.
        rate: frames a second.

    Raises:
        UsageError: another name, or an odd size where the codec takes none.
    """

    def __init__(self, path: Path, height: int, width: int, rate: Fraction) -> None:
        kind = path.suffix.lower()
        if kind not in _KINDS:
            raise UsageError(f"{path}: a video's name ends with {', '.join(VIDEO_SUFFIXES)}")
        if kind != _LOSSLESS and (height % 2 or width % 2):
            raise UsageError(
                f"{path}: {kind} videos need even sizes and these frames are {width}×{height}; "
                "write a .mkv or a folder of pictures"
            )
        self._path, self._size, self._rate, self._kind = path, (width, height), rate, kind

    def __enter__(self) -> Self:
        with explained(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(
                prefix=f".{self._path.name}.", suffix=".tmp", dir=self._path.parent
            )
            os.close(descriptor)
        self._temporary = Path(name)
        self._told = tempfile.TemporaryFile()
        arguments = [
            ffmpeg_executable(), "-hide_banner", "-nostats", "-loglevel", "error", "-y",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "{}x{}".format(*self._size),
            "-r", f"{self._rate.numerator}/{self._rate.denominator}", "-i", "pipe:0",
            *_KINDS[self._kind], f"file:{self._temporary.resolve()}",
        ]  # fmt: skip
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._told,
                env={"LC_ALL": "C"},
                start_new_session=True,
            )
        except OSError as error:
            self._temporary.unlink(missing_ok=True)
            raise MissingError(f"{arguments[0]}: ffmpeg can't be run ({error.strerror})") from error
        return self

    def write(self, frame: Frame) -> None:
        """Add a frame, (H, W, 3) uint8 RGB.

        Raises:
            MissingError: ffmpeg gave up: the disk is full, or it lacks the encoder.
        """
        if self._process.stdin is None:
            raise RuntimeError("the process has no pipe")
        try:
            self._process.stdin.write(frame.data)
        except OSError:  # it has ended, and its own words say why
            raise self._failed() from None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                if self._process.stdin is not None:
                    self._process.stdin.close()
            self._process.wait()
            self._told.close()
            self._temporary.unlink(missing_ok=True)

    def _finish(self) -> None:
        try:
            self._process.communicate(timeout=_TIME_LIMIT)
        except subprocess.TimeoutExpired:
            raise MissingError(f"{self._path}: ffmpeg did not finish it") from None
        if self._process.returncode:
            raise self._failed()
        with explained(self._path):
            with self._temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            self._temporary.chmod(0o644)
            self._temporary.replace(self._path)
            fsync_folder(self._path.parent)

    def _failed(self) -> MissingError:
        self._told.seek(0)
        said = " ".join(self._told.read().decode("utf-8", "replace").split())[:_TOLD]
        return MissingError(f"{self._path}: ffmpeg can't write it ({said or 'it said nothing'})")
