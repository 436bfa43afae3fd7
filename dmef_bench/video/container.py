"""Recognise a container by its first bytes and find out whether its end is missing.

ffmpeg is told which demuxer to use and never guesses: a playlist named `.mp4` is not opened by it
at all. It also ends with success on many files that were cut short, so the sizes that the
container states are compared with the size of the file.

Sources: ISO/IEC 14496-12 4.2 (boxes), RFC 8794 (EBML), AVI RIFF file reference,
ISO/IEC 13818-1 2.4.3 (transport stream packets).
"""

import os
from pathlib import Path
from typing import BinaryIO, Literal

from dmef_bench.video.rejected import Rejected

Demuxer = Literal["mov", "matroska", "avi", "mpegts"]

_FIRST_BOXES = {b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid"}
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_MOST_BOXES = 1_000_000


def recognise(path: Path) -> Demuxer:
    """The ffmpeg demuxer for a whole MP4/MOV, Matroska/WebM, AVI or MPEG-TS file.

    Raises:
        Rejected: "unreadable", "empty", "not-a-video" or "truncated".
    """
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size == 0:
                raise Rejected("empty", "the file is empty (0 bytes)")
            head = stream.read(4096)
            if head[4:8] in _FIRST_BOXES:
                _check_boxes(stream, size)
                return "mov"
            if head.startswith(_EBML):
                _check_segment(head, size)
                return "matroska"
            if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
                _check_riff(stream, size)
                return "avi"
            if _is_transport_stream(head):
                return "mpegts"
    except OSError as error:
        raise Rejected("unreadable", f"the file can't be read ({error.strerror})") from error
    raise Rejected("not-a-video", f"the file is {_guess(head)}, whatever its name says")


def _guess(head: bytes) -> str:
    if head.lstrip().startswith((b"#EXTM3U", b"ffconcat", b"<MPD", b"<?xml", b"v=0")):
        return "a playlist or description of other media and not itself a video"
    if b"\0" not in head:
        return "text"
    return "neither MP4/MOV, Matroska/WebM, AVI nor MPEG-TS"


def _too_short(stated: int, size: int) -> Rejected:
    return Rejected(
        "truncated",
        f"the file was cut short: it states at least {stated} bytes and has {size}; "
        "copy or record it again",
    )


def _check_boxes(stream: BinaryIO, size: int) -> None:
    position, has_index = 0, False
    for _ in range(_MOST_BOXES):
        stream.seek(position)
        header = stream.read(16)
        if len(header) < 8:
            break
        length, kind = int.from_bytes(header[:4]), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16])
        elif length == 0:  # the last box, open to the end of the file
            length = size - position
        if length < 8:
            break
        has_index |= kind in (b"moov", b"moof")
        position += length
        if position > size:
            raise _too_short(position, size)
    if not has_index:
        raise Rejected(
            "truncated",
            "the file has no index (moov box), as when a recording or a copy is cut short",
        )


def _check_segment(head: bytes, size: int) -> None:
    length, width = _vint(head, 4)
    start = 4 + width + length
    if head[start : start + 4] != _SEGMENT:
        return
    length, width = _vint(head, start + 4)
    unknown = (1 << 7 * width) - 1
    stated = start + 4 + width + length
    if length != unknown and stated > size:
        raise _too_short(stated, size)


def _vint(data: bytes, position: int) -> tuple[int, int]:
    """Value and width in bytes of an EBML variable-size integer (RFC 8794, section 4)."""
    first = data[position] if position < len(data) else 0
    width = 9 - first.bit_length()
    value = int.from_bytes(data[position : position + width])
    return value & (1 << 7 * width) - 1, width


def _check_riff(stream: BinaryIO, size: int) -> None:
    position = 0
    while position + 8 <= size:
        stream.seek(position)
        header = stream.read(8)
        if header[:4] != b"RIFF":
            return
        length = int.from_bytes(header[4:], "little")
        position += 8 + length
        if position > size:
            raise _too_short(position, size)


def _is_transport_stream(head: bytes) -> bool:
    for stride, offset in ((188, 0), (192, 4), (204, 0)):
        marks = head[offset::stride]
        if len(marks) >= 5 and set(marks) == {0x47}:
            return True
    return False
