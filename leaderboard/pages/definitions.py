"""Sentences that explain a table, shared by its Markdown and HTML forms."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from leaderboard.statistics import CONFIDENCE, FEWEST_SCENES

PROTOCOLS: Mapping[str, str] = MappingProxyType(
    {
        "paper": (
            "bilinear down to the size given (the whole picture where none is), infer, bilinear "
            "up. Inference time is the method alone; total time includes both resizes."
        ),
        "tiled": (
            "the full picture in overlapping, blended tiles of the size given. Total time includes "
            "cutting and blending."
        ),
        "native": "the full picture in one call; a method it does not fit is out of memory.",
    }
)
ORDER: Final = (
    "Ranked by mean PSNR among methods with a figure for every scene of the table. Bounds put the "
    "methods in proportion and have no rank."
)
INTERVALS: Final = (
    f"± and brackets are {CONFIDENCE * 100:.0f} % intervals of the mean over scenes (Student's t; "
    f"n/a with fewer than {FEWEST_SCENES} scenes or an infinite mean), not corrected for the "
    "number of comparisons. A difference is taken scene by scene, over the scenes both rows have. "
    "The PSNR of identical pictures is infinite: it makes a mean infinite, and two infinities in "
    "one scene differ by zero."
)
ERROR_MAP: Final = (
    "Error maps show the mean absolute error over R, G and B of values in [0, 1] (linear light: "
    "compressed by the μ-law): black is 0, the brightest colour 0.1 or more, for every method "
    "alike."
)
