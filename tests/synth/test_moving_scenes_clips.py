"""Moving scenes as real video files."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from synth.moving_scenes import ClipError, MovingScene, write_clip

SMALL = {"height": 96, "width": 128, "frames": 4, "fps": 10}


def ffmpeg(*arguments):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", *arguments]
    return subprocess.run(command, capture_output=True, check=False)


def decoded(path):
    """All frames of a clip as RGB, converted with the matrix and range its tags name."""
    done = ffmpeg(
        "-loglevel", "error", "-i", f"file:{path}",
        "-vf", "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, SMALL["height"], SMALL["width"], 3)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_clip_holds_the_scene_in_bt709_and_repeats_to_the_byte(tmp_path, codec):
    path = write_clip(tmp_path / "new" / "a.mp4", 3, codec=codec, **SMALL)
    again = write_clip(tmp_path / "b.mp4", 3, codec=codec, **SMALL)
    assert path.read_bytes() == again.read_bytes()

    said = ffmpeg("-i", f"file:{path}").stderr.decode()
    assert f"Video: {codec}" in said
    assert "yuv420p(tv, bt709" in said
    assert "128x96" in said
    assert "10 fps" in said

    scene = MovingScene(3, SMALL["height"], SMALL["width"])
    frames = decoded(path)
    assert len(frames) == SMALL["frames"]
    for number, frame in enumerate(frames):
        expected = scene.frame(number / SMALL["fps"]).astype(float)
        error = frame - expected
        # Luma survives well; chroma is kept at half the size. A wrong matrix or range shows as
        # a change of the mean colour.
        assert 10 * np.log10(255**2 / (error.mean(axis=2) ** 2).mean()) > 33
        assert np.abs(error.mean(axis=(0, 1))).max() < 1.0


def test_nothing_but_the_clip_is_left_and_an_old_one_is_replaced(tmp_path):
    path = tmp_path / "-a %03d.mp4"
    path.write_bytes(b"old")
    write_clip(path, 0, **SMALL)
    assert list(tmp_path.iterdir()) == [path]
    assert len(decoded(path)) == SMALL["frames"]


def test_what_ffmpeg_refuses_is_said_in_one_sentence_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")
    with pytest.raises(ClipError, match=r"clip\.mp4: ffmpeg could not encode the clip: .+") as said:
        write_clip(path, 0, preset="unheard-of", **SMALL)
    assert "\n" not in str(said.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ClipError, match=r"clip\.mp4: the clip can't be written"):
        write_clip(tmp_path / "file" / "clip.mp4", 0, **SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 97}, "even number of rows and columns, not 97 × 128"),
        ({"frames": 0}, "at least one frame"),
        ({"fps": 0}, "at least one frame"),
        ({"codec": "vp9"}, "codec of a clip must be one of h264, hevc, not vp9"),
        ({"width": 30}, "32 to 16384 rows and columns"),
    ],
)
def test_arguments_out_of_range_leave_no_file(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        write_clip(tmp_path / "clip.mp4", 0, **(SMALL | change))
    assert not list(tmp_path.iterdir())
