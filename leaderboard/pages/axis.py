"""Where a plot's axis has its marks, and where a value lies on it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic map from values to a length in the picture.

    Attributes:
        low, high: values at the ends, low < high; both > 0 where logarithmic.
        start, end: where the ends lie, in picture units (start > end turns the axis round).
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Position of a value, kept between the ends."""
        low, high, here = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, here = math.log(low), math.log(high), math.log(here)
        return round(self.start + (here - low) / (high - low) * (self.end - self.start), 2)

    def ticks(self) -> list[float]:
        """Two to eight round values between the ends."""
        return _log_ticks(self.low, self.high) if self.logarithmic else _ticks(self.low, self.high)


def covering(values: list[float], start: float, end: float) -> Axis:
    """A linear axis over finite values with a margin of 6 % at both ends."""
    low, high = min(values), max(values)
    size = max(abs(low), abs(high), 1.0)
    # Values that differ by less are one value: no mark could tell them apart.
    margin = 0.06 * (high - low) if high - low > 1e-6 * size else 0.1 * size
    return Axis(low - margin, high + margin, start, end)


def covering_log(values: list[float], start: float, end: float) -> Axis:
    """A logarithmic axis over positive values, with a margin at both ends."""
    low, high = min(values), max(values)
    factor = max((high / low) ** 0.08, 1.25)
    return Axis(low / factor, high * factor, start, end, logarithmic=True)


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * power for unit in (1, 2, 5, 10) if unit * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    found = [round(count * step, 12) for count in range(first, last + 1)]
    return [tick for tick in found if low <= tick <= high]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for units in ((1,), (1, 3), (1, 2, 5)):
        found = [unit * 10.0**power for power in decades for unit in units]
        inside = [value for value in found if low <= value <= high]
        if len(inside) >= 3:
            return inside[:: len(inside) // 8 + 1]
    return _ticks(low, high)
