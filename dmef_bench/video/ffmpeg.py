"""The ffmpeg this package runs: which one, with which flags, and how its failures are told.

Command lines are composed with ffmpeg-python and run by `supervised`.
"""

import functools
import re
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg

from dmef_bench.errors import MissingError
from dmef_bench.video.container import Demuxer
from dmef_bench.video.rejected import Rejected
from dmef_bench.video.room import Room
from dmef_bench.video.supervised import Finished, LimitReachedError, Limits, run_supervised

# 8192×8192 covers 8K in either orientation.
MAX_PIXELS = 1 << 26
SCALER_FLAGS = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
DECODERS = {
    "h264": "h264",
    "hevc": "hevc",
    "vp8": "vp8",
    "vp9": "vp9",
    "av1": "libdav1d",
    "mpeg4": "mpeg4",
    "mpeg2video": "mpeg2video",
    "prores": "prores",
    "mjpeg": "mjpeg",
    "dnxhd": "dnxhd",
    "ffv1": "ffv1",
}
# What a dataset records beside ffmpeg's build: everything that could change a pixel.
FFMPEG_FLAGS = (
    "-noautorotate",
    "-copyts",
    "-fps_mode passthrough",
    "-xerror",
    f"scale=flags={SCALER_FLAGS}:out_range=full:sws_dither=none",
)
# Muxers for frames in a file: their samples alone, of any pixel format; or with a few words before
# each, which copies them once less, for what `takes_headers` names.
BARE, WITH_HEADERS = "rawvideo", "yuv4mpegpipe"
# Of a decoder; what more of them gain, their memory and the frames decoded ahead cost.
MOST_THREADS = 4
_GLOBAL = ("-nostdin", "-hide_banner", "-nostats", "-xerror", "-abort_on", "empty_output")


@dataclass(frozen=True)
class Filter:
    """One filter of a chain with its arguments by name."""

    name: str
    arguments: dict[str, str | int]

    def __str__(self) -> str:
        """As on ffmpeg's command line."""
        return f"{self.name}=" + ":".join(f"{key}={value}" for key, value in self.arguments.items())


