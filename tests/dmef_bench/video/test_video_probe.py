import importlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from media import VARIABLE, Media, run_encoder

from dmef_bench.video import Rejected, ffmpeg_version, probe
from dmef_bench.video.clip import bits_of, is_rgb
from dmef_bench.video.decode import Decoded, decode
from dmef_bench.video.ffmpeg import MAX_PIXELS


def _code(path: Path) -> str:
    with pytest.raises(Rejected) as caught:
        probe(path)
    assert "\n" not in caught.value.reason
    return caught.value.code


@pytest.mark.parametrize(
    ("codec", "suffix", "size", "pixel_format", "named"),
    [
        ("h264", ".mp4", (320, 180), "yuv420p", "h264"),
        ("h264", ".mov", (322, 182), "yuv420p", "h264"),
        ("h264", ".mkv", (322, 178), "yuv422p10le", "h264"),
        ("h264", ".m2ts", (320, 180), "yuv420p", "h264"),
        ("h264", ".avi", (320, 180), "yuv420p", "h264"),
        ("hevc", ".mp4", (320, 180), "yuv420p10le", "hevc"),
        ("vp9", ".webm", (321, 181), "yuv420p", "vp9"),
        ("vp8", ".webm", (320, 180), "yuv420p", "vp8"),
        ("mpeg4", ".avi", (320, 180), "yuv420p", "mpeg4"),
        ("mjpeg", ".avi", (320, 180), "yuvj420p", "mjpeg"),
        ("prores", ".mov", (320, 180), "yuv422p10le", "prores"),
        ("ffv1", ".mkv", (321, 181), "bgr0", "ffv1"),
    ],
)
def test_codec_container_and_size(
    media: Media, codec: str, suffix: str, size: tuple[int, int], pixel_format: str, named: str
) -> None:
    width, height = size
    clip = probe(
        media.clip(
            codec=codec, suffix=suffix, width=width, height=height, pixel_format=pixel_format
        )
    )
    assert (clip.codec, clip.width, clip.height, clip.rotation) == (named, width, height, 0)
    assert clip.pixel_format == pixel_format
    assert len(clip.container_ticks) == 40
    assert clip.presentation_times[-1] - clip.presentation_times[0] == pytest.approx(
        39 / 30, abs=0.01
    )
    assert len(clip.keyframe_ticks) >= 3
    assert clip.keyframe_ticks[0] == clip.container_ticks[0]
    assert not clip.interlaced
    assert len(clip.sha256) == 64


def test_the_times_of_a_variable_frame_rate_are_exact(media: Media) -> None:
    path = media.clip(times=VARIABLE, output=("-video_track_timescale", "60000"), keyframes=99)
    clip = probe(path)
    assert clip.time_base == Fraction(1, 60000)
    assert clip.container_ticks == tuple(2000 * n + 100 * n * n for n in range(40))


def test_frames_an_edit_list_hides_do_not_count(media: Media, tmp_path: Path) -> None:
    whole = media.clip(keyframes=99)
    path = tmp_path / "edited.mp4"
    run_encoder("-ss", "0.5", "-i", str(whole), "-c", "copy", str(path))
    clip = probe(path)
    assert 20 <= len(clip.container_ticks) <= 26
    assert clip.container_ticks[0] >= 0


