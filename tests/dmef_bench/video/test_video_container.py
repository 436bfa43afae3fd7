from pathlib import Path

import pytest
from media import Media

from dmef_bench.video.container import recognise
from dmef_bench.video.rejected import Rejected

WHOLE = [
    ("h264", ".mp4", ()),
    ("h264", ".mp4", ("-movflags", "+faststart")),
    ("h264", ".mp4", ("-movflags", "+frag_keyframe+empty_moov")),
    ("h264", ".mov", ()),
    ("h264", ".mkv", ()),
    ("vp9", ".webm", ()),
    ("mpeg4", ".avi", ()),
]


def _code(path: Path) -> str:
    with pytest.raises(Rejected) as caught:
        recognise(path)
    return caught.value.code


@pytest.mark.parametrize(("codec", "suffix", "output"), WHOLE)
def test_any_missing_tail_is_noticed(
    media: Media, tmp_path: Path, codec: str, suffix: str, output: tuple[str, ...]
) -> None:
    whole = media.clip(codec=codec, suffix=suffix, output=output)
    assert recognise(whole) in ("mov", "matroska", "avi")
    data = whole.read_bytes()
    for left in (len(data) - 1, len(data) * 9 // 10, len(data) // 2, 200):
        path = tmp_path / f"{left}{suffix}"
        path.write_bytes(data[:left])
        assert _code(path) == "truncated"


def test_a_suffix_decides_nothing(media: Media, tmp_path: Path) -> None:
    path = tmp_path / "really-matroska.mp4"
    path.write_bytes(media.clip(suffix=".mkv").read_bytes())
    assert recognise(path) == "matroska"


@pytest.mark.parametrize("suffix", [".ts", ".m2ts"])
def test_a_transport_stream_has_no_stated_end(media: Media, tmp_path: Path, suffix: str) -> None:
    data = media.clip(suffix=suffix).read_bytes()
    path = tmp_path / "half.ts"
    path.write_bytes(data[: len(data) // 2])
    assert recognise(path) == "mpegts"


def test_a_matroska_of_unknown_size_is_taken_as_it_is(media: Media, tmp_path: Path) -> None:
    data = media.clip(suffix=".mkv", output=("-live", "1")).read_bytes()
    path = tmp_path / "live.mkv"
    path.write_bytes(data[: len(data) // 2])
    assert recognise(path) == "matroska"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"just some words\n" * 20, "not-a-video"),
        (bytes(range(256)) * 20, "not-a-video"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(28), "not-a-video"),
        (b"\x00\x00\x00\x08ftyp", "truncated"),
        (b"\x00\x00\x00\x08wide" * 50 + bytes(64), "truncated"),
        (b"\x00\x00\x00\x01mdat" + b"\xff" * 8 + bytes(64), "truncated"),
    ],
)
def test_what_is_no_video(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    assert _code(path) == code


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    assert _code(tmp_path / "gone.mp4") == "unreadable"
    (tmp_path / "folder.mp4").mkdir()
    assert _code(tmp_path / "folder.mp4") == "unreadable"
