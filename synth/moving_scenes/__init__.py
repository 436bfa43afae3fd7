"""Generated moving scenes with natural-image statistics, as frames or as encoded clips."""

from synth.moving_scenes.clip_writer import ClipError, write_clip
from synth.moving_scenes.scene import MovingScene

__all__ = ["ClipError", "MovingScene", "write_clip"]
