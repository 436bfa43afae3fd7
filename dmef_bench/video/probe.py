"""Look at a file and say what video it is, or why it is none."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.video.clip import Clip, has_alpha
from dmef_bench.video.colour import resolve_colour
from dmef_bench.video.container import Demuxer, recognise
from dmef_bench.video.decode import Decoded, decode
from dmef_bench.video.ffmpeg import DECODERS, check_pixels, command, run_ffmpeg
from dmef_bench.video.orientation import find_orientation
from dmef_bench.video.rejected import Rejected
from dmef_bench.video.showinfo import NO_PTS
from dmef_bench.video.supervised import Limits

# An hour at 60 frames a second; what comes later is not looked at.
MAX_FRAMES = 216_000
_BYTES_A_ROW = 200
_FRAMES_DECODED = 3
_FIRST: Final[tuple[Literal["first", "keyframes"], ...]] = ("first", "keyframes")
# A packet of these is a frame, whatever the container.
_FRAME_A_PACKET = frozenset({"h264", "hevc", "prores", "mpeg4", "mjpeg", "dnxhd", "ffv1"})
_DISCARDED = 0x4  # AV_PKT_FLAG_DISCARD: before or after what an edit list shows


def probe(path: Path) -> Clip:
    """Everything that decides whether and how a video is used, from its first decoded frame.

    The whole file is read twice, for its hash and for the times of its packets, neither of which
    decodes anything.

    Raises:
        Rejected: it is no video that can be used; the code says why.
        MissingError: ffmpeg can't be run.
    """
    demuxer = recognise(path)
    packets = _list_packets(path, demuxer)
    if packets.codec not in DECODERS:
        raise Rejected(
            "unsupported-codec",
            f"its codec is {packets.codec}; accepted are {', '.join(sorted(DECODERS))}",
        )
    check_pixels(packets.width, packets.height)
    if not packets.shown:
        raise Rejected("no-video-stream", "its video stream holds no frames")
    decoded = _decode_first(path, demuxer)
    if not decoded.infos:
        raise Rejected("no-video-stream", "its video stream holds no frame that can be decoded")
    first = decoded.infos[0]
    check_pixels(first.width, first.height)
    tags = _stream_tags(path, demuxer)
    return Clip(
        path=path,
        demuxer=demuxer,
        sha256=sha256_of_file(path),
        coded_width=first.width,
        coded_height=first.height,
        orientation=find_orientation(path, demuxer, first, tags),
        codec=packets.codec,
        pixel_format=first.pixel_format,
        colour=resolve_colour(first),
        sample_aspect=first.sample_aspect,
        interlaced=any(info.interlaced for info in decoded.infos),
        dolby_vision=any(info.dolby_vision for info in decoded.infos),
        # VP8 and VP9 keep it in a stream of its own, which ffmpeg's own decoders leave out.
        has_alpha=has_alpha(first.pixel_format) or tags.get("alpha_mode") == "1",
        time_base=decoded.time_base,
        container_ticks=packets.shown,
        keyframe_ticks=packets.keyframes,
        decoding_ticks=packets.given,
    )


def _decode_first(path: Path, demuxer: Demuxer) -> Decoded:
    """The first keyframe, else, as where no frame is marked as one, the first few frames.

    Before ffmpeg notices that no more is wanted, it has decoded several frames ahead, so that it
    is given no more than the first packet, unless that is no keyframe or, without those behind
    it, no picture. An ffmpeg before 7 can't be told so and decodes keyframes ahead.
    """
    for packets in _FIRST:
        try:
            decoded = decode(path, demuxer, (), count=1, threads=1, packets=packets)
            if decoded.infos:
                return decoded
        except Rejected as rejected:
            if rejected.code == "time-limit":
                raise
    return decode(path, demuxer, (), count=_FRAMES_DECODED, threads=1)


@dataclass(frozen=True)
class _Packets:
    codec: str
    width: int
    height: int
    shown: tuple[int, ...]
    keyframes: tuple[int, ...]
    given: tuple[int, ...]


def _list_packets(path: Path, demuxer: Demuxer) -> _Packets:
    """Codec, stated size and times of the packets, through ffmpeg's framecrc output."""
    arguments = command(
        demuxer,
        before={},
        after={"c": "copy", "f": "framecrc", "frames:v": MAX_FRAMES},
        log_level="error",
    )
    seconds = 120 + path.stat().st_size / 10e6
    limits = Limits(seconds=seconds, stdout=MAX_FRAMES * _BYTES_A_ROW)
    listing = str(run_ffmpeg(arguments, path, limits).stdout, "ascii", "replace")
    codec = re.search(r"^#codec_id 0: (\w+)$", listing, re.MULTILINE)
    size = re.search(r"^#dimensions 0: (\d+)x(\d+)$", listing, re.MULTILINE)
    if codec is None or size is None:
        raise Rejected("unreadable", "ffmpeg can't tell the codec or the size of its video")
    # stream, dts, pts, duration, size, crc[, F=flags where it is no plain keyframe][, ...]
    rows = re.findall(
        r"^0, *(-?\d+), *(-?\d+), *\d+, *\d+, 0x[0-9a-f]{8}(?:, F=0x([0-9A-Fa-f]+))?",
        listing,
        re.MULTILINE,
    )
    # AVI states no presentation times; its decoding times serve for lengths and seeking.
    shown = {
        int(dts) if int(pts) == NO_PTS else int(pts): (int(dts), int(flags or "1", 16))
        for dts, pts, flags in rows
    }
    kept = sorted(ticks for ticks, (_, flags) in shown.items() if not flags & _DISCARDED)
    timed = all(str(NO_PTS) not in row for row in rows)
    return _Packets(
        codec=codec[1],
        width=int(size[1]),
        height=int(size[2]),
        shown=tuple(kept),
        keyframes=tuple(ticks for ticks in kept if shown[ticks][1] & 1),
        given=tuple(shown[ticks][0] for ticks in kept)
        if timed and codec[1] in _FRAME_A_PACKET
        else (),
    )


def _stream_tags(path: Path, demuxer: Demuxer) -> dict[str, str]:
    """The tags of the video stream, names in lower case, through ffmpeg's ffmetadata output."""
    arguments = command(
        demuxer,
        before={},
        after={"c": "copy", "f": "ffmetadata", "frames:v": 1, "map_metadata:s:0": "0:s:V:0"},
        log_level="error",
    )
    limits = Limits(seconds=60, stdout=16 << 20)
    text = str(run_ffmpeg(arguments, path, limits).stdout, "utf-8", "replace")
    tags = {}
    stream = re.split(r"(?<!\\)\n\[STREAM\]\n", text)[1:2]
    for line in re.split(r"(?<!\\)\n", stream[0] if stream else ""):
        name, found, value = line.partition("=")
        if found:
            tags[name.lower()] = value
    return tags
