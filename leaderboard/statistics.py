"""Means over scenes and paired differences, with 95 % intervals.

The interval is Student's t over scenes: mean ± t(0.975, n − 1) · s / √n. It is exact for normally
distributed scenes, the same every time, and, unlike a percentile bootstrap, not too narrow when
there are few scenes. It says how far the mean would move with other scenes of the same kind, not
how far one scene may be off. Source: Student, "The probable error of a mean", Biometrika 1908.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtrit

CONFIDENCE: Final = 0.95
FEWEST_SCENES: Final = 3


@dataclass(frozen=True)
class Estimate:
    """A mean over scenes.

    Attributes:
        mean: the mean; infinite where a scene is (see `mean_over_scenes`).
        half_width: half the width of its 95 % interval; None with fewer than three scenes or an
            infinite mean.
        count: number of scenes.
    """

    mean: float
    half_width: float | None
    count: int

    @property
    def low(self) -> float:
        """Lower end of the interval; the mean where there is no interval."""
        return self.mean - (self.half_width or 0.0)

    @property
    def high(self) -> float:
        """Upper end of the interval; the mean where there is no interval."""
        return self.mean + (self.half_width or 0.0)

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval exists and lies on one side of zero."""
        return self.half_width is not None and (self.low > 0 or self.high < 0)


def mean_over_scenes(values: Sequence[float]) -> Estimate | None:
    """Mean and 95 % interval; None for no values.

    An infinite value (the PSNR of identical pictures) makes the mean infinite and leaves it without
    an interval: no cap is invented. Infinities of both signs have no mean: None.
    """
    if not values or (math.inf in values and -math.inf in values):
        return None
    count = len(values)
    mean = math.fsum(values) / count
    if count < FEWEST_SCENES or math.isinf(mean):
        return Estimate(mean, None, count)
    quantile = float(stdtrit(count - 1, 0.5 + CONFIDENCE / 2))
    deviation = float(np.std(np.asarray(values), ddof=1))
    return Estimate(mean, quantile * deviation / math.sqrt(count), count)


def paired_difference(ours: Mapping[str, float], base: Mapping[str, float]) -> Estimate | None:
    """Mean of ours − base over the scenes both have, with its 95 % interval.

    Two infinite values of one scene (both pictures identical to the truth) differ by zero.
    """
    scenes = sorted(ours.keys() & base.keys())
    return mean_over_scenes(
        [0.0 if ours[scene] == base[scene] else ours[scene] - base[scene] for scene in scenes]
    )
