"""Which frames of a sequence make a bracket, and which of them is low, mid and high."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dmef_bench.errors import UsageError
from dmef_bench.exposure_values import ASSUMED_EVS, EVs
from dmef_bench.picture_metadata import camera_settings

_LENGTH = 3


@dataclass(frozen=True)
class EVPattern:
    """EVs of the frames of a sequence.

    Attributes:
        values: of the frames in their order; three are repeated without end.
        source: where they come from, for people.
    """

    values: tuple[float, ...]
    source: str

    def bracket(self, first: int) -> tuple[tuple[int, int, int], EVs]:
        """Low, mid and high among the frames `first` to `first + 2`, and their EVs.

        Raises:
            UsageError: these three have no three different exposures.
        """
        count = len(self.values)
        numbers = range(first, first + _LENGTH)
        known = {number: self.values[number % count] for number in numbers}
        if len(set(known.values())) != _LENGTH:
            shown = ", ".join(f"{value:+g}" for value in known.values())
            raise UsageError(
                f"frames {first} to {first + 2} have the EVs {shown} ({self.source}), not three "
                "different ones; give the pattern with --ev, such as --ev=-2,0,2"
            )
        low, mid, high = sorted(numbers, key=known.__getitem__)
        # What was measured is relative to the reference; what was given is what it is.
        zero = known[mid] if count > _LENGTH else 0.0
        return (low, mid, high), (known[low] - zero, known[mid] - zero, known[high] - zero)


ASSUMED = EVPattern(ASSUMED_EVS, "assumed: low, mid, high; give the real ones with --ev")


def parse_pattern(text: str) -> EVPattern:
    """Three different numbers in the order of the frames, such as "0,-2,2".

    Raises:
        UsageError: anything else.
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != _LENGTH or not all(map(math.isfinite, values)) or len(set(values)) != 3:
        raise UsageError(
            "--ev takes the EVs of three successive frames, all different, such as --ev=-2,0,2; "
            f"got {text!r}"
        )
    return EVPattern(values, "--ev")


def pattern_of_pictures(paths: Sequence[Path]) -> EVPattern:
    """From the exposure times in the pictures' EXIF; assumed where one of them has none.

    The EV of a picture is log2(exposure time × ISO / f-number²); ISO and f-number count only where
    all pictures have them.
    """
    settings = [camera_settings(path) for path in paths]
    for path, found in zip(paths, settings, strict=True):
        if "time" not in found:
            return EVPattern(
                ASSUMED.values, f"{ASSUMED.source} ({path.name} has no exposure time in its EXIF)"
            )
    powers = {"time": 1.0, "iso": 1.0, "aperture": -2.0}
    used = [name for name in powers if all(name in found for found in settings)]
    values = (
        round(sum(powers[name] * math.log2(found[name]) for name in used), 3) for found in settings
    )
    return EVPattern(tuple(values), f"EXIF ({', '.join(used)})")
