"""Decode a few frames of a file into bytes, with what showinfo says of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal

from dmef_bench.video.clip import Window
from dmef_bench.video.container import Demuxer
from dmef_bench.video.ffmpeg import BARE, Filter, command, new_token, run_ffmpeg
from dmef_bench.video.rejected import Rejected
from dmef_bench.video.room import Room
from dmef_bench.video.showinfo import FrameInfo, frames, showinfo, time_base
from dmef_bench.video.supervised import Limits

# Minutes for what takes seconds: many workers may share few cores.
TIME_LIMIT = 600.0
# Longer than the line before all frames.
_LINE: Final = 1 << 10
# Of a file's packets, those that the decoder is given, as options before the input.
_PACKETS: Final[dict[str, dict[str, Any]]] = {
    "all": {},
    "keyframes": {"skip_frame": "nokey"},
    # The bitstream filter drops every packet whose number isn't 0 before it is decoded.
    # Deblocking changes nothing but samples, which nobody looks at.
    "first": {"skip_frame": "nokey", "bsf:v": "noise=drop=n", "skip_loop_filter": "all"},
}


@dataclass(frozen=True)
class Decoded:
    """Frames in order of presentation.

    Attributes:
        infos: one a frame, from before any filter.
        pictures: the frames' samples one after the other, all of the same number of bytes.
        time_base: seconds a tick.
        held: the frames as they were decoded, where they were to be held; else empty.
    """

    infos: list[FrameInfo]
    pictures: list[memoryview]
    time_base: Fraction
    held: list[memoryview] = field(default_factory=list)


def decode(
    path: Path,
    demuxer: Demuxer,
    filters: Sequence[Filter],
    *,
    count: int,
    bytes_each: int | None = None,
    window: Window = Window(),  # noqa: B008 - frozen
    clock: Fraction | None = None,
    select: str | None = None,
    autorotate: bool = False,
    hold: int = 0,
    hold_as: str = BARE,
    room: Room | None = None,
    threads: int | None = None,
    packets: Literal["all", "keyframes", "first"] = "all",
    seconds: float = TIME_LIMIT,
) -> Decoded:
    """Decode up to `count` frames and convert each with `filters`.

    Args:
        path: the video.
        demuxer: of it.
        filters: from the decoded frame to the wanted picture.
        count: the most frames that are delivered.
        bytes_each: size of a converted frame; None where no pictures are wanted.
        window: where to decode.
        clock: seconds a tick, needed where the window has a `seek`.
        select: ffmpeg expression a frame must fulfil.
        autorotate: let ffmpeg turn the frames by their display matrix.
        hold: also deliver the frames before `filters`, of which there are filters then, in up to
            so many bytes; 0 for none.
        hold_as: `BARE` or `WITH_HEADERS`, what ffmpeg holds them as.
        room: where to hold them; None for memory of their own.
        threads: of the decoder and the filters; None for as many as serve a long run.
        packets: what is decoded of the stream: all of it, its keyframes, or the very first packet
            if it is one.
        seconds: time limit.

    Raises:
        Rejected: the file can't be decoded so far without an error, or its frames change size.
        MissingError: ffmpeg can't be run.
    """
    token = new_token()
    conditions = [] if window.start is None else [f"gte(pts,{window.start})"]
    if select is not None:
        conditions.append(f"({select})")
    chain = [Filter("select", {"expr": "*".join(conditions)})] if conditions else []
    chain.append(showinfo(token))
    hold_after = len(chain) if hold else None
    chain += filters
    after: dict[str, Any] = {"fps_mode": "passthrough", "frames:v": count}
    after |= {"f": "null"} if bytes_each is None else {"f": "rawvideo"}
    finished = run_ffmpeg(
        command(
            demuxer,
            before=_before(window, clock)
            | ({} if autorotate else {"noautorotate": None})
            | _PACKETS[packets],
            filters=chain,
            after=after,
            log_level="info",
            hold_after=hold_after,
            hold_as=hold_as,
            threads=threads,
        ),
        path,
        Limits(seconds=seconds, stdout=count * (bytes_each or 0), held=hold),
        room,
    )
    try:
        infos = frames(finished.stderr, token)[:count]
        numerator, denominator = time_base(finished.stderr, token)
    except ValueError as error:
        raise Rejected("unreadable", f"its frames can't be listed: {error}") from error
    if len({(info.width, info.height, info.pixel_format) for info in infos}) > 1:
        raise Rejected("unreadable", "its frames change size or pixel format on the way")
    pictures = _cut(finished.stdout, bytes_each)
    if bytes_each is not None and len(pictures) != len(infos):
        raise Rejected(
            "unreadable", f"ffmpeg lists {len(infos)} frames and delivers {len(pictures)}"
        )
    held = cut_held(finished.held, len(infos), bare=hold_as == BARE) if hold else []
    if hold and len(held) != len(infos):
        raise Rejected("unreadable", f"ffmpeg lists {len(infos)} frames and holds {len(held)}")
    return Decoded(infos, pictures, Fraction(numerator, denominator), held)


def _before(window: Window, clock: Fraction | None) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if window.seek is not None and clock is not None:
        # Half a tick late, so that rounding can't land on the keyframe before.
        seconds = (window.seek + Fraction(1, 2)) * clock
        options = {"ss": f"{float(seconds):.6f}", "seek_timestamp": 1, "noaccurate_seek": None}
    if window.last is not None:
        # Before ffmpeg notices that it has enough, it would decode a few frames more.
        options["bsf:v"] = f"noise=drop=gt(dts\\,{window.last})"
    return options


def cut_held(data: memoryview, count: int, *, bare: bool) -> list[memoryview]:
    """The samples of each of `count` frames, without what stands before them."""
    if not count or len(data) < count:
        return []
    # One line before all frames, and a line of one word before each.
    before, mark = (0, b"") if bare else (bytes(data[:_LINE]).find(b"\n") + 1, b"FRAME\n")
    frames = _cut(data[before:], (len(data) - before) // count)
    if any(frame[: len(mark)] != mark for frame in frames):
        raise Rejected("unreadable", "its frames change size on the way")
    return [frame[len(mark) :] for frame in frames]


def _cut(data: memoryview, bytes_each: int | None) -> list[memoryview]:
    if bytes_each is None:
        return []
    if len(data) % bytes_each:
        raise Rejected("unreadable", "ffmpeg delivered a part of a frame")
    return [data[start : start + bytes_each] for start in range(0, len(data), bytes_each)]
