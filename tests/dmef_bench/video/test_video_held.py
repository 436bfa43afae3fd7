"""Frames are decoded once; where they can't be held, decoding again gives the same."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from media import Media

from dmef_bench.video import (
    ChoiceOptions,
    Clip,
    Rejected,
    Room,
    choose_frames,
    choose_scenes,
    extract_frames,
    probe,
)
from dmef_bench.video import decode as decoding
from dmef_bench.video import held as holding
from dmef_bench.video.decode import cut_held
from dmef_bench.video.ffmpeg import takes_headers
from dmef_bench.video.held import Held, RawFrame, convert, most_bytes

# Every second picture is shown far sooner after the one before than on average.
UNEVEN = "2000*N-1800*mod(N\\,2)"


@pytest.fixture
def clip(media: Media) -> Clip:
    return probe(media.clip())


@pytest.mark.parametrize(
    "changes",
    [
        {"codec": "h264-lossless", "pixel_format": "yuv444p"},
        {"codec": "mjpeg", "suffix": ".avi", "pixel_format": "yuvj422p"},
        {"codec": "ffv1", "suffix": ".mkv", "pixel_format": "bgr0", "width": 321, "height": 181},
        {"codec": "ffv1", "suffix": ".mkv", "pixel_format": "gbrp10le"},
        {"codec": "ffv1", "suffix": ".mkv", "pixel_format": "gray"},
        {"codec": "vp9", "suffix": ".webm", "width": 321, "height": 181},
        {"codec": "ffv1", "suffix": ".mkv", "pixel_format": "yuv420p10le", "width": 321},
        {"codec": "ffv1", "suffix": ".mkv", "pixel_format": "yuv422p12le", "height": 181},
        {"codec": "ffv1", "suffix": ".mkv", "pixel_format": "yuv444p14le"},
        {"remux": ("-display_rotation", "90", "-i")},
        {"tags": ("-bsf:v", "h264_metadata=chroma_sample_loc_type=2")},
        {"count": 200, "keyframes": 10},
        {"times": UNEVEN, "output": ("-video_track_timescale", "60000"), "keyframes": 99},
    ],
)
def test_held_frames_are_those_of_a_second_decoding(
    media: Media, changes: dict[str, object]
) -> None:
    clip = probe(media.clip(**changes))
    choice = choose_frames(clip)
    assert choice.raw is not None
    again = extract_frames(clip, replace(choice, raw=None))
    for frame, other in zip(extract_frames(clip, choice), again, strict=True):
        assert np.array_equal(frame, other)


def test_the_file_is_decoded_once(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs: list[Path] = []
    run = decoding.run_ffmpeg
    monkeypatch.setattr(
        decoding, "run_ffmpeg", lambda *given: inputs.append(given[1]) or run(*given)
    )
    extract_frames(clip, choose_frames(clip))
    assert inputs == [clip.path]


def test_too_many_bytes_are_decoded_again(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    choice = choose_frames(clip)
    monkeypatch.setattr(holding, "MOST_HELD", 40 * 320 * 180)
    assert most_bytes(clip, 40) == 0
    again = choose_frames(clip)
    assert again.raw is None
    assert again == choice
    for frame, other in zip(extract_frames(clip, choice), extract_frames(clip, again), strict=True):
        assert np.array_equal(frame, other)


@pytest.mark.parametrize(
    ("pixel_format", "bytes_a_pixel"),
    [("yuv420p", 1.5), ("yuv420p10le", 3), ("yuv422p10le", 4), ("yuv444p", 3), ("bgr0", 4),
     ("gbrp12le", 8), ("gray", 4)],
)  # fmt: skip
def test_what_a_window_may_take(clip: Clip, pixel_format: str, bytes_a_pixel: float) -> None:
    changed = replace(clip, coded_width=63, coded_height=47, pixel_format=pixel_format)
    assert most_bytes(changed, 3) == 3 * (int(64 * 48 * bytes_a_pixel) + 1024)


def test_only_the_chosen_frames_stay_in_memory(media: Media) -> None:
    clip = probe(media.clip(count=200, keyframes=10))
    for choice in choose_scenes(clip, 2):
        assert choice.raw is None or [len(each.samples) for each in choice.raw] == [86400] * 3


def test_room_is_used_by_one_window_after_the_other(media: Media) -> None:
    longer, shorter = probe(media.clip(count=60)), probe(media.clip(count=20, width=160))
    room = Room()
    for clip in (longer, shorter, longer):
        alone, choice = choose_frames(clip), choose_frames(clip, ChoiceOptions(room=room))
        assert choice == alone
        assert choice.raw == alone.raw
        descriptor = room.descriptor()
        assert os.fstat(descriptor).st_size > most_bytes(longer, 60) * 0.9
        os.close(descriptor)
    room.close()


@pytest.mark.parametrize(
    ("pixel_format", "headers"),
    [("yuv420p", True), ("yuv422p10le", True), ("yuvj420p", False), ("gbrp", False)],
)
def test_what_ffmpeg_can_hold_without_a_copy(pixel_format: str, headers: bool) -> None:
    assert takes_headers(pixel_format) is headers


def test_frames_with_headers() -> None:
    data = memoryview(b"Y4M\nFRAME\nabFRAME\ncd")
    assert cut_held(data, 2, bare=False) == [b"ab", b"cd"]
    assert cut_held(data, 0, bare=False) == []


@pytest.mark.parametrize("data", [b"Y4M\nFRAME\nabFRAMEcde", b"Y4M\nFRAME\nabFRAME\nc"])
def test_frames_with_headers_elsewhere(data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        cut_held(memoryview(data), 2, bare=False)
    assert caught.value.code == "unreadable"


def test_frames_that_are_not_held(clip: Clip) -> None:
    choice = choose_frames(clip)
    assert choice.raw is not None
    held = Held({1: choice.raw[0], 2: choice.raw[1]})
    assert held.take((1, 2, 3)) is None
    assert held.take((2, 1)) == (choice.raw[1], choice.raw[0])
    held.release()
    assert held.take((1,)) is None


def test_frames_of_another_size_than_was_probed(clip: Clip) -> None:
    choice = choose_frames(clip)
    assert choice.raw is not None
    short = [RawFrame(frame.info, frame.samples[:-1000]) for frame in choice.raw]
    with pytest.raises(Rejected) as caught:
        convert(clip, short)
    assert caught.value.code == "unreadable"
