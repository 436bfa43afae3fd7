from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from media import Media, Picture, run_encoder

from dmef_bench.video import Choice, Rejected, extract_frames, probe
from dmef_bench.video.clip import Orientation, Window


def _first_frame(path: Path) -> Picture:
    clip = probe(path)
    first, second, third = clip.container_ticks[:3]
    choice = Choice((first, second, third), (0, 0, 0), (0, 1, 2), 0, 1, Window())
    frame = extract_frames(clip, choice)[0]
    assert frame.shape == (clip.height, clip.width, 3)
    return frame


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize(
    ("flags", "rotation", "upright"),
    [
        (("-display_rotation", "90"), 270, lambda x: np.rot90(x, 1)),
        (("-display_rotation", "180"), 180, lambda x: np.rot90(x, 2)),
        (("-display_rotation", "270"), 90, lambda x: np.rot90(x, 3)),
        (("-display_hflip",), 0, lambda x: x[:, ::-1]),
        (("-display_rotation", "90", "-display_hflip"), None, None),
    ],
)
def test_every_quarter_turn_and_mirror(
    media: Media,
    flags: tuple[str, ...],
    rotation: int | None,
    upright: Callable[[Picture], Picture] | None,
    pixel_format: str,
) -> None:
    plain = media.clip(count=6, pixel_format=pixel_format)
    turned = media.clip(count=6, pixel_format=pixel_format, remux=(*flags, "-i"))
    frame = _first_frame(turned)
    if upright is not None:
        assert np.array_equal(frame, upright(_first_frame(plain)))
        assert probe(turned).rotation == rotation
    assert np.abs(frame.astype(int) - _as_ffmpeg_shows(turned, frame.shape)).mean() < 4


def _as_ffmpeg_shows(path: Path, shape: tuple[int, ...]) -> Picture:
    raw = path.with_suffix(".rgb")
    run_encoder("-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", str(raw))
    return np.frombuffer(raw.read_bytes(), np.uint8).reshape(shape)


def test_the_old_rotate_tag_turns_clockwise(media: Media) -> None:
    plain = media.clip(count=6, suffix=".mkv")
    tagged = media.clip(count=6, suffix=".mkv", remux=("-i", "-metadata:s:v", "rotate=90"))
    assert probe(tagged).rotation == 90
    assert np.array_equal(_first_frame(tagged), np.rot90(_first_frame(plain), -1))


@pytest.mark.parametrize("value", ["0", "nonsense", "360", ""])
def test_an_empty_rotate_tag_turns_nothing(media: Media, value: str) -> None:
    path = media.clip(count=6, suffix=".mkv", remux=("-i", "-metadata:s:v", f"rotate={value}"))
    assert probe(path).orientation == Orientation()


@pytest.mark.parametrize(
    ("suffix", "remux"),
    [
        (".mp4", ("-display_rotation", "30", "-i")),
        (".mkv", ("-i", "-metadata:s:v", "rotate=45")),
        (".mkv", ("-i", "-metadata:s:v", "rotate=nan")),
    ],
)
def test_other_angles_are_refused(media: Media, suffix: str, remux: tuple[str, ...]) -> None:
    with pytest.raises(Rejected, match="no quarter turn") as caught:
        probe(media.clip(count=6, suffix=suffix, remux=remux))
    assert caught.value.code == "rotation"


def test_a_blank_picture_is_turned_as_stated(media: Media) -> None:
    clip = probe(media.clip(count=6, pictures="#404040", remux=("-display_rotation", "90", "-i")))
    assert (clip.orientation, clip.width, clip.height) == (Orientation(turns=1), 180, 320)