@functools.cache
def ffmpeg_executable() -> str:
    """Path of ffmpeg: $IMAGEIO_FFMPEG_EXE, else the build that comes with imageio-ffmpeg.

    Raises:
        MissingError: there is none.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MissingError(
            "no ffmpeg was found; reinstall the package imageio-ffmpeg or set IMAGEIO_FFMPEG_EXE"
        ) from error


@functools.cache
def ffmpeg_version() -> str:
    """The build, as `ffmpeg -version` names it ("n7.1", say).

    Raises:
        MissingError: ffmpeg is missing or can't be run.
    """
    executable = ffmpeg_executable()
    try:
        answer = subprocess.run(
            [executable, "-version"], capture_output=True, text=True, timeout=60, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(f"{executable}: this ffmpeg can't be run ({error})") from error
    return answer.split()[2]


def input_options(demuxer: Demuxer) -> dict[str, Any]:
    """Options before `-i`: nothing but this one open file, this demuxer and known decoders.

    The only protocol is `fd`, an open descriptor: even a demuxer that follows references can open
    no second file and no address.
    """
    return {
        "protocol_whitelist": "fd",
        "format_whitelist": demuxer,
        "codec_whitelist": ",".join(DECODERS.values()),
        "max_pixels": MAX_PIXELS,
        "threads": MOST_THREADS,
        "copyts": None,
        "f": demuxer,
        "fd": "{fd}",
        # Its header says enough; looking for more decodes several frames in every run.
        **({"nofind_stream_info": None} if demuxer == "mov" else {}),
    }


def command(
    demuxer: Demuxer,
    *,
    before: dict[str, Any],
    filters: Sequence[Filter] = (),
    after: dict[str, Any],
    log_level: str,
    hold_after: int | None = None,
    hold_as: str = BARE,
    threads: int | None = None,
) -> list[str]:
    """The argument list: the first real video stream, through `filters`, to standard output.

    Args:
        demuxer: of the input.
        before: further options of the input.
        filters: chain between input and output; none copies the stream's packets.
        after: options of the output.
        log_level: of ffmpeg.
        hold_after: after so many of the filters, a copy of every frame also goes to the second
            output of `supervised`, as it is.
        hold_as: `BARE` or `WITH_HEADERS`, what that output is.
        threads: of the decoder and, each for itself, of the filters; None for the usual number.
    """
    # A capital V leaves out cover pictures.
    decoder = {} if threads is None else {"threads": threads}
    stream = ffmpeg.input("fd:", **input_options(demuxer) | before | decoder)["V:0"]
    held = None
    for place, each in enumerate(filters):
        if place == hold_after:
            stream, held = (stream.split()[branch] for branch in (0, 1))
        stream = stream.filter(each.name, **each.arguments)
    output = stream.output("pipe:1", map_metadata=-1, map_chapters=-1, **after)
    if held is not None:
        if hold_as == WITH_HEADERS:
            # It counts in frames of one length and refuses two at once; these are a day apart.
            held = held.filter("settb", expr=1).filter("setpts", expr="N*86400")
        # More than 8 bit in this format is ffmpeg's own invention, to be asked for.
        options = after | {"f": hold_as, "strict": -1, "fd": "{held}"}
        copies = held.output("fd:", map_metadata=-1, map_chapters=-1, **options)
        output = ffmpeg.merge_outputs(output, copies)
    if threads is not None:
        output = output.global_args("-filter_complex_threads", threads)
    return _compiled(output, log_level)


def takes_headers(pixel_format: str) -> bool:
    """Whether frames of an ffmpeg pixel format can be held as `WITH_HEADERS`."""
    return re.fullmatch(r"yuv4(20|22|44)p((10|12)le)?", pixel_format) is not None


def raw_command(pixel_format: str, width: int, height: int, filters: Sequence[Filter]) -> list[str]:
    """The argument list that converts bare frames, one after the other in a file, to bare frames.

    Args:
        pixel_format: of the file, in ffmpeg's names; width and height likewise.
        width: in pixels.
        height: in pixels.
        filters: what is done to each.
    """
    options = {
        "protocol_whitelist": "fd",
        "format_whitelist": "rawvideo",
        "codec_whitelist": "rawvideo",
        "pixel_format": pixel_format,
        "video_size": (width, height),
        "f": "rawvideo",
        "fd": "{fd}",
    }
    stream = ffmpeg.input("fd:", **options)["v:0"]
    for each in filters:
        stream = stream.filter(each.name, **each.arguments)
    return _compiled(stream.output("pipe:1", fps_mode="passthrough", f="rawvideo"), "error")


def _compiled(output: Any, log_level: str) -> list[str]:  # noqa: ANN401 - ffmpeg-python has no types
    start = [ffmpeg_executable(), *_GLOBAL, "-loglevel", f"repeat+level+{log_level}"]
    return [str(argument) for argument in output.compile(cmd=start)]


def run_ffmpeg(
    arguments: Sequence[str], path: Path, limits: Limits, room: Room | None = None
) -> Finished:
    """Run an argument list made by `command` on the file at `path`, as `run_supervised` does.

    Raises:
        Rejected: "time-limit", "no-video-stream", "too-large" or "unreadable".
        MissingError: ffmpeg can't be run.
    """
    try:
        finished = run_supervised(arguments, path, limits, room)
    except LimitReachedError as error:
        raise Rejected("time-limit", f"ffmpeg was stopped: {error}") from None
    except OSError as error:
        if error.filename == arguments[0]:
            raise MissingError(f"{arguments[0]}: ffmpeg can't be run ({error.strerror})") from error
        raise Rejected("unreadable", f"the file can't be read ({error.strerror})") from error
    if finished.status == 0:
        return finished
    if "matches no streams" in finished.stderr:
        raise Rejected("no-video-stream", "the file holds no video stream")
    for width, height in re.findall(r"Picture size (\d+)x(\d+) ", finished.stderr):
        check_pixels(int(width), int(height))
    raise Rejected(
        "unreadable",
        "ffmpeg finds errors in it: the file is damaged, or no video of the kind it claims to be",
        detail=_complaint(finished),
    )


def check_pixels(width: int, height: int) -> None:
    """Refuse pictures too large to decode safely.

    Raises:
        Rejected: "too-large".
    """
    if width * height > MAX_PIXELS:
        raise Rejected(
            "too-large",
            f"its header says {width}×{height}, more than {MAX_PIXELS:,} pixels; "
            "it was not decoded",
        )


def _complaint(finished: Finished) -> str:
    if finished.status < 0:
        return f"ended by signal {-finished.status}"
    found = re.search(r"@ 0x[0-9a-f]+\] \[(?:error|fatal)\] (.*)", finished.stderr)
    return found[1][:200] if found else f"exit status {finished.status}"


def new_token() -> str:
    """A word that no file can hold by chance or intent, to tell our filter's lines apart."""
    return secrets.token_hex(8)
