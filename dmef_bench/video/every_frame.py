"""All frames of a clip one after the other, as they are decoded: never more than one in memory."""

import os
import re
import select
import subprocess
import threading
import time
from collections.abc import Generator
from typing import IO, Final

import numpy as np

from dmef_bench.errors import MissingError
from dmef_bench.video.clip import Clip
from dmef_bench.video.colour import to_rgb
from dmef_bench.video.decode import TIME_LIMIT
from dmef_bench.video.extract import Frame
from dmef_bench.video.ffmpeg import command
from dmef_bench.video.orientation import orient
from dmef_bench.video.probe import MAX_FRAMES
from dmef_bench.video.rejected import Rejected
from dmef_bench.video.supervised import Limits, supervised_process

# Processor time a frame may take to decode and convert, many times what an 8K frame does.
_SECONDS_A_FRAME: Final = 10.0
_STDERR_KEPT: Final = 1 << 16


def every_frame(clip: Clip) -> Generator[Frame, None, None]:
    """Decode a clip from its beginning; ffmpeg waits while its last frame is being used.

    Yields:
        (H, W, 3) uint8 RGB in display orientation, each a new array.

    Raises:
        Rejected: "unreadable" where the file is damaged, after the frames before the damage;
            "time-limit" where no frame comes for too long.
        MissingError: ffmpeg can't be run.
    """
    arguments = command(
        clip.demuxer,
        before={"noautorotate": None},
        filters=to_rgb(clip.colour),
        after={"fps_mode": "passthrough", "frames:v": MAX_FRAMES, "f": "rawvideo"},
        log_level="error",
    )
    seconds = TIME_LIMIT + _SECONDS_A_FRAME * len(clip.container_ticks)
    shape = clip.coded_height, clip.coded_width, 3
    try:
        with supervised_process(arguments, clip.path, Limits(seconds, stdout=0)) as process:
            complaints = _Complaints(process.stderr)
            while (frame := _frame(process, shape)) is not None:
                yield orient(frame, clip.orientation)
            process.wait(TIME_LIMIT)
            said = complaints.text()
    except subprocess.TimeoutExpired:
        raise Rejected("time-limit", f"ffmpeg did not end within {TIME_LIMIT:g} s") from None
    except OSError as error:
        if error.filename == arguments[0]:
            raise MissingError(f"{arguments[0]}: ffmpeg can't be run ({error.strerror})") from error
        raise Rejected("unreadable", f"the file can't be read ({error.strerror})") from error
    if process.returncode:
        found = re.search(r"\[(?:error|fatal)\] (.*)", said)
        raise Rejected(
            "unreadable",
            "ffmpeg finds errors in it: the file is damaged",
            detail=found[1][:200] if found else f"exit status {process.returncode}",
        )


def _frame(process: "subprocess.Popen[bytes]", shape: tuple[int, int, int]) -> Frame | None:
    """The next frame; None at the end."""
    if process.stdout is None:
        raise RuntimeError("the process has no pipe")
    frame = np.empty(shape, np.uint8)
    missing = frame.data.cast("B")
    descriptor = process.stdout.fileno()
    waiter = select.poll()
    waiter.register(descriptor, select.POLLIN | select.POLLHUP)
    deadline = time.monotonic() + TIME_LIMIT
    while missing:
        if not waiter.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Rejected("time-limit", f"ffmpeg gave no frame within {TIME_LIMIT:g} s")
        count = os.readv(descriptor, [missing])
        if not count:
            # What is left of a frame is told by ffmpeg's exit status.
            return None
        missing = missing[count:]
    return frame


class _Complaints:
    """Reads a pipe to its end, so that nobody waits for it, and keeps the beginning."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        if pipe is None:
            raise RuntimeError("the process has no pipe")
        # One of its own: the pipe may be closed, and its number given away, during a read.
        self._descriptor, self._kept = os.dup(pipe.fileno()), bytearray()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with os.fdopen(self._descriptor, "rb", buffering=0) as pipe:
            while piece := pipe.read(1 << 16):
                if len(self._kept) < _STDERR_KEPT:
                    self._kept += piece

    def text(self) -> str:
        """What was kept, once the pipe has ended."""
        self._thread.join(TIME_LIMIT)
        return self._kept.decode("utf-8", "replace")
