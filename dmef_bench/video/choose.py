"""Choose three frames of a clip, for one scene or several: visible motion, no cut, no blur."""

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dmef_bench.video.analyse import Analysis, analyse, difference
from dmef_bench.video.clip import Clip, Window
from dmef_bench.video.cuts import find_cuts
from dmef_bench.video.held import RawFrame
from dmef_bench.video.rejected import Rejected
from dmef_bench.video.room import Room
from dmef_bench.video.windows import windows

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
# Two scenes of one shot lie at least this many seconds apart, from the last frame of the earlier
# to the first of the later one: time for what moves to have moved on.
APART = 2.0
# The frames of a few 4K scenes; those of more are decoded again.
_MOST_KEPT = 1 << 28
_NOTHING_HERE = ("no-motion", "no-frames")

_Triple = tuple[int, int, int]


@dataclass(frozen=True)
class ChoiceOptions:
    """How to choose.

    Attributes:
        spacing: seconds between the frames; None tries `SPACINGS` until the motion is clear.
        threads: of the decoder, which change nothing but the time; None for as many as serve who
            does nothing else meanwhile.
        room: where to hold frames while they are looked at; None for memory of their own.
    """

    spacing: float | None = None
    threads: int | None = None
    room: Room | None = field(default=None, compare=False, repr=False)

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
        raw: the frames as they were decoded; None where they must be decoded again.
    """

    ticks: tuple[int, int, int]
    presentation_times: tuple[float, float, float]
    indices: tuple[int, int, int]
    motion: float
    sharpness: float
    window: Window
    raw: tuple[RawFrame, ...] | None = field(default=None, compare=False, repr=False)


def choose_frames(clip: Clip, options: ChoiceOptions = ChoiceOptions()) -> Choice:
    """The best three frames in the middle of the clip, else around its first or third quarter.

    Raises:
        Rejected: "no-motion" or "no-frames" with the numbers of the best window, or what decoding
            brings up.
    """
    return choose_scenes(clip, 1, options)[0]


def choose_scenes(clip: Clip, count: int, options: ChoiceOptions = ChoiceOptions()) -> list[Choice]:
    """Three frames for each of up to `count` scenes, in order of time.

    Scenes lie in different shots, or `APART` seconds apart. First every place that is looked at
    gives one, then, where these are not enough, as many as are left in it.

    Raises:
        Rejected: not even one can be had: "no-motion" or "no-frames" with the numbers of the best
            window; or what decoding brings up.
    """
    chosen: list[Choice] = []
    looked_at: list[Analysis] = []
    failures: list[Rejected] = []
    for window in windows(clip, count):
        looked_at.append(analyse(clip, window, options.threads, options.room))
        try:
            chosen.append(_lighter(choose(looked_at[-1], options, chosen), chosen))
        except Rejected as rejected:
            if rejected.code not in _NOTHING_HERE and not chosen:
                raise
            failures.append(rejected)
        finally:
            looked_at[-1].held.release()
        if len(chosen) == count:
            break
    if not chosen:
        raise next((each for each in failures if each.code == "no-motion"), failures[0])
    for analysis in looked_at:
        with contextlib.suppress(Rejected):  # nothing more in here
            while len(chosen) < count:
                chosen.append(choose(analysis, options, chosen))
    return sorted(chosen, key=lambda choice: choice.ticks)


def _lighter(choice: Choice, chosen: Sequence[Choice]) -> Choice:
    """The choice, without its frames where all frames together are too many to be kept."""
    kept = (frame for each in (*chosen, choice) for frame in each.raw or ())
    if chosen and sum(len(frame.samples) for frame in kept) > _MOST_KEPT:
        return replace(choice, raw=None)
    return choice


def choose(analysis: Analysis, options: ChoiceOptions, taken: Sequence[Choice] = ()) -> Choice:
    """The best three frames of an analysed window.

    Args:
        analysis: of the window.
        options: how to choose.
        taken: scenes of the same clip to keep away from.

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

    @functools.cache  # most pairs belong to two triples
    def changed(first: int, second: int) -> float:
        apart = difference(analysis.thumbnails[first], analysis.thumbnails[second])
        return int((apart >= CHANGED_LEVELS).sum()) / apart.size

    best: Choice | None = None
    for triples in offers:
        for triple in triples:
            first, _, last = triple
            if cuts[first:last].any() or relative[list(triple)].min() < BLURRED:
                continue
            if not all(_apart(analysis, cuts, triple, other) for other in taken):
                continue
            motion = min(changed(*step) for step in pairwise(triple))
            candidate = _choice(analysis, relative, triple, motion)
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
    return replace(best, raw=analysis.held.take(best.ticks))


def _apart(analysis: Analysis, cuts: NDArray[np.bool_], triple: _Triple, other: Choice) -> bool:
    """Whether a triple lies in another shot than a scene of the same clip, or far enough away."""
    first, last = int(analysis.ticks[triple[0]]), int(analysis.ticks[triple[2]])
    start, end = (last, other.ticks[0]) if last < other.ticks[0] else (other.ticks[2], first)
    if start >= end:
        return False
    after_cuts = analysis.ticks[1:][cuts]
    another_shot = bool(((start < after_cuts) & (after_cuts <= end)).any())
    return another_shot or (end - start) * analysis.clock >= APART


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


def _choice(
    analysis: Analysis, relative: NDArray[np.float64], triple: _Triple, motion: float
) -> Choice:
    first, second, third = (int(analysis.ticks[place]) for place in triple)
    clock = analysis.clock
    return Choice(
        ticks=(first, second, third),
        presentation_times=(float(first * clock), float(second * clock), float(third * clock)),
        indices=triple,
        motion=motion,
        sharpness=float(relative[list(triple)].min()),
        window=analysis.window,
    )


def _merit(choice: Choice) -> float:
    return min(choice.motion, _ENOUGH_MOTION) * min(choice.sharpness, 1.0)


def _wanted(options: ChoiceOptions) -> str:
    if options.spacing is None:
        return f"{SPACINGS[0]:.2f} to {SPACINGS[-1]:.2f} s apart"
    return f"{options.spacing:g} s apart (--spacing)"
