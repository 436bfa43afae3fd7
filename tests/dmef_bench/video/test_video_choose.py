from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from media import VARIABLE, Media, number_of, picture

from dmef_bench.video import (
    Choice,
    ChoiceOptions,
    Rejected,
    choose_frames,
    choose_scenes,
    extract_frames,
    probe,
)
from dmef_bench.video.analyse import (
    WINDOW_FRAMES,
    Analysis,
    analyse,
    difference,
    in_order,
    sharpness,
)
from dmef_bench.video.choose import APART, choose, relative_sharpness
from dmef_bench.video.clip import Window
from dmef_bench.video.cuts import find_cuts
from dmef_bench.video.showinfo import NO_PTS
from dmef_bench.video.windows import windows


def _analysis(thumbnails: np.ndarray, sharp: np.ndarray | None = None, fps: int = 30) -> Analysis:
    count = len(thumbnails)
    return Analysis(
        Window(), Fraction(1, fps), np.arange(count), np.ones(count) if sharp is None else sharp,
        thumbnails,
    )  # fmt: skip


def _panning(count: int, start: int = 0) -> np.ndarray:
    return np.stack([picture(start + n, 90, 160)[..., 1] for n in range(count)])


def _still(count: int) -> np.ndarray:
    return np.repeat(_panning(1), count, axis=0)


def test_three_frames_a_sixth_of_a_second_apart_by_default(media: Media) -> None:
    clip = probe(media.clip())
    choice = choose_frames(clip)
    steps = [b - a for a, b in pairwise(choice.presentation_times)]
    assert steps == pytest.approx([1 / 6, 1 / 6], abs=1 / 60)
    assert choice.motion >= 0.05
    assert choice.ticks == tuple(clip.container_ticks[index] for index in choice.indices)
    assert choose_frames(clip) == choice


def test_threads_of_the_decoder_change_nothing(media: Media) -> None:
    clip = probe(media.clip())
    one, many = (choose_frames(clip, ChoiceOptions(threads=count)) for count in (1, 4))
    assert one == many
    assert one.raw is not None
    assert one.raw == many.raw


@pytest.mark.parametrize("spacing", [1 / 30, 0.1, 0.5])
def test_spacing_is_an_option(media: Media, spacing: float) -> None:
    choice = choose_frames(probe(media.clip()), ChoiceOptions(spacing))
    steps = [b - a for a, b in pairwise(choice.presentation_times)]
    assert steps == pytest.approx([spacing, spacing], rel=0.25)


def test_a_spacing_the_clip_is_too_short_for(media: Media) -> None:
    with pytest.raises(Rejected, match="2 s apart") as caught:
        choose_frames(probe(media.clip()), ChoiceOptions(2))
    assert caught.value.code == "too-short"


