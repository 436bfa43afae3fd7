"""How much brighter one photograph was exposed than another, from what the camera wrote."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dmef_bench.errors import UsageError
from dmef_bench.picture_metadata import camera_settings

EVs = tuple[float, float, float]

ASSUMED_EVS: Final[EVs] = (-2.0, 0.0, 2.0)


@dataclass(frozen=True)
class ExposureValues:
    """EVs of low, mid and high relative to mid, and a sentence on where they come from.

    `assumed` is True where nothing trustworthy was known.
    """

    evs: EVs
    source: str
    assumed: bool = False


def parse_evs(text: str) -> EVs:
    """Three rising numbers such as "-2,0,2".

    Raises:
        UsageError: anything else.
    """
    try:
        evs = tuple(float(part) for part in text.split(","))
    except ValueError:
        evs = ()
    if len(evs) != 3 or not all(map(math.isfinite, evs)) or not evs[0] < evs[1] < evs[2]:
        raise UsageError(f"--ev takes three rising numbers such as --ev=-2,0,2, got {text!r}")
    return evs[0], evs[1], evs[2]


def exposure_values(paths: Sequence[Path]) -> ExposureValues:
    """EVs of three photographs from their EXIF, or -2, 0, +2 with the reason.

    The EV of a photograph is log2(exposure time × ISO / f-number²) less that of the mid one.
    ISO or f-number count only where all three have them.

    Args:
        paths: low, mid and high.
    """
    settings = [camera_settings(path) for path in paths]
    for path, found in zip(paths, settings, strict=True):
        if "time" not in found:
            return _assume(f"{path} has no exposure time in its EXIF")
    used = [key for key in ("time", "iso", "aperture") if all(key in one for one in settings)]
    absolute = [
        math.log2(one["time"])
        + (math.log2(one["iso"]) if "iso" in used else 0.0)
        - (2.0 * math.log2(one["aperture"]) if "aperture" in used else 0.0)
        for one in settings
    ]
    low, mid, high = (round(value - absolute[1], 3) for value in absolute)
    shown = f"{low:+.2f}, {mid:+.2f}, {high:+.2f}"
    if not low < mid < high:
        return _assume(f"the EXIF gives {shown}, which does not rise")
    return ExposureValues((low, mid, high), f"EXIF ({', '.join(used)})")


def _assume(why: str) -> ExposureValues:
    return ExposureValues(
        ASSUMED_EVS, f"assumed, because {why}; give the real ones with --ev", assumed=True
    )
