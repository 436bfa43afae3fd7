"""Training data made wholly on the device that trains: pictures in its memory, brackets in batches.

`pictures` renders and reads what lies there, `pool` samples it, `draw` draws a batch's motion,
`render` makes its frames, `exposures` exposes them, and `source` is what the loop asks.
"""

from dmef_bench.training.on_device.exposures import (
    BothExposures,
    CameraExposures,
    Exposures,
    PaperExposures,
)
from dmef_bench.training.on_device.pool import PicturePool
from dmef_bench.training.on_device.source import ScenesOnDevice, scenes_on_device

__all__ = [
    "BothExposures",
    "CameraExposures",
    "Exposures",
    "PaperExposures",
    "PicturePool",
    "ScenesOnDevice",
    "scenes_on_device",
]
