"""The noise of an image sensor: photons that arrive by chance, and a read-out that adds its own."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHOT_RANGE: Final = (0.0001, 0.012)
"""Shot noise from a bright day at the lowest gain to a night at a high one, as in the source."""

# log read = slope · log shot + offset + a normal deviation, fitted by the source.
_READ_SLOPE, _READ_OFFSET, _READ_DEVIATION = 2.18, 1.20, 0.26
# Beyond so many standard deviations what is left out is less than a table of 16 bits can hold.
_REACH = 6.0


@dataclass(frozen=True)
class SensorNoise:
    """Poisson-Gaussian noise: y = shot · Poisson(x / shot) + Normal(0, read).

    x is light before and y the value after the sensor, both in units of its saturation. The mean
    of y is x and its variance shot · x + read.

    Source: Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image
    raw-data", IEEE TIP 2008, for the model; Brooks et al., "Unprocessing Images for Learned Raw
    Denoising", CVPR 2019, for the range of `shot` and how `read` follows from it, which they
    fitted to the cameras of the Darmstadt Noise Dataset (their Apache-2.0 code has the figures).

    Attributes:
        shot: variance per unit of light, that is the light of one electron.
        read: variance of the read-out. Both are 0, which is no noise, or neither.

    Raises:
        ValueError: another combination, or a read-out above 32 electrons.
    """

    shot: float
    read: float

    def __post_init__(self) -> None:
        none = self.shot == 0 and self.read == 0
        if not (none or (0 < self.shot <= 1 and 0 < self.read <= (32 * self.shot) ** 2)):
            raise ValueError(
                "sensor noise is 0 and 0, or shot noise above 0 with read noise above 0 and of at "
                f"most 32 electrons (read <= (32 shot)²); got shot {self.shot}, read {self.read}"
            )

    def below(self, light: Floats, limits: Floats) -> Floats:
        """The probability that a value lies below a limit.

        Args:
            light: (L,) mean light, >= 0.
            limits: (M,) values of y.

        Returns:
            (L, M) in [0, 1].
        """
        x, t = light[:, None], limits[None, :]
        below = (x < t).astype(np.float64)
        if self.shot == 0:
            return below
        reach = _REACH * np.sqrt(self.shot * x + self.read) + 10 * self.shot
        unsure = np.abs(t - x) < reach
        electrons, limit = np.broadcast_arrays(x / self.shot, t / self.shot)
        below[unsure] = self._below(electrons[unsure], limit[unsure])
        return below

    def _below(self, mean: Floats, limit: Floats) -> Floats:
        """P(N + read-out < limit) in electrons: sure below the read-out's reach, summed within."""
        from scipy.special import gammaln, ndtr, pdtr, xlogy

        deviation = math.sqrt(self.read) / self.shot
        first = np.maximum(np.floor(limit - _REACH * deviation), 0)
        below: Floats = np.where(first > 0, pdtr(np.maximum(first - 1, 0), mean), 0.0)
        for further in range(math.ceil(2 * _REACH * deviation) + 2):
            count = first + further
            chance = np.exp(xlogy(count, mean) - mean - gammaln(count + 1))
            below += chance * ndtr((limit - count) / deviation)
        return np.minimum(below, 1.0)


def read_noise(shot: float, deviation: float) -> float:
    """The read noise of a sensor with this shot noise.

    Args:
        shot: shot noise, > 0.
        deviation: of this sensor from the fit, in the fit's standard deviations.
    """
    return math.exp(_READ_SLOPE * math.log(shot) + _READ_OFFSET + _READ_DEVIATION * deviation)
