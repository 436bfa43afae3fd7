import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from media import Media, number_of, run_encoder

from dmef_bench.video import (
    Choice,
    Clip,
    Rejected,
    choose_frames,
    extract_frames,
    find_videos,
    probe,
)  # fmt: skip
from dmef_bench.video.clip import Window


def _whole(clip: Clip, numbers: tuple[int, int, int]) -> Choice:
    """These frames, decoded from the beginning of the file."""
    first, second, third = (clip.container_ticks[number] for number in numbers)
    return Choice((first, second, third), (0, 0, 0), numbers, 0, 1, Window())


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        ("h264", ".mp4"),
        ("h264", ".mkv"),
        ("h264", ".ts"),
        ("h264-open-gop", ".mp4"),
        ("h264-open-gop", ".mkv"),
        ("hevc", ".mp4"),
        ("hevc", ".ts"),
        ("vp9", ".webm"),
        ("mpeg4", ".avi"),
        ("mjpeg", ".avi"),
        ("prores", ".mov"),
    ],
)
def test_the_frames_that_were_chosen_are_the_ones_that_come(
    media: Media, codec: str, suffix: str
) -> None:
    """From the middle of a file, by seeking, as from its beginning: same times, same pictures."""
    clip = probe(media.clip(codec=codec, suffix=suffix, count=120))
    choice = choose_frames(clip)
    assert choice.window.seek is not None
    frames = extract_frames(clip, choice)
    numbers = tuple(clip.container_ticks.index(tick) for tick in choice.ticks)
    assert tuple(number_of(frame) for frame in frames) == numbers
    for frame, again in zip(frames, extract_frames(clip, _whole(clip, numbers)), strict=True):
        assert frame.shape == (180, 320, 3)
        assert np.array_equal(frame, again)


@pytest.mark.parametrize("size", [(321, 181), (322, 178), (176, 320)])
def test_odd_sizes(media: Media, size: tuple[int, int]) -> None:
    width, height = size
    clip = probe(media.clip(codec="vp9", suffix=".webm", width=width, height=height))
    for frame in extract_frames(clip, choose_frames(clip)):
        assert frame.shape == (height, width, 3)


def test_an_avi_without_presentation_times(media: Media) -> None:
    clip = probe(media.clip(suffix=".avi"))
    numbers = [number_of(frame) for frame in extract_frames(clip, choose_frames(clip))]
    assert numbers == sorted(set(numbers))


def test_an_edited_clip_shows_no_hidden_frame(media: Media, tmp_path: Path) -> None:
    path = tmp_path / "edited.mp4"
    run_encoder("-ss", "0.5", "-i", str(media.clip(keyframes=99)), "-c", "copy", str(path))
    clip = probe(path)
    frames = extract_frames(clip, choose_frames(clip))
    assert all(number_of(frame) >= 15 for frame in frames)


@pytest.mark.parametrize(
    "name",
    [
        b"%d.mp4",
        b"%04d%s%n.mp4",
        b"-i.mp4",
        b"- y.mp4",
        b"two\nlines.mp4",
        b"\xff\xfe not utf-8.mp4",
        b"a b'c\"d`e$f;g|h&i.mp4",
        b"*?[a].mp4",
        b"concat:a|b.mp4",
        b"http:host.mp4",
        b"pipe:0.mp4",
        b"back\\slash.mp4",
        "naïve – 東京.mp4".encode(),
        b"x" * 250 + b".mp4",
    ],
)
def test_any_name_works(
    media: Media, tmp_path: Path, name: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / os.fsdecode(name)
    shutil.copy(media.clip(), path)
    monkeypatch.chdir(tmp_path)
    (found,) = find_videos(Path())
    clip = probe(found)
    first, _, _ = extract_frames(clip, choose_frames(clip))
    plain = probe(media.clip())
    assert clip.sha256 == plain.sha256
    assert np.array_equal(first, extract_frames(plain, choose_frames(plain))[0])


def test_times_that_no_frame_has(media: Media) -> None:
    clip = probe(media.clip())
    choice = _whole(clip, (3, 4, 5))
    first, second, third = choice.ticks
    for ticks in ((first, second, third + 1), (10**9, 10**9 + 1, 10**9 + 2)):
        with pytest.raises(Rejected) as caught:
            extract_frames(clip, replace(choice, ticks=ticks))
        assert caught.value.code == "unreadable"


def test_a_file_that_changed_since_it_was_probed(media: Media, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    shutil.copy(media.clip(), path)
    clip = probe(path)
    choice = replace(choose_frames(clip), raw=None)
    shutil.copy(media.clip(width=160, height=90), path)
    with pytest.raises(Rejected):
        extract_frames(clip, choice)
    path.unlink()
    with pytest.raises(Rejected, match="can't be read") as caught:
        extract_frames(clip, choice)
    assert caught.value.code == "unreadable"


def test_a_lost_packet_is_noticed(media: Media) -> None:
    """The HEVC decoder drops what follows, and ffmpeg ends with success."""
    options = "log-level=none:bframes=0:keyint=99"
    path = media.clip(
        codec="hevc",
        keyframes=99,
        output=("-x265-params", options),
        remux=("-i", "-bsf:v", r"noise=drop=eq(n\,20)"),
    )
    with pytest.raises(Rejected, match="only 20 of 39 frames") as caught:
        choose_frames(probe(path))
    assert caught.value.code == "unreadable"


def test_damage_in_the_middle_is_found_when_it_is_looked_at(media: Media, tmp_path: Path) -> None:
    whole = media.clip(count=120, output=("-movflags", "+faststart"))
    data = bytearray(whole.read_bytes())
    start = data.index(b"mdat")
    middle = start + (len(data) - start) // 2
    data[middle : middle + 4000] = bytes(4000)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    clip = probe(path)
    with pytest.raises(Rejected) as caught:
        choose_frames(clip)
    assert caught.value.code == "unreadable"
