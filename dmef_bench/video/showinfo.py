"""Read what ffmpeg's showinfo filter says of each decoded frame."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dmef_bench.video.ffmpeg import Filter

NO_PTS = -(1 << 63)


@dataclass(frozen=True)
class FrameInfo:
    """One decoded frame.

    Attributes:
        ticks: presentation time in units of the stream's time base; `NO_PTS` where there is none.
        pixel_format: ffmpeg's name, such as "yuv420p10le".
        width: of the coded picture, before any rotation; height likewise.
        sample_aspect: width of a pixel by its height as (numerator, denominator); (0, 1) if unsaid.
        interlaced: whether the frame consists of two fields.
        matrix: colour tags in ffmpeg's names, "unknown" where there is none; range, primaries and
            transfer likewise ("tv" or "pc" for the range).
        angle: the display matrix's counter-clockwise rotation in degrees, None without a matrix.
        dolby_vision: whether the frame carries Dolby Vision metadata.
        chroma_location: where its colour samples lie, in ffmpeg's names; None where this ffmpeg
            doesn't say.
    """

    ticks: int
    pixel_format: str
    width: int
    height: int
    sample_aspect: tuple[int, int]
    interlaced: bool
    matrix: str
    range: str
    primaries: str
    transfer: str
    angle: float | None
    dolby_vision: bool
    chroma_location: str | None = None


def showinfo(token: str) -> Filter:
    """The filter, under a name that lets `frames` find its lines among everything else."""
    return Filter(f"showinfo@{token}", {"checksum": 0})


def time_base(log: str, token: str) -> tuple[int, int]:
    """Numerator and denominator of the unit of `ticks`, in seconds.

    Raises:
        ValueError: the log doesn't hold it.
    """
    found = re.search(_prefix(token) + r"config in time_base: (\d+)/(\d+)", log)
    if found is None or int(found[2]) == 0:
        raise ValueError("ffmpeg's log states no time base")
    return int(found[1]), int(found[2])


def frames(log: str, token: str) -> list[FrameInfo]:
    """Every frame that passed `showinfo(token)`, in the order of presentation."""
    return list(_frames(log, _prefix(token)))


def _prefix(token: str) -> str:
    return rf"\[showinfo@{token} @ 0x[0-9a-f]+\] \[info\] "


def _frames(log: str, prefix: str) -> Iterator[FrameInfo]:
    # ffmpeg's threads may write in the middle of each other's lines, so that a frame's row is
    # looked for anywhere, and its further properties anywhere before the next row.
    starts = [found.end() for found in re.finditer(prefix + r"n: *\d+ ", log)]
    for start, end in zip(starts, [*starts[1:], len(log)], strict=True):
        block = log[start:end]
        row = re.match(
            r"pts: *(?P<ticks>-?\d+|NOPTS) .*?fmt:(?P<format>\w+) (?:cl:(?P<location>\w+) )?.*?"
            r"sar:(?P<sar>\d+/\d+) s:(?P<size>\d+x\d+) i:(?P<field>\w)",
            block,
        )
        if row is None:
            raise ValueError("a row of ffmpeg's showinfo can't be read")
        tags = {
            name: found[1]
            if (found := re.search(rf"\bcolor_{name}:([\w.-]+)", block))
            else "unknown"
            for name in ("range", "space", "primaries", "trc")
        }
        angle = re.search(r"displaymatrix: rotation of (-?[\d.]+) degrees", block)
        width, height = map(int, row["size"].split("x"))
        numerator, denominator = map(int, row["sar"].split("/"))
        yield FrameInfo(
            ticks=NO_PTS if row["ticks"] == "NOPTS" else int(row["ticks"]),
            pixel_format=row["format"],
            width=width,
            height=height,
            sample_aspect=(numerator, denominator),
            interlaced=row["field"] != "P",
            matrix=tags["space"],
            range=tags["range"],
            primaries=tags["primaries"],
            transfer=tags["trc"],
            angle=float(angle[1]) if angle else None,
            dolby_vision="Dolby Vision" in block,
            chroma_location=row["location"],
        )
