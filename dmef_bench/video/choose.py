"""Choose three frames of a clip: visible motion, no cut between them, none of them blurred."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dmef_bench.video.analyse import WINDOW_FRAMES, Analysis, analyse, difference
from dmef_bench.video.clip import Clip, Window
from dmef_bench.video.rejected import Rejected

# Seconds between the frames, in the order they are tried.
SPACINGS = (1 / 6, 1 / 4, 1 / 3, 1 / 2)
# A pixel of the thumbnail, 24 pixels wide in 4K, has changed visibly by this many 8-bit levels.
CHANGED_LEVELS = 8
# Share of the picture that must change between neighbouring frames of the three: to be content
# with a spacing, and to take the clip at all.
CLEAR_MOTION = 0.05
VISIBLE_MOTION = 0.005
# More than this is no better than this.
_ENOUGH_MOTION = 0.25
# A frame is blurred with less than this share of the sharpness its neighbours reach.
BLURRED = 0.65
_NEIGHBOURHOOD = 0.5
# A cut changes the whole picture by this many levels on average and by this many times as much
# as the frames around it change.
CUT_LEVELS = 10.0
CUT_RATIO = 3.0
_CUT_NEIGHBOURS = 6
# The most frames decoded only to reach a window.
_MOST_SKIPPED = 300

_Triple = tuple[int, int, int]


@dataclass(frozen=True)
class ChoiceOptions:
    """How to choose.

    Attributes:
        spacing: seconds between the frames; None tries `SPACINGS` until the motion is clear.
    """

    spacing: float | None = None

    def __post_init__(self) -> None:
        if self.spacing is not None and not 0 < self.spacing <= 60:
            raise ValueError(f"a spacing of {self.spacing} s; more than 0 and at most 60 is needed")


@dataclass(frozen=True)
class Choice:
    """Three frames of a clip.

    Attributes:
        ticks: their presentation times in the clip's time base, rising.
        presentation_times: the same in seconds.
        indices: their places among the frames of the window, from 0.
        motion: share of the picture that changes visibly between neighbours, the smaller of both.
        sharpness: the least of the three, relative to the frames around it.
        window: where they were found; decoding there again gives the same frames.
    """

    ticks: tuple[int, int, int]
    presentation_times: tuple[float, float, float]
    indices: tuple[int, int, int]
    motion: float
    sharpness: float
    window: Window


def choose_frames(clip: Clip, options: ChoiceOptions = ChoiceOptions()) -> Choice:
    """The best three frames in the middle of the clip, else around its first or third quarter.

    Raises:
        Rejected: "no-motion" or "no-frames" with the numbers of the best window, or what decoding
            brings up.
    """
    failures = []
    for window in windows(clip):
        try:
            return choose(analyse(clip, window), options)
        except Rejected as rejected:
            if rejected.code not in ("no-motion", "no-frames"):
                raise
            failures.append(rejected)
    raise next((each for each in failures if each.code == "no-motion"), failures[0])


def windows(clip: Clip) -> list[Window]:
    """Where to look, in order; a short clip is one window."""
    ticks, keyframes = clip.container_ticks, clip.keyframe_ticks
    if len(ticks) <= WINDOW_FRAMES or not keyframes:
        return [Window()]
    found: list[Window] = []
    for share in (1 / 2, 1 / 4, 3 / 4):
        target = round(len(ticks) * share) - WINDOW_FRAMES // 2
        target = min(max(target, 0), len(ticks) - WINDOW_FRAMES)
        earlier = bisect_right(keyframes, ticks[target])
        keyframe = bisect_left(ticks, keyframes[earlier - 1]) if earlier else 0
        # The first window starts where decoding can, without a wasted frame.
        start = keyframe if not found or target - keyframe > _MOST_SKIPPED else target
        window = Window(seek=ticks[keyframe] if keyframe else None, start=ticks[start])
        if window not in found:
            found.append(window)
    return found


def choose(analysis: Analysis, options: ChoiceOptions) -> Choice:
    """The best three frames of an analysed window.

    Raises:
        Rejected: "too-short", "no-frames" or "no-motion".
    """
    count = len(analysis.ticks)
    if count < 3:
        raise Rejected(
            "too-short", f"only {count} of its frames can be decoded, and three are needed"
        )
    cuts = find_cuts(analysis.thumbnails)
    relative = relative_sharpness(analysis.times, analysis.sharpness)
    offers = _offers(analysis.times, options)
    if not any(offers):
        raise Rejected("too-short", f"no three of its {count} frames are {_wanted(options)}")
    best: Choice | None = None
    for triples in offers:
        for triple in triples:
            first, _, last = triple
            if cuts[first:last].any() or relative[list(triple)].min() < BLURRED:
                continue
            candidate = _measure(analysis, relative, triple)
            if best is None or _merit(candidate) > _merit(best):
                best = candidate
        if best is not None and best.motion >= CLEAR_MOTION:
            break
    if best is None:
        blurred = int(np.sum(relative < BLURRED))
        raise Rejected(
            "no-frames",
            f"no three frames {_wanted(options)} without a cut between them or blur: "
            f"{count} frames looked at, {int(cuts.sum())} cuts, {blurred} blurred",
        )
    if best.motion < VISIBLE_MOTION:
        raise Rejected(
            "no-motion",
            f"no visible motion: at most {best.motion:.2%} of the picture changes "
            f"{_wanted(options)}, {VISIBLE_MOTION:.2%} are needed",
        )
    return best


def find_cuts(thumbnails: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n - 1,) whether the scene changes between a thumbnail and the next."""
    changes = np.array([difference(a, b).sum() / a.size for a, b in pairwise(thumbnails)])
    cuts = np.zeros(len(changes), bool)
    for place, change in enumerate(changes):
        around = np.delete(changes, place)[max(0, place - _CUT_NEIGHBOURS) :][: 2 * _CUT_NEIGHBOURS]
        usual = float(np.median(around)) if len(around) else 0.0
        cuts[place] = change >= CUT_LEVELS and change >= CUT_RATIO * usual
    return cuts


