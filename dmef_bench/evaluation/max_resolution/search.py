"""Which size is tried next, until the largest one that fits is known."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from baselines import SizeRule
from dmef_bench.evaluation.max_resolution.attempt import Attempt

Aspect = Literal["square", "16:9"]

LARGEST_SIDE: Final = 8192
_FIRST_SIDE: Final = 128
_UNIT: Final = 8
# The answer is at most this part of itself too small.
_FINENESS: Final = 1 / 64
# A growth of less memory says too little about the next size.
_TELLING_BYTES: Final = 2**25
_FASTEST_GROWTH: Final = 4


@dataclass(frozen=True)
class Probed:
    """The largest size that fits.

    Attributes:
        size: (height, width); None where even the smallest does not fit.
        refused: the smallest try that did not fit; None where the largest side asked about fits.
        attempts: all that the answer rests on, in order of size.
    """

    size: tuple[int, int] | None
    refused: Attempt | None
    attempts: tuple[Attempt, ...]


def probe(
    rule: SizeRule,
    budget: int,
    attempt: Callable[[int, int], Attempt],
    *,
    aspect: Aspect = "square",
    largest: int = LARGEST_SIDE,
) -> Probed:
    """Find the largest size that fits, by bisection.

    Sides are multiples of 8 or of the method's own multiple; the answer is at most 1/64 of itself
    or one such step too small. The peaks of tries that fit say where the next one is put, every
    other time at most: in between the interval is halved.

    Args:
        rule: sizes the method takes.
        budget: bytes, to guess from peaks where they reach it.
        attempt: (height, width) to an outcome.
        aspect: of the sizes tried.
        largest: the longest side to ask about.
    """
    unit = rule.multiple * math.ceil(_UNIT / rule.multiple)
    smallest = rule.fit(unit, unit)[0]
    search = _Search(budget, aspect, rule)
    too_large: int | None = None
    side, fitting, guessed = max(smallest, min(_FIRST_SIDE, largest) // unit * unit), 0, False
    last = max(smallest, largest // unit * unit)
    while True:
        if search.fits(side, attempt):
            fitting = side
        else:
            too_large = side
        if fitting == last or too_large == smallest:
            break
        fineness = max(unit, int(fitting * _FINENESS) // unit * unit)
        if too_large is not None and too_large - fitting <= fineness:
            break
        low = max(fitting, smallest - unit)
        end = last + unit if too_large is None else too_large
        halve = guessed and too_large is not None
        guess = None if halve else search.guess(fitting)
        guessed = guess is not None
        if guess is None:
            guess = (low + end) // 2 if too_large is not None else _FASTEST_GROWTH // 2 * fitting
        lowest = low + fineness if guessed else low + unit
        side = min(max(guess // unit * unit, lowest), end - unit)
    tried = tuple(sorted(search.tried.values(), key=lambda one: one.height * one.width))
    return Probed(
        search.size(fitting) if fitting else None,
        None if too_large is None else search.tried[too_large],
        tried,
    )


class _Search:
    def __init__(self, budget: int, aspect: Aspect, rule: SizeRule) -> None:
        self._budget, self._aspect, self._rule = budget, aspect, rule
        self.tried: dict[int, Attempt] = {}

    def size(self, side: int) -> tuple[int, int]:
        if self._aspect == "square":
            return side, side
        multiple = self._rule.multiple
        height = max(side * 9 // 16 // multiple * multiple, self._rule.fit(1, 1)[0])
        return height, side

    def fits(self, side: int, attempt: Callable[[int, int], Attempt]) -> bool:
        self.tried[side] = attempt(*self.size(side))
        return self.tried[side].outcome == "fits"

    def guess(self, fitting: int) -> int | None:
        """The side at which a straight line through the last two peaks meets the budget."""
        known = [
            (math.prod(self.size(side)), one.peak_bytes)
            for side, one in sorted(self.tried.items())
            if side <= fitting and one.peak_bytes is not None
        ]
        if len(known) < 2:
            return None
        (fewer, less), (more, most) = known[-2:]
        if most - less < _TELLING_BYTES:
            return None
        pixels = more + (self._budget - most) * (more - fewer) / (most - less)
        return int(fitting * min(_FASTEST_GROWTH, math.sqrt(max(pixels, 1) / more)))
