"""Read and write single pictures: header before decode, one clear error, lossless PNG."""

from io import BytesIO
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from dmef_bench.errors import IntegrityError

Picture = NDArray[np.uint8] | NDArray[np.uint16]

# 30000 × 20000, the largest picture streaming is meant for.
MAX_PIXELS = 600_000_000
# Measured at 4K (benchmarks/build_dataset.py): a single row filter takes two thirds of the time of
# libpng's choice among all, for files of about the same size; higher levels gain next to nothing.
PNG_LEVEL = 1
PNG_ENCODER = f"OpenCV {cv2.__version__}, level {PNG_LEVEL}, filter up"
_QUICK = (
    cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP,
)  # fmt: skip
# Damaged files are reported by our own errors, which name the file.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
_FORMATS = ("PNG", "JPEG", "TIFF")


def _size(content: Path | BytesIO, name: Path, max_pixels: int) -> tuple[int, int]:
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None  # our own limit below names the file and the size
    try:
        with Image.open(content, formats=_FORMATS) as image:
            width, height = image.size
    except FileNotFoundError:
        raise IntegrityError(f"{name}: there is no such picture") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise IntegrityError(f"{name}: not a readable PNG, JPEG or TIFF ({error})") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    if height * width > max_pixels:
        raise IntegrityError(
            f"{name}: its header says {width}×{height}, more than {max_pixels:,} pixels; "
            "it was not decoded"
        )
    return height, width


def picture_size(path: Path, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Height and width from the file's header, without decoding it.

    Raises:
        IntegrityError: the file is missing, no PNG, JPEG or TIFF, or larger than `max_pixels`.
    """
    return _size(path, path, max_pixels)


def read_picture(path: Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a PNG, JPEG or TIFF as (H, W, 3) RGB, uint8 or uint16; grey becomes RGB.

    Orientation tags are applied; an alpha channel is dropped.

    Raises:
        IntegrityError: missing, too large by its header, damaged, or not 8 or 16 bit.
    """
    size = picture_size(path, max_pixels)
    return _decode(path.read_bytes(), path, size)


def decode_picture(content: bytes, name: Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """The same from the bytes of a file that was read already; `name` is for messages.

    Raises:
        IntegrityError: too large by its header, damaged, or not 8 or 16 bit.
    """
    return _decode(content, name, _size(BytesIO(content), name, max_pixels))


def _decode(content: bytes, name: Path, size: tuple[int, int]) -> Picture:
    data = np.frombuffer(content, dtype=np.uint8)
    try:
        # IMREAD_COLOR_RGB returns wrong values for 16-bit TIFF in OpenCV 5.0.
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        raise IntegrityError(f"{name}: can't be decoded ({error.err})") from error
    if image is None or {*image.shape[:2]} != {*size}:
        raise IntegrityError(f"{name}: damaged, its pixels can't be decoded; make the file anew")
    if image.dtype in (np.uint8, np.uint16):
        return cast(Picture, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    raise IntegrityError(f"{name}: {image.dtype} pixels; 8 or 16 bit integers are needed")


def to_eight_bits(image: Picture) -> NDArray[np.uint8]:
    """A picture with 16-bit values rounded to the nearest 8-bit ones; 8-bit ones as they are."""
    if image.dtype == np.uint16:
        return np.rint(image / 257.0).astype(np.uint8)
    return image.astype(np.uint8, copy=False)


def encode_png(image: Picture, level: int = PNG_LEVEL) -> bytes:
    """PNG bytes of an (H, W, 3) RGB picture, uint8 or uint16; the same bytes every time."""
    options = _QUICK if level == PNG_LEVEL else (cv2.IMWRITE_PNG_COMPRESSION, level)
    done, buffer = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"OpenCV can't encode a {image.dtype} array of shape {image.shape}")
    return buffer.tobytes()
