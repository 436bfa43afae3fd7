"""Fuse one's own three pictures: read, put in order, fuse, round, encode."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from PIL import Image

from baselines import Bracket, CameraResponse, Method
from dmef_bench.errors import ScenesFailedError, UsageError
from dmef_bench.evaluation import MethodCall, MethodFailedError, OutOfMemoryError, check_finite
from dmef_bench.exposure_values import EVs
from dmef_bench.picture_files import PNG_LEVEL, Picture, encode_png, read_picture

_FORMATS: Final = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_JPEG_QUALITY: Final = 95


def read_exposures(paths: Sequence[Path]) -> list[Picture]:
    """Read pictures that must have one size; each (H, W, 3) RGB, uint8 or uint16.

    Raises:
        UsageError: two sizes differ; both files are named.
        IntegrityError: a file is missing or can't be decoded.
    """
    pictures: list[Picture] = []
    for path in paths:
        picture = read_picture(path)
        if pictures and picture.shape != pictures[0].shape:
            sizes = [f"{shape[1]}×{shape[0]}" for shape in (pictures[0].shape, picture.shape)]
            raise UsageError(
                f"{paths[0]} is {sizes[0]} and {path} is {sizes[1]}; "
                "the exposures of a bracket need one size"
            )
        pictures.append(picture)
    return pictures


def order_warning(paths: Sequence[Path], pictures: Sequence[Picture]) -> str | None:
    """A sentence on exposures that do not get brighter one after the other; None where they do."""
    means = [float(picture.mean()) / np.iinfo(picture.dtype).max for picture in pictures]
    for index in range(1, len(means)):
        if means[index] <= means[index - 1]:
            order = ", ".join(str(paths[place]) for place in np.argsort(means, kind="stable"))
            return (
                f"{paths[index]} (mean brightness {means[index]:.3f}) is not brighter than "
                f"{paths[index - 1]} ({means[index - 1]:.3f}); from dark to bright it would be "
                f"{order}"
            )
    return None


def fuse_pictures(
    method: Method,
    pictures: Sequence[Picture],
    evs: EVs,
    response: CameraResponse | None = None,
    precision: str = "float32",
) -> Picture:
    """Fuse low, mid and high exposure with a loaded method.

    Args:
        method: loaded; its device is used.
        pictures: three of one size, (H, W, 3), uint8 or uint16.
        evs: exposure values relative to the result wanted.
        response: the camera response model, for methods that need it.
        precision: "float32", "bfloat16" or "float16" tensors for the method's network, which
            stays in it.

    Returns:
        (H, W, 3), uint16 where one of the pictures is, else uint8.

    Raises:
        ScenesFailedError: the method raised, ran out of memory, or returned another shape, NaN or
            infinities.
    """
    name = method.info.name
    images = torch.stack(
        [
            torch.from_numpy(picture.astype(np.float32) / np.iinfo(picture.dtype).max)
            for picture in pictures
        ]
    )
    bracket = Bracket(images.permute(0, 3, 1, 2)[None].to(method.device), evs, response)
    try:
        result = MethodCall(method, precision)(bracket)
        check_finite(result)
    except OutOfMemoryError as error:
        raise ScenesFailedError(
            f"{name}: {error} for {bracket.size[1]}×{bracket.size[0]} pictures on "
            f"{method.device}; take smaller pictures or another --device"
        ) from error
    except MethodFailedError as error:
        raise ScenesFailedError(f"{name} {error}; nothing was written") from error
    kind = np.uint16 if any(picture.dtype == np.uint16 for picture in pictures) else np.uint8
    fused = result[0].permute(1, 2, 0).clamp(0.0, 1.0).cpu().double().numpy()
    return np.ascontiguousarray(np.rint(fused * np.iinfo(kind).max).astype(kind))


def output_format(path: Path) -> str:
    """PNG, JPEG or TIFF by the file's name.

    Raises:
        UsageError: the name ends otherwise.
    """
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path}: the name needs to end with {', '.join(_FORMATS)}")
    return _FORMATS[path.suffix.lower()]


def encode_picture(picture: Picture, name: Path, colour_profile: bytes | None = None) -> bytes:
    """The bytes of a file of the kind `name` says; a JPEG of 16-bit pixels is rounded to 8 bit.

    Args:
        picture: (H, W, 3) RGB, uint8 or uint16.
        name: of the file to be.
        colour_profile: ICC profile to embed; left out of 16-bit files.

    Raises:
        UsageError: no known kind of file.
    """
    kind = output_format(name)
    if picture.dtype == np.uint16 and kind == "JPEG":
        picture = np.rint(picture / 257.0).astype(np.uint8)
    if picture.dtype == np.uint16:
        if kind == "PNG":
            return encode_png(picture)
        _, buffer = cv2.imencode(".tiff", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return bytes(buffer.tobytes())
    options: dict[str, dict[str, object]] = {
        "PNG": {"compress_level": PNG_LEVEL},
        "JPEG": {"quality": _JPEG_QUALITY, "subsampling": "4:4:4"},
        "TIFF": {"compression": "tiff_lzw"},
    }
    stream = BytesIO()
    Image.fromarray(picture).save(stream, kind, icc_profile=colour_profile, **options[kind])
    return stream.getvalue()