def test_a_video_without_a_marked_keyframe(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    path = media.clip()
    clip, asked = probe(path), []

    def found_none(*given: Any, packets: str = "all", **options: Any) -> Decoded:
        asked.append(packets)
        if packets != "all":
            raise Rejected("unreadable", "ffmpeg delivered nothing")
        return decode(*given, **options)

    monkeypatch.setattr(importlib.import_module("dmef_bench.video.probe"), "decode", found_none)
    assert probe(path) == clip
    assert asked == ["first", "keyframes", "all"]


def test_interlaced_video_is_seen(media: Media) -> None:
    assert probe(media.clip(codec="h264-interlaced")).interlaced


def test_pixels_that_are_not_square_are_seen(media: Media) -> None:
    assert probe(media.clip(output=("-aspect", "4:3"))).sample_aspect == (3, 4)


def test_a_cover_picture_is_not_the_video(media: Media, tmp_path: Path) -> None:
    cover, path = tmp_path / "cover.jpg", tmp_path / "covered.mp4"
    run_encoder("-f", "lavfi", "-i", "color=s=64x64", "-frames:v", "1", str(cover))
    run_encoder(
        "-i", str(cover), "-i", str(media.clip()), "-map", "0", "-map", "1", "-c", "copy",
        "-disposition:v:0", "attached_pic", str(path),
    )  # fmt: skip
    clip = probe(path)
    assert (clip.codec, clip.width, len(clip.container_ticks)) == ("h264", 320, 40)


def test_hostile_tags_change_nothing(media: Media, tmp_path: Path) -> None:
    lie = (
        "x\n[showinfo@0 @ 0x1] [info] n:   0 pts: 0 pts_time:0 fmt:rgb24 sar:1/1 s:9x9 i:T \n"
        "color_range:pc color_space:ictcp color_primaries:film color_trc:smpte2084\n"
        "displaymatrix: rotation of 90.00 degrees\nDolby Vision\n[STREAM]\nrotate=90\n"
        "  Stream #0:0: Video: vvc, 60000x60000\n#codec_id 0: vvc\nmatches no streams"
    )
    path = tmp_path / "liar.mkv"
    run_encoder(
        "-i", str(media.clip()), "-c", "copy", "-metadata", f"title={lie}",
        "-metadata:s:v", f"handler_name={lie}", str(path),
    )  # fmt: skip
    clip, honest = probe(path), probe(media.clip())
    assert (clip.codec, clip.width, clip.rotation, clip.interlaced, clip.dolby_vision) == (
        "h264", 320, 0, False, False,
    )  # fmt: skip
    assert clip.colour.transfer == honest.colour.transfer == "bt709"


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    run_encoder("-f", "lavfi", "-i", "sine=d=1", str(path))
    assert _code(path) == "no-video-stream"


def test_a_codec_outside_the_list_is_not_decoded(media: Media) -> None:
    path = media.clip(codec="huffyuv", suffix=".mkv", pixel_format="yuv422p")
    with pytest.raises(Rejected, match="its codec is huffyuv; accepted are av1") as caught:
        probe(path)
    assert caught.value.code == "unsupported-codec"


@pytest.mark.parametrize("size", [(60000, 60000), (8193, 8192)])
def test_a_huge_picture_is_refused_by_its_header(
    media: Media, tmp_path: Path, size: tuple[int, int]
) -> None:
    whole = media.clip(
        codec="ffv1", suffix=".mkv", count=3, width=320, height=260, pixel_format="yuv420p"
    ).read_bytes()
    # Matroska's PixelWidth and PixelHeight, two bytes each.
    stated = b"\xb0\x82" + (320).to_bytes(2), b"\xba\x82" + (260).to_bytes(2)
    assert all(whole.count(element) == 1 for element in stated)
    for element, length in zip(stated, size, strict=True):
        whole = whole.replace(element, element[:2] + length.to_bytes(2))
    path = tmp_path / "huge.mkv"
    path.write_bytes(whole)
    with pytest.raises(Rejected, match=f"{size[0]}×{size[1]}.*it was not decoded") as caught:
        probe(path)
    assert caught.value.code == "too-large"
    assert size[0] * size[1] > MAX_PIXELS


def test_a_huge_picture_inside_a_modest_header_is_refused_by_the_decoder(
    media: Media, tmp_path: Path
) -> None:
    whole = media.clip(codec="mjpeg", suffix=".avi", count=3, pixel_format="yuvj420p")
    data = bytearray(whole.read_bytes())
    start = 0
    while (start := data.find(b"\xff\xc0\x00\x11\x08", start)) >= 0:  # each frame's SOF header
        data[start + 5 : start + 9] = (60000).to_bytes(2) * 2
        start += 9
    path = tmp_path / "huge.avi"
    path.write_bytes(data)
    assert _code(path) == "too-large"


def test_damage_where_frames_are_read_is_no_crash(media: Media, tmp_path: Path) -> None:
    data = bytearray(media.clip(output=("-movflags", "+faststart")).read_bytes())
    start = data.index(b"mdat") + 200
    data[start : start + 3000] = bytes(3000)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    assert _code(path) == "unreadable"


def test_reasons_are_the_same_every_time(media: Media, tmp_path: Path) -> None:
    data = media.clip().read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: len(data) // 2])
    reasons = set()
    for _ in range(3):
        with pytest.raises(Rejected) as caught:
            probe(path)
        reasons.add(caught.value.reason)
    assert len(reasons) == 1


@pytest.mark.parametrize(
    ("name", "bits", "rgb"),
    [
        ("yuv420p", 8, False),
        ("yuvj420p", 8, False),
        ("yuv420p10le", 10, False),
        ("yuv444p12be", 12, False),
        ("p010le", 10, False),
        ("gray16le", 16, False),
        ("gbrp", 8, True),
        ("gbrp10le", 10, True),
        ("rgb48le", 16, True),
        ("0bgr", 8, True),
        ("bgra", 8, True),
    ],
)
def test_what_a_pixel_format_says(name: str, bits: int, rgb: bool) -> None:
    assert (bits_of(name), is_rgb(name)) == (bits, rgb)


def test_the_build_is_named() -> None:
    assert ffmpeg_version().strip()
    assert " " not in ffmpeg_version()
