"""Pictures a run leaves for the leaderboard's page: the bracket, the result, its errors, crops."""

import json
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from baselines import Bracket
from dmef_bench.atomic_write import atomic_write
from dmef_bench.evaluation.crops import Crop, choose_crops
from dmef_bench.evaluation.eight_bit import EightBit, to_eight_bit
from dmef_bench.evaluation.predicted_pixels import Pixels, shown
from dmef_bench.picture_files import encode_png

WIDTH: Final = 640
ERROR_SCALE: Final = 0.1
"""The mean absolute error over R, G and B (of 1) that the error map shows in its last colour."""
_JPEG_QUALITY = 88


def write_pictures(folder: Path, bracket: Bracket, truth: Pixels, result: Pixels) -> None:
    """Write six pictures 640 pixels wide, six crops at native pixels and `crops.json`.

    The crops depend on bracket and ground truth alone, so every method shows the same ones.

    Args:
        folder: made where it is missing.
        bracket: one scene, (1, 3, 3, H, W).
        truth: (H, W, 3), uint8 or linear light, which is shown compressed by the μ-law.
        result: likewise.

    Raises:
        MissingError: the disk is full or the folder can't be written.
    """
    truth, result = shown(truth), shown(result)
    low, mid, high = (to_eight_bit(bracket.images[:, exposure]) for exposure in range(3))
    pictures = {"low": low, "mid": mid, "high": high, "ground_truth": truth, "result": result}
    for name, picture in pictures.items():
        _write_jpeg(folder / f"{name}.jpg", _small(picture))
    _write_jpeg(folder / "error.jpg", error_map(result, truth))

    crops = choose_crops(low, mid, high, truth)
    for number, crop in enumerate(crops, start=1):
        for name, picture in (("reference", mid), ("ground_truth", truth), ("result", result)):
            atomic_write(
                folder / f"crop{number}_{name}.png", encode_png(_cut(picture, crop), level=6)
            )
    places = {
        f"crop{number}": {"x": crop.x, "y": crop.y, "what": crop.what}
        for number, crop in enumerate(crops, start=1)
    }
    atomic_write(folder / "crops.json", (json.dumps(places, indent=2) + "\n").encode())


def error_map(result: EightBit, truth: EightBit) -> EightBit:
    """Where a result is wrong: (h, 640, 3) uint8 from black (none) to pale yellow (0.1 or more).

    Each pixel is the mean over R, G, B and over the pixels it stands for of |result - truth|,
    in units where white is 1; the scale never changes.
    """
    error = cv2.absdiff(result, truth).astype(np.float32).mean(axis=2) / 255
    shares = np.asarray(_shrunk(error), dtype=np.float32) / ERROR_SCALE
    levels = np.clip(255 * shares, 0, 255).astype(np.uint8)
    coloured = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _small(picture: EightBit) -> EightBit:
    return np.asarray(_shrunk(picture), dtype=np.uint8)


def _shrunk(picture: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.generic]:
    height, width = picture.shape[:2]
    shown = min(WIDTH, width)
    size = (shown, max(1, round(height * shown / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _cut(picture: EightBit, crop: Crop) -> EightBit:
    return np.ascontiguousarray(
        picture[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
    )


def _write_jpeg(path: Path, picture: EightBit) -> None:
    done, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY],
    )
    if not done:
        raise ValueError(f"OpenCV can't encode a picture of shape {picture.shape} as JPEG")
    atomic_write(path, data.tobytes())
