"""Pictures in, pictures out: camera response models, LECARM, exposures, generated scenes.

A submodule is imported when it is first asked for, so that `import synth` stays light.
"""

from importlib import import_module
from types import ModuleType

__all__ = ["camera_response", "exposure", "lecarm", "moving_scenes"]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return import_module(f"synth.{name}")
    raise AttributeError(f"module 'synth' has no attribute {name!r}")
