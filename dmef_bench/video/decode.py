"""Decode a few frames of a file into bytes, with what showinfo says of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from dmef_bench.video.clip import Window
from dmef_bench.video.container import Demuxer
from dmef_bench.video.ffmpeg import Filter, command, new_token, run_ffmpeg
from dmef_bench.video.rejected import Rejected
from dmef_bench.video.showinfo import FrameInfo, frames, showinfo, time_base
from dmef_bench.video.supervised import Limits

# Minutes for what takes seconds: many workers may share few cores.
TIME_LIMIT = 600.0


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
    threads: int | None = None,
    keyframes: bool = False,
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
        threads: of the decoder and the filters; None for as many as serve a long run.
        keyframes: pass over all frames but those where decoding can start.
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
            | ({"skip_frame": "nokey"} if keyframes else {}),
            filters=chain,
            after=after,
            log_level="info",
            hold_after=hold_after,
            threads=threads,
        ),
        path,
        Limits(seconds=seconds, stdout=count * (bytes_each or 0), held=hold),
    )
    try:
        infos = frames(finished.stderr, token)[:count]
        numerator, denominator = time_base(finished.stderr, token)
    except ValueError as error:
        raise Rejected("unreadable", f"its frames can't be listed: {error}") from error
    if len({(info.width, info.height, info.pixel_format) for info in infos}) > 1:
        raise Rejected("unreadable", "its frames change size or pixel format on the way")
    pictures = _cut(memoryview(finished.stdout), bytes_each)
    if bytes_each is not None and len(pictures) != len(infos):
        raise Rejected(
            "unreadable", f"ffmpeg lists {len(infos)} frames and delivers {len(pictures)}"
        )
    copies = memoryview(finished.held)
    held = _cut(copies, len(copies) // len(infos)) if hold and infos else []
    if hold and len(held) != len(infos):
        raise Rejected("unreadable", f"ffmpeg lists {len(infos)} frames and holds {len(held)}")
    return Decoded(infos, pictures, Fraction(numerator, denominator), held)


def _before(window: Window, clock: Fraction | None) -> dict[str, Any]:
    if window.seek is None or clock is None:
        return {}
    # Half a tick late, so that rounding can't land on the keyframe before.
    seconds = (window.seek + Fraction(1, 2)) * clock
    return {"ss": f"{float(seconds):.6f}", "seek_timestamp": 1, "noaccurate_seek": None}


def _cut(data: memoryview, bytes_each: int | None) -> list[memoryview]:
    if bytes_each is None:
        return []
    if len(data) % bytes_each:
        raise Rejected("unreadable", "ffmpeg delivered a part of a frame")
    return [data[start : start + bytes_each] for start in range(0, len(data), bytes_each)]
