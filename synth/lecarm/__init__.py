"""LECARM: low-light enhancement with a camera response model."""

from synth.lecarm.enhancement import RATIO_MAX, brightest_channel, enhance, exposure_ratio
from synth.lecarm.illumination import Solver, smooth_illumination
from synth.lecarm.resize import imresize

__all__ = [
    "RATIO_MAX",
    "Solver",
    "brightest_channel",
    "enhance",
    "exposure_ratio",
    "imresize",
    "smooth_illumination",
]
