"""What a picture file says about itself beside its pixels: camera settings, colour profile."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import ExifTags, Image

_CAMERA_TAGS: Final = {
    "time": ExifTags.Base.ExposureTime,
    "iso": ExifTags.Base.ISOSpeedRatings,
    "aperture": ExifTags.Base.FNumber,
}


def camera_settings(path: Path) -> dict[str, float]:
    """Exposure "time" in seconds, "iso" and "aperture" (f-number) from a picture's EXIF.

    Args:
        path: a picture that `read_picture` accepted.

    Returns:
        Those that are there and make sense; empty for damaged EXIF.
    """
    try:
        with _opened(path) as image:
            exif = image.getexif().get_ifd(ExifTags.IFD.Exif)
    except (OSError, ValueError, SyntaxError):
        return {}
    settings = {}
    for name, tag in _CAMERA_TAGS.items():
        value = exif.get(tag, ())
        try:
            number = float(value[0] if isinstance(value, tuple) else value)
        except (TypeError, ValueError, ZeroDivisionError, IndexError):
            continue
        if math.isfinite(number) and number > 0.0:
            settings[name] = number
    return settings


def colour_profile(path: Path) -> bytes | None:
    """The ICC profile of a picture that `read_picture` accepted, None without one for RGB.

    A profile for grey or CMYK pixels would not fit the RGB they are read as.
    """
    with _opened(path) as image:
        profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile[16:20] == b"RGB " else None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The picture, not decoded; its size was judged when its pixels were read."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path) as image:
            yield image
    finally:
        Image.MAX_IMAGE_PIXELS = limit
