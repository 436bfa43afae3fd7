"""Frames kept as they were decoded, so that those chosen in the end need no second decoding."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dmef_bench.video.clip import Clip, bits_of, is_rgb
from dmef_bench.video.colour import to_rgb
from dmef_bench.video.ffmpeg import Filter, raw_command, run_ffmpeg
from dmef_bench.video.rejected import Rejected
from dmef_bench.video.showinfo import FrameInfo
from dmef_bench.video.supervised import Limits

# 72 frames of 4K in 10 bit 4:2:0 are 1.8 GB.
MOST_HELD = 2 << 30
_TIME_LIMIT = 600.0
# Bytes a frame, at the most, for the words before it.
_HEADER = 1 << 10
# Samples a pixel by chroma subsampling; four for what isn't listed, RGB with padding at worst.
_SAMPLES = {"420": 1.5, "422": 2.0, "440": 2.0, "444": 3.0}


@dataclass(frozen=True)
class RawFrame:
    """A decoded frame before any conversion.

    Attributes:
        info: what showinfo said of it.
        samples: its planes one after the other, as ffmpeg's `rawvideo` writes them.
    """

    info: FrameInfo
    samples: bytes | memoryview


@dataclass
class Held:
    """The frames of a window by presentation time.

    Attributes:
        frames: ticks -> frame.
    """

    frames: dict[int, RawFrame] = field(default_factory=dict)

    def take(self, ticks: Sequence[int]) -> tuple[RawFrame, ...] | None:
        """Copies of these frames, which outlive the rest; None where one isn't here."""
        if not all(tick in self.frames for tick in ticks):
            return None
        found = [self.frames[tick] for tick in ticks]
        return tuple(RawFrame(frame.info, bytes(frame.samples)) for frame in found)

    def release(self) -> None:
        """Give the memory back."""
        self.frames.clear()


def most_bytes(clip: Clip, count: int) -> int:
    """Upper bound for `count` frames of a clip; 0 where they are too many to be held."""
    subsampling = re.search(r"4(20|22|40|44)p", clip.pixel_format)
    samples = _SAMPLES["4" + subsampling[1]] if subsampling else 4.0
    # Odd sizes round their colour planes up.
    pixels = (clip.coded_width + 1) * (clip.coded_height + 1)
    each = int(pixels * samples) * (1 if bits_of(clip.pixel_format) == 8 else 2)
    most = count * (each + _HEADER)
    return most if most <= _limit() else 0


def _limit() -> int:
    """`MOST_HELD`, or less where every core's worker would otherwise need half of the memory."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(MOST_HELD, memory // (2 * (os.cpu_count() or 1)))


def convert(clip: Clip, frames: Sequence[RawFrame]) -> list[NDArray[np.uint8]]:
    """(H, W, 3) RGB of each frame, with the samples that frames straight from a decoder get.

    Video that isn't RGB becomes three planes here, which takes the scaler half the time, with the
    same arithmetic as for rgb24.

    Raises:
        Rejected: the frames aren't what was probed.
        MissingError: ffmpeg can't be run.
    """
    first = frames[0].info
    size = clip.coded_width * clip.coded_height * 3
    # What the decoder told the filters of each frame besides its samples.
    tags = Filter(
        "setparams",
        {
            "range": _tag(first.range),
            "colorspace": _tag(first.matrix),
            "color_primaries": _tag(first.primaries),
            "color_trc": _tag(first.transfer),
            "chroma_location": first.chroma_location or "unspecified",
            "field_mode": "prog",
        },
    )
    filters = list(to_rgb(clip.colour))
    planar = not is_rgb(first.pixel_format)
    if planar:
        filters[-1] = Filter("format", {"pix_fmts": "gbrp"})
    arguments = raw_command(first.pixel_format, first.width, first.height, (tags, *filters))
    descriptor = os.memfd_create("frames")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            for frame in frames:
                stream.write(frame.samples)
        source = Path(f"/proc/self/fd/{descriptor}")
        limits = Limits(seconds=_TIME_LIMIT, stdout=len(frames) * size)
        data = run_ffmpeg(arguments, source, limits).stdout
    finally:
        os.close(descriptor)
    if len(data) != len(frames) * size:
        raise Rejected("unreadable", "its frames are not of the size that was probed")
    shape = clip.coded_height, clip.coded_width
    pictures = np.frombuffer(data, np.uint8).reshape(len(frames), -1)
    if not planar:
        return [picture.reshape(*shape, 3) for picture in pictures]
    planes = (picture.reshape(3, *shape) for picture in pictures)
    merged = (cv2.merge([red, green, blue]) for green, blue, red in planes)
    return [picture.astype(np.uint8, copy=False) for picture in merged]


def _tag(name: str) -> str:
    return "unknown" if name == "reserved" else name