def relative_sharpness(
    times: NDArray[np.float64], sharpness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) sharpness by that of the sharper half of the frames within half a second."""
    relative = np.ones(len(times))
    for place, time in enumerate(times):
        around = np.sort(sharpness[np.abs(times - time) <= _NEIGHBOURHOOD])
        usual = around[3 * (len(around) - 1) // 4]
        if usual > 0:
            relative[place] = sharpness[place] / usual
    return relative


def _offers(times: NDArray[np.float64], options: ChoiceOptions) -> list[list[_Triple]]:
    """Triples to try, a list for each spacing."""
    if options.spacing is not None:
        return [_triples(times, options.spacing)]
    offers = [_triples(times, spacing) for spacing in SPACINGS]
    if any(offers):
        return offers
    # A time-lapse, or less than a third of a second: neighbours, then wider steps.
    count = len(times)
    return [
        [(first, first + step, first + 2 * step) for first in range(count - 2 * step)]
        for step in range(1, (count + 1) // 2)
    ]


def _triples(times: NDArray[np.float64], spacing: float) -> list[_Triple]:
    """Indices of frames nearest to `spacing` seconds apart, within a quarter of it."""
    found = []
    for first, start in enumerate(times):
        second = int(np.argmin(np.abs(times - (start + spacing))))
        third = int(np.argmin(np.abs(times - (times[second] + spacing))))
        steps = times[second] - start, times[third] - times[second]
        if all(abs(step - spacing) <= spacing / 4 for step in steps):
            found.append((first, second, third))
    return found


def _measure(analysis: Analysis, relative: NDArray[np.float64], triple: _Triple) -> Choice:
    pictures = [analysis.thumbnails[place] for place in triple]
    changed = [
        int((difference(a, b) >= CHANGED_LEVELS).sum()) / a.size for a, b in pairwise(pictures)
    ]
    first, second, third = (int(analysis.ticks[place]) for place in triple)
    clock = analysis.clock
    return Choice(
        ticks=(first, second, third),
        presentation_times=(float(first * clock), float(second * clock), float(third * clock)),
        indices=triple,
        motion=min(changed),
        sharpness=float(relative[list(triple)].min()),
        window=analysis.window,
    )


def _merit(choice: Choice) -> float:
    return min(choice.motion, _ENOUGH_MOTION) * min(choice.sharpness, 1.0)


def _wanted(options: ChoiceOptions) -> str:
    if options.spacing is None:
        return f"{SPACINGS[0]:.2f} to {SPACINGS[-1]:.2f} s apart"
    return f"{options.spacing:g} s apart (--spacing)"
