"""Which parts of a clip are decoded to look for frames; the rest of it never is."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from dmef_bench.video.analyse import WINDOW_FRAMES
from dmef_bench.video.clip import Clip, Window

# The most frames decoded only to reach a window.
_MOST_SKIPPED = 300
# The most packets that are read only to be dropped behind a window: more take longer than the few
# frames that are otherwise decoded too far.
_MOST_DROPPED = 300
# The middle, the first and the third quarter may overlap in a short clip; what is looked at for
# more scenes begins at least this many frames away from every window before it.
_QUARTERS = 3
_APART = WINDOW_FRAMES // 2


def windows(clip: Clip, scenes: int = 1) -> list[Window]:
    """Where to look for `scenes` scenes, in order: at most twice as many places and one.

    A short clip is one window. In a longer one they lie around its middle, its quarters, its
    eighths and so on, so that the first few are spread over the whole clip.
    """
    ticks, keyframes = clip.container_ticks, clip.keyframe_ticks
    if len(ticks) <= WINDOW_FRAMES or not keyframes:
        return [Window()]
    found: list[Window] = []
    targets: list[int] = []
    for share in _shares(2 * scenes + 1):
        target = round(len(ticks) * share) - WINDOW_FRAMES // 2
        target = min(max(target, 0), len(ticks) - WINDOW_FRAMES)
        if len(targets) >= _QUARTERS and any(abs(target - each) < _APART for each in targets):
            continue
        targets.append(target)
        earlier = bisect_right(keyframes, ticks[target])
        keyframe = bisect_left(ticks, keyframes[earlier - 1]) if earlier else 0
        # The first window starts where decoding can, without a wasted frame.
        start = keyframe if not found or target - keyframe > _MOST_SKIPPED else target
        window = Window(
            seek=ticks[keyframe] if keyframe else None,
            start=ticks[start],
            last=_last(clip, start + WINDOW_FRAMES),
        )
        if window not in found:
            found.append(window)
    return found


def _last(clip: Clip, end: int) -> int | None:
    """When the decoder is given the last packet it needs for the frames before `end`."""
    given, behind = clip.decoding_ticks, len(clip.container_ticks) - end
    return max(given[:end]) if given and 0 < behind <= _MOST_DROPPED else None


def _shares(count: int) -> Iterator[float]:
    """1/2, 1/4, 3/4, 1/8, 5/8, 3/8, ...: the van der Corput sequence."""
    for number in range(1, count + 1):
        bits = f"{number:b}"
        yield int(bits[::-1], 2) / (1 << len(bits))
