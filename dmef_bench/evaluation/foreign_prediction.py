"""Read a prediction that was made elsewhere, as the scene's ground truth asks for it."""

from pathlib import Path
from typing import Final

import numpy as np

from baselines.conventions import GAMMA
from dmef_bench.dataset import Scene
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.evaluation.linear_light import Light
from dmef_bench.evaluation.predicted_pixels import Pixels
from dmef_bench.linear_files import decode_light
from dmef_bench.picture_files import Picture, picture_size, read_picture, to_eight_bits

SUFFIXES: Final = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
SUFFIXES_OF_LIGHT: Final = (".hdr", *SUFFIXES)


def read_prediction(file: Path, scene: Scene) -> Pixels:
    """A prediction for a scene, in the domain of its ground truth.

    Where that is linear light, .hdr and float TIFF are taken for light as they are; 8- and 16-bit
    pictures are display-referred and become light by ^2.2, like the result of a method.

    Returns:
        (H, W, 3) uint8, or float32 linear light.

    Raises:
        UsageError: of another size than the scene.
        IntegrityError: missing, damaged, or too large by its header.
    """
    height, width = scene.record.height, scene.record.width
    if scene.linear and file.suffix.lower() in (".hdr", ".tif", ".tiff"):
        light = _light(file, height * width)
        if light is not None:
            _check(file, light.shape[:2], (height, width))
            return light
    size = picture_size(file)
    if set(size) != {height, width}:
        _check(file, size, (height, width))
    picture = read_picture(file)
    return _display_to_light(picture) if scene.linear else to_eight_bits(picture)


def _light(file: Path, pixels: int) -> Light | None:
    """Linear light; None where a TIFF holds integers, which are display values."""
    if not file.is_file():
        raise IntegrityError(f"{file}: there is no such picture")
    if file.stat().st_size > 24 * pixels + (1 << 20):
        raise UsageError(f"{file}: larger than any picture of this scene; it was not read")
    content = file.read_bytes()
    if file.suffix.lower() != ".hdr":
        try:
            picture_size(file)
        except IntegrityError:
            return decode_light(content, file)  # a TIFF of floats, which Pillow does not know
        return None
    return decode_light(content, file)


def _check(file: Path, found: tuple[int, ...], due: tuple[int, int]) -> None:
    if found != due:
        raise UsageError(f"{file}: {found[1]}×{found[0]}, but the scene is {due[1]}×{due[0]}")


def _display_to_light(picture: Picture) -> Light:
    values = picture.astype(np.float32) / np.float32(np.iinfo(picture.dtype).max)
    return np.asarray(values ** np.float32(GAMMA), dtype=np.float32)