@pytest.mark.parametrize("spacing", [0, -1, 61, float("nan")])
def test_a_spacing_that_makes_no_sense(spacing: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        ChoiceOptions(spacing)


def test_a_still_clip_is_turned_down_with_the_numbers(media: Media) -> None:
    with pytest.raises(Rejected, match=r"at most 0\.0\d% .* 0\.50% are needed") as caught:
        choose_frames(probe(media.clip(pictures="still")))
    assert caught.value.code == "no-motion"


def test_a_fade_is_no_motion(media: Media) -> None:
    with pytest.raises(Rejected) as caught:
        choose_frames(probe(media.clip(pictures="fade")))
    assert caught.value.code in ("no-motion", "no-frames")


def test_no_cut_lies_between_the_frames(media: Media) -> None:
    clip = probe(media.clip(pictures="cut"))
    frames = extract_frames(clip, choose_frames(clip))
    numbers = [number_of(frame) for frame in frames]
    assert all(number < 20 for number in numbers) or all(number >= 20 for number in numbers)


def test_a_clip_with_nothing_but_cuts(media: Media) -> None:
    flicker = np.stack([_panning(1)[0], 255 - _panning(1)[0]] * 10)
    flicker[1::2] = np.roll(flicker[1::2], 40, axis=2)
    still_then_cut = np.concatenate([_still(4), flicker[1:2], _still(4)])
    cuts = find_cuts(still_then_cut)
    assert list(np.flatnonzero(cuts)) == [3, 4]
    with pytest.raises(Rejected, match="9 frames looked at, 2 cuts, 0 blurred") as caught:
        choose(_analysis(still_then_cut, fps=10), ChoiceOptions(0.3))
    assert caught.value.code == "no-frames"


def test_a_blurred_frame_is_not_chosen(media: Media) -> None:
    clip = probe(media.clip(pictures="shaken"))
    for spacing in (None, 0.1, 0.2, 1 / 3):
        frames = extract_frames(clip, choose_frames(clip, ChoiceOptions(spacing)))
        assert all(number_of(frame) % 7 not in (1, 2) for frame in frames)


def test_doubled_frames_still_give_three_different_pictures(media: Media) -> None:
    clip = probe(media.clip(pictures="doubled"))
    frames = extract_frames(clip, choose_frames(clip, ChoiceOptions(1 / 15)))
    assert len({number_of(frame) for frame in frames}) == 3


def test_neighbours_that_are_doubles_are_no_motion() -> None:
    doubled = np.repeat(_panning(10), 3, axis=0)
    with pytest.raises(Rejected) as caught:
        choose(_analysis(doubled), ChoiceOptions(1 / 30))
    assert caught.value.code == "no-motion"


def test_a_variable_frame_rate_is_chosen_by_time(media: Media) -> None:
    clip = probe(
        media.clip(times=VARIABLE, output=("-video_track_timescale", "60000"), keyframes=99)
    )
    choice = choose_frames(clip, ChoiceOptions(0.2))
    steps = [b - a for a, b in pairwise(choice.presentation_times)]
    assert steps == pytest.approx([0.2, 0.2], abs=0.05)
    numbers = [number_of(frame) for frame in extract_frames(clip, choice)]
    assert choice.ticks == tuple(2000 * n + 100 * n * n for n in numbers)


def test_a_time_lapse_uses_neighbours() -> None:
    choice = choose(_analysis(_panning(8), fps=1), ChoiceOptions())
    assert choice.presentation_times[1] - choice.presentation_times[0] == 1


def test_five_frames_are_enough() -> None:
    choice = choose(_analysis(_panning(5)), ChoiceOptions())
    assert choice.motion >= 0.05


def test_two_frames_are_not() -> None:
    with pytest.raises(Rejected) as caught:
        choose(_analysis(_panning(2)), ChoiceOptions())
    assert caught.value.code == "too-short"


def test_a_long_clip_is_looked_at_in_the_middle_first(media: Media) -> None:
    clip = probe(media.clip(count=200, keyframes=10))
    first, *others = windows(clip)
    assert first.start in clip.keyframe_ticks
    middle = first.start + WINDOW_FRAMES // 2 * 512
    assert abs(middle - clip.container_ticks[100]) <= 10 * 512
    assert [other.start for other in others] == [clip.container_ticks[n] for n in (14, 114)]
    choice = choose_frames(clip)
    numbers = [number_of(frame) for frame in extract_frames(clip, choice)]
    assert 60 <= numbers[0] < numbers[2] < 140
    assert [512 * number for number in numbers] == list(choice.ticks)


@pytest.mark.parametrize(
    "changes",
    [
        {"codec": "h264-open-gop"},
        {"codec": "h264-open-gop", "suffix": ".mkv"},
        {"codec": "hevc", "pixel_format": "yuv420p10le"},
        {"codec": "hevc", "suffix": ".ts"},
    ],
)
def test_packets_behind_a_window_are_dropped(media: Media, changes: dict[str, object]) -> None:
    clip = probe(media.clip(count=200, keyframes=25, **changes))
    window = windows(clip)[0]
    assert window.last is not None
    dropped, whole = analyse(clip, window), analyse(clip, replace(window, last=None))
    assert dropped.window == window
    assert np.array_equal(dropped.ticks, whole.ticks)
    assert np.array_equal(dropped.sharpness, whole.sharpness)
    assert np.array_equal(dropped.thumbnails, whole.thumbnails)


def test_where_frames_are_missing_then_none_is_dropped(media: Media) -> None:
    clip = probe(media.clip(count=200, keyframes=10))
    window = windows(clip)[0]
    analysis = analyse(clip, replace(window, last=clip.decoding_ticks[100]))
    assert analysis.window == replace(window, last=None)
    assert np.array_equal(analysis.ticks, analyse(clip, window).ticks)


def test_codecs_with_hidden_packets_are_decoded_as_they_are(media: Media) -> None:
    clip = probe(media.clip(codec="vp9", suffix=".webm", count=100))
    assert clip.decoding_ticks == ()
    assert all(window.last is None for window in windows(clip))


def test_a_scene_in_each_shot(media: Media) -> None:
    clip = probe(media.clip(pictures="cut"))
    choices = choose_scenes(clip, 5)
    sides = [
        {number_of(frame) >= 20 for frame in extract_frames(clip, choice)} for choice in choices
    ]
    assert sides == [{False}, {True}]
    assert choose_frames(clip) in choices


def test_frames_of_many_scenes_are_not_all_kept(
    media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = probe(media.clip(pictures="cut"))
    kept = choose_scenes(clip, 2)
    monkeypatch.setattr("dmef_bench.video.choose._MOST_KEPT", 1)
    choices = choose_scenes(clip, 2)
    assert choices == kept
    assert sorted(choice.raw is None for choice in choices) == [False, True]
    for choice, other in zip(choices, kept, strict=True):
        assert np.array_equal(extract_frames(clip, choice), extract_frames(clip, other))


def test_scenes_of_one_shot_lie_apart(media: Media) -> None:
    clip = probe(media.clip(count=120, keyframes=10))
    earlier, later = choose_scenes(clip, 9, ChoiceOptions(0.1))  # 4 s have room for no more
    assert later.presentation_times[0] - earlier.presentation_times[2] >= APART
    assert choose_scenes(clip, 1) == [choose_frames(clip)]


def test_a_second_scene_keeps_away_from_the_first() -> None:
    other = 255 - _panning(20, start=40)[:, ::-1]
    thumbnails = np.concatenate([_panning(20), other, _panning(60, start=66)])
    analysis, options, cuts = _analysis(thumbnails, fps=12), ChoiceOptions(1 / 6), [20, 40]
    taken: list[Choice] = []
    for _ in range(4):
        taken.append(choose(analysis, options, taken))
    with pytest.raises(Rejected):
        choose(analysis, options, taken)
    for earlier, later in pairwise(sorted(choice.ticks for choice in taken)):
        another_shot = any(earlier[2] < cut <= later[0] for cut in cuts)
        assert another_shot or later[0] - earlier[2] >= APART * 12


def test_windows_of_many_scenes_spread_over_the_clip(media: Media) -> None:
    clip = probe(media.clip(count=200, keyframes=10))
    long = replace(
        clip,
        container_ticks=tuple(range(0, 51_200_000, 512)),
        keyframe_ticks=tuple(range(0, 51_200_000, 5120)),
    )
    for scenes in (1, 2, 7):
        found = windows(long, scenes)
        assert found[:3] == windows(long)
        starts = sorted(window.start or 0 for window in found)
        assert len(starts) == 2 * scenes + 1
        assert all(b - a >= WINDOW_FRAMES * 512 for a, b in pairwise(starts))
        assert max(starts) - min(starts) >= 51_200_000 // 3
    assert len(windows(clip, 50)) <= 6, "a short clip is not looked at again and again"


def test_a_cut_is_not_a_fast_pan() -> None:
    pan = np.stack([picture(n, 90, 160, shift=9 * n)[..., 1] for n in range(12)])
    assert not find_cuts(pan).any()
    other = 255 - _panning(6, start=40)[:, ::-1]
    assert list(np.flatnonzero(find_cuts(np.concatenate([_panning(6), other])))) == [5]


def test_sharpness_falls_with_blur() -> None:
    sharp = picture(0, 180, 320)[..., 1]
    moved = np.mean([np.roll(sharp, by, axis=1) for by in range(8)], axis=0).astype(np.uint8)
    assert sharpness(moved) < 0.5 * sharpness(sharp)
    relative = relative_sharpness(np.arange(5) / 30, np.array([10.0, 10, 4, 10, 10]))
    assert list(relative) == [1, 1, 0.4, 1, 1]
    assert list(relative_sharpness(np.arange(3) / 30, np.zeros(3))) == [1, 1, 1]


def test_difference_forgives_exposure_and_not_motion() -> None:
    first, second = _panning(2)
    brighter = np.clip(first * 1.2 + 5, 0, 255).astype(np.uint8)
    assert difference(first, first).max() == 0
    assert difference(first, brighter).mean() < 2
    assert difference(first, second).mean() > 5
    blank = np.full_like(first, 7)
    assert np.isfinite(difference(blank, first)).all()


def test_frames_out_of_order_are_left_out() -> None:
    assert in_order([0, 3, 4, 7, 6, 8]) == [0, 1, 2, 5]
    assert in_order([0, 1, 1, 2]) == [0, 3]
    assert in_order([NO_PTS, NO_PTS, 5]) == [2]
    assert in_order([]) == []
