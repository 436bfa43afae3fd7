"""Pictures in, pictures out: response models, LECARM, exposures, noise, generated scenes.

A submodule is imported when it is first asked for, so that `import synth` stays light.
"""

from importlib import import_module
from types import ModuleType

__all__ = [
    "camera_response",
    "camera_track",
    "exposure",
    "lecarm",
    "moving_scenes",
    "sensor_noise",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return import_module(f"synth.{name}")
    raise AttributeError(f"module 'synth' has no attribute {name!r}")
