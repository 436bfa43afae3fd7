"""The camera track of a scene: its pictures, and its columns in metadata.jsonl."""

from typing import Any

from dmef_bench.dataset.records import DrawnResponseRecord, NoiseRecord
from synth.camera_track import Camera, CameraOptions, draw_camera, scene_key


def scene_camera(options: CameraOptions, seed: int, sha256: str, place: int) -> Camera:
    """The camera of a scene, whatever its number, its split and who builds it.

    Args:
        options: what to draw from.
        seed: of the dataset.
        sha256: of the video's bytes.
        place: of the scene among those of its video, from 1.
    """
    return draw_camera(options, scene_key(seed, f"{sha256}/{place}"))


def camera_columns(camera: Camera, *, alone: bool) -> dict[str, Any]:
    """What a scene's line says of its camera.

    Args:
        camera: of the scene.
        alone: whether its exposures are the dataset's own, `low`, `mid` and `high`.
    """
    prefix = "" if alone else "camera_"
    low, mid, high = camera.noise
    columns: dict[str, Any] = {
        f"{prefix}evs": camera.evs,
        f"{prefix}response": DrawnResponseRecord(
            model=camera.response.name, parameters=camera.response.parameters
        ),
        "camera_noise": NoiseRecord(
            shot=(low.shot, mid.shot, high.shot), read=(low.read, mid.read, high.read)
        ),
    }
    if camera.jpeg_quality is not None:
        columns["camera_jpeg_quality"] = camera.jpeg_quality
    return columns
