"""The camera track: brackets by a camera drawn at random, with noise, and reproducible."""

from synth.camera_track.draw import (
    DRAWN_MODELS,
    Camera,
    CameraOptions,
    draw_camera,
    scene_key,
)
from synth.camera_track.expose import camera_bracket, camera_exposure, light_and_limits

__all__ = [
    "DRAWN_MODELS",
    "Camera",
    "CameraOptions",
    "camera_bracket",
    "camera_exposure",
    "draw_camera",
    "light_and_limits",
    "scene_key",
]
