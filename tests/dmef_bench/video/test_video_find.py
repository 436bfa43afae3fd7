import os
from pathlib import Path

import pytest

from dmef_bench.errors import UsageError
from dmef_bench.video import find_videos, shown_name


def test_finds_videos_in_all_folders_in_byte_order(tmp_path: Path) -> None:
    names = ["b.MP4", "a.mov", "deep/er/z.mkv", "deep/a.webm", "notes.txt", "picture.jpg", "mp4"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [str(path.relative_to(tmp_path)) for path in find_videos(tmp_path)]
    assert found == ["a.mov", "b.MP4", "deep/a.webm", "deep/er/z.mkv"]


def test_follows_no_link_out_of_the_folder(tmp_path: Path) -> None:
    videos, elsewhere = tmp_path / "videos", tmp_path / "elsewhere"
    videos.mkdir()
    elsewhere.mkdir()
    (elsewhere / "secret.mp4").touch()
    (videos / "real.mp4").touch()
    (videos / "inside.mp4").symlink_to("real.mp4")
    (videos / "outside.mp4").symlink_to(elsewhere / "secret.mp4")
    (videos / "dangling.mp4").symlink_to("nothing.mp4")
    (videos / "folder").symlink_to(elsewhere)
    assert [path.name for path in find_videos(videos)] == ["inside.mp4", "real.mp4"]


def test_takes_only_regular_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert find_videos(tmp_path) == []


@pytest.mark.parametrize("name", [b"%d.mp4", b"-i.mp4", b"a\nb.mp4", b"\xff\xfe.mp4", b"' \".mp4"])
def test_finds_odd_names(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.touch()
    assert find_videos(tmp_path) == [path]


@pytest.mark.parametrize("name", ["missing", "file.mp4"])
def test_a_folder_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.mp4").touch()
    with pytest.raises(UsageError, match=f"{name}: can't be read as a folder"):
        find_videos(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain name.mp4", "plain name.mp4"),
        ("Zürich 東京.mp4".encode(), "Zürich 東京.mp4"),
        (b"a\nb\x1b[31m.mp4", r"a\nb\x1b[31m.mp4"),
        (b"\xff.mp4", r"\xff.mp4"),
        (b"back\\slash.mp4", r"back\\slash.mp4"),
        ("right\u202eto left.mp4".encode(), r"right\u202eto left.mp4"),
        (b"day/1.mp4", "day/1.mp4"),
        (b"/elsewhere/1.mp4", "1.mp4"),
    ],
)
def test_shown_name_is_printable(name: bytes, shown: str) -> None:
    assert shown_name(Path(os.fsdecode(name))) == shown
    assert shown.isprintable()
