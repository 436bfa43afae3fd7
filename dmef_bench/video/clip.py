"""What is known of a video that can be read: the Clip, its colour and a part of it to decode."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from dmef_bench.video.container import Demuxer


@dataclass(frozen=True)
class Colour:
    """How a clip's samples become 8-bit RGB; the fields of `dataset.records.ColourRecord`.

    Attributes:
        matrix: of the video, in ffmpeg's names; "gbr" where it is RGB already.
        range: of the video.
        transfer: of the video, in ffmpeg's names; primaries likewise.
        assumed: which of the four the file did not say, so that a rule filled them in.
        policy: what is done beyond matrix and range: rounding to 8 bit, tone mapping, or "none".
    """

    matrix: str
    range: Literal["limited", "full"]
    transfer: str
    primaries: str
    assumed: tuple[str, ...] = ()
    policy: str = "none"


@dataclass(frozen=True)
class Orientation:
    """From the coded picture to the displayed one: mirrored left to right first, then turned.

    Attributes:
        turns: quarter turns counter-clockwise, 0 to 3, as for `numpy.rot90`.
        mirrored: whether the picture is mirrored before it is turned.
    """

    turns: int = 0
    mirrored: bool = False

    @property
    def clockwise_degrees(self) -> int:
        """The turn as cameras and players state it: 0, 90, 180 or 270."""
        return -self.turns % 4 * 90


@dataclass(frozen=True)
class Clip:
    """A video that was probed.

    Attributes:
        path: where it was read; demuxer: what reads it.
        sha256: of all its bytes.
        coded_width: of the stored picture; coded_height likewise.
        orientation: from the stored picture to the displayed one.
        codec: ffmpeg's name; pixel_format likewise.
        colour: how it becomes RGB.
        sample_aspect: width of a pixel by its height, (0, 1) where the file doesn't say.
        interlaced: whether its first keyframe is.
        dolby_vision: whether its first keyframe carries Dolby Vision metadata.
        has_alpha: whether its pictures are transparent in places, or may be.
        time_base: seconds a tick.
        container_ticks: when the container says its frames are shown, rising. Used for counts,
            lengths and where to look; frames are chosen by the times they really decode with.
        keyframe_ticks: the times among them where decoding can start, rising.
        decoding_ticks: when the decoder is given each of `container_ticks`; empty where the
            container doesn't say, or a packet of the codec may hold none or several.
    """

    path: Path
    demuxer: Demuxer
    sha256: str
    coded_width: int
    coded_height: int
    orientation: Orientation
    codec: str
    pixel_format: str
    colour: Colour
    sample_aspect: tuple[int, int]
    interlaced: bool
    dolby_vision: bool
    has_alpha: bool
    time_base: Fraction
    container_ticks: tuple[int, ...]
    keyframe_ticks: tuple[int, ...]
    decoding_ticks: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """In display orientation."""
        return self.coded_height if self.orientation.turns % 2 else self.coded_width

    @property
    def height(self) -> int:
        """In display orientation."""
        return self.coded_width if self.orientation.turns % 2 else self.coded_height

    @property
    def rotation(self) -> int:
        """Clockwise degrees from the stored to the displayed picture: 0, 90, 180 or 270."""
        return self.orientation.clockwise_degrees

    @property
    def presentation_times(self) -> tuple[float, ...]:
        """`container_ticks` in seconds."""
        return tuple(float(ticks * self.time_base) for ticks in self.container_ticks)

    @property
    def bits(self) -> int:
        """A sample of the stored picture has this many."""
        return bits_of(self.pixel_format)


def bits_of(pixel_format: str) -> int:
    """Bits a sample of an ffmpeg pixel format: "yuv420p10le" has 10, "yuv420p" has 8."""
    found = re.fullmatch(r".*?(9|10|12|14)?[lb]e", pixel_format)
    return 8 if found is None else int(found[1] or 16)


def is_rgb(pixel_format: str) -> bool:
    """Whether an ffmpeg pixel format holds red, green and blue."""
    return re.match(r"(gbr|[0ax]?(rgb|bgr))", pixel_format) is not None


def has_alpha(pixel_format: str) -> bool:
    """Whether an ffmpeg pixel format holds a fourth channel for transparency, or a palette."""
    return (
        re.match(r"(yuva|ya\d|gbrap|rgba|bgra|argb|abgr|ayuv|vuya|uyva|pal8)", pixel_format)
        is not None
    )


@dataclass(frozen=True)
class Window:
    """A part of a clip: decoding starts at `seek`, frames shown before `start` are dropped.

    Attributes:
        seek: ticks of the keyframe to start at, None for the beginning of the file.
        start: ticks of the earliest frame that counts, None for the first that is decoded.
        last: ticks at which the decoder is given the last packet, None for all of the file.
    """

    seek: int | None = None
    start: int | None = None
    last: int | None = None
