"""Decode a window of a clip once, small and grey, and measure what the choice of frames needs."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate

import cv2
import numpy as np
from numpy.typing import NDArray

from dmef_bench.video.clip import Clip, Window
from dmef_bench.video.cuts import MOST_GAIN, moments
from dmef_bench.video.decode import Decoded, decode
from dmef_bench.video.ffmpeg import BARE, WITH_HEADERS, Filter, takes_headers
from dmef_bench.video.held import Held, RawFrame, most_bytes
from dmef_bench.video.rejected import Rejected
from dmef_bench.video.room import Room
from dmef_bench.video.showinfo import NO_PTS

# 72 frames of 4K H.264 decode in seconds on two cores.
WINDOW_FRAMES = 72
# A quarter of 4K: fine enough to see the blur of a moving camera, coarse enough to hide most of
# the difference between frames compressed well and badly.
SHARPNESS_SIDE = 960
MOTION_SIDE = 160
_NO_LATER = 1 << 63
# Containers may list a few packets that show no frame, as VP9 does.
_LEAST_DECODED = 0.75
_SCALER_FLAGS = "area+accurate_rnd+bitexact"


@dataclass(frozen=True)
class Analysis:
    """The frames of a window, n of them.

    Attributes:
        window: where they were decoded.
        clock: seconds a tick.
        ticks: (n,) int64 presentation times, rising.
        sharpness: (n,) variance of the Laplacian at `SHARPNESS_SIDE`, in squared 8-bit levels.
        thumbnails: (n, h, w) uint8 grey, the longer side `MOTION_SIDE` pixels.
        held: the frames themselves, unless they are too large.
    """

    window: Window
    clock: Fraction
    ticks: NDArray[np.int64]
    sharpness: NDArray[np.float64]
    thumbnails: NDArray[np.uint8]
    held: Held = field(default_factory=Held)

    @property
    def times(self) -> NDArray[np.float64]:
        """(n,) seconds."""
        return self.ticks.astype(np.float64) * float(self.clock)


def analyse(
    clip: Clip, window: Window, threads: int | None = None, room: Room | None = None
) -> Analysis:
    """Decode up to `WINDOW_FRAMES` frames of the clip from `window` on and measure them.

    Frames whose presentation time is missing, repeated or out of order are left out. All measures
    come from integer sums, so that they are the same on every machine.

    Args:
        clip: the video.
        window: of it.
        threads: of the decoder; None for as many as serve who does nothing else meanwhile.
        room: where to hold the frames, until it is used again; None for memory of their own.

    Raises:
        Rejected: the window can't be decoded without errors, is interlaced or has no timestamps.
    """
    width, height = _fit(clip.coded_width, clip.coded_height, SHARPNESS_SIDE)
    small = Filter("scale", {"w": width, "h": height, "flags": _SCALER_FLAGS, "sws_dither": "none"})
    grey = (small, Filter("format", {"pix_fmts": "gray"}))
    window, decoded = _decoded(clip, window, grey, width * height, threads, room)
    if any(info.interlaced for info in decoded.infos):
        raise Rejected("interlaced", "some of its frames are interlaced")
    _check_count(clip, [info.ticks for info in decoded.infos])
    places = in_order([info.ticks for info in decoded.infos])
    if 2 * len(places) < len(decoded.infos):
        raise Rejected("no-timestamps", "most of its frames have no presentation time of their own")
    ticks = [decoded.infos[place].ticks for place in places]
    pictures = [
        np.frombuffer(decoded.pictures[place], np.uint8).reshape(height, width) for place in places
    ]
    fit = _fit(width, height, MOTION_SIDE)
    thumbnails = [cv2.resize(each, fit, interpolation=cv2.INTER_AREA) for each in pictures]
    return Analysis(
        window=window,
        clock=decoded.time_base,
        ticks=np.array(ticks, np.int64),
        sharpness=np.array([sharpness(each) for each in pictures]),
        thumbnails=np.stack(thumbnails).astype(np.uint8, copy=False),
        held=_hold(decoded, places),
    )


def _decoded(
    clip: Clip,
    window: Window,
    filters: Sequence[Filter],
    bytes_each: int,
    threads: int | None,
    room: Room | None,
) -> tuple[Window, Decoded]:
    """Without the packets behind the window, unless not the very frames came that are listed."""
    try:
        decoded = decode(
            clip.path,
            clip.demuxer,
            filters,
            count=WINDOW_FRAMES,
            bytes_each=bytes_each,
            window=window,
            clock=clip.time_base,
            hold=most_bytes(clip, min(WINDOW_FRAMES, len(clip.container_ticks))),
            hold_as=WITH_HEADERS if takes_headers(clip.pixel_format) else BARE,
            room=room,
            threads=threads,
        )
        if window.last is None or _as_listed(clip, window, decoded):
            return window, decoded
    except Rejected as rejected:
        if window.last is None or rejected.code == "time-limit":
            raise
    return _decoded(clip, replace(window, last=None), filters, bytes_each, threads, room)


def _as_listed(clip: Clip, window: Window, decoded: Decoded) -> bool:
    ticks = clip.container_ticks
    first = 0 if window.start is None else bisect_left(ticks, window.start)
    listed = ticks[first : first + WINDOW_FRAMES]
    return tuple(info.ticks for info in decoded.infos) == listed


def _hold(decoded: Decoded, places: list[int]) -> Held:
    # An ffmpeg that doesn't say where colour samples lie can't be told so either.
    if not decoded.held or any(info.chroma_location is None for info in decoded.infos):
        return Held()
    frames = (RawFrame(decoded.infos[place], decoded.held[place]) for place in places)
    return Held({frame.info.ticks: frame for frame in frames})


def _check_count(clip: Clip, ticks: list[int]) -> None:
    """Notice frames that the decoder dropped; the HEVC decoder does so without an error."""
    later = len(clip.container_ticks) - bisect_left(clip.container_ticks, min(ticks, default=0))
    expected = min(later, WINDOW_FRAMES)
    if len(ticks) < _LEAST_DECODED * expected:
        raise Rejected(
            "unreadable",
            f"only {len(ticks)} of {expected} frames in a row can be decoded: it is damaged",
        )


def in_order(ticks: list[int]) -> list[int]:
    """Places of the frames shown after all earlier and before all later ones of the list."""
    latest = list(accumulate(ticks, max, initial=NO_PTS))
    earliest = list(accumulate(reversed(ticks), min, initial=_NO_LATER))[::-1]
    return [place for place, tick in enumerate(ticks) if latest[place] < tick < earliest[place + 1]]


def _fit(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height shrunk, never enlarged, to a longer side of `side` pixels."""
    longer = max(width, height, side)
    return max(1, round(width * side / longer)), max(1, round(height * side / longer))


def sharpness(picture: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of an (H, W) picture; less where it is blurred.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    edges = cv2.Laplacian(picture, cv2.CV_16S)
    # Both are sums of integers in float64; OpenCV gives that of squares as the square of its root.
    total, squares = cv2.sumElems(edges)[0], round(cv2.norm(edges, cv2.NORM_L2SQR))
    return squares / edges.size - (total / edges.size) ** 2


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(h, w) by how many 8-bit levels two thumbnails differ once a fade is taken away.

    A fade or a camera that adapts its exposure changes the mean and the contrast of the whole
    picture: the first picture is given those of the second before they are compared.
    """
    (mean_1, spread_1), (mean_2, spread_2) = moments(first), moments(second)
    gain = min(max(spread_2 / spread_1, 1 / MOST_GAIN), MOST_GAIN) if spread_1 else 1.0
    return np.abs(second - mean_2 - gain * (first - mean_1))
