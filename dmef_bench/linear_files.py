"""Read and write pictures of linear light: Radiance .hdr and float TIFF, header before pixels."""

import re
from io import BytesIO
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from dmef_bench.errors import IntegrityError
from dmef_bench.picture_files import MAX_PIXELS

Light = NDArray[np.float32]

SUFFIXES: Final = (".hdr", ".tif", ".tiff")
_RADIANCE = (b"#?RADIANCE", b"#?RGBE")
_HEADER_BYTES = 65536
_RESOLUTION = re.compile(rb"\n\n-Y ([0-9]{1,9}) \+X ([0-9]{1,9})\n")
_FORMAT = re.compile(rb"\nFORMAT=(.*)")


def decode_light(content: bytes, name: Path, max_pixels: int = MAX_PIXELS) -> Light:
    """A picture of linear light from the bytes of its file.

    Radiance .hdr (RGBE, upright) as OpenCV decodes it, or TIFF with one plane of three 16-, 32- or
    64-bit floats a pixel.

    Args:
        content: the whole file.
        name: for messages.
        max_pixels: more by the header are refused before anything is decoded.

    Returns:
        (H, W, 3) float32 RGB, finite, at least 0, contiguous.

    Raises:
        IntegrityError: neither of the two, too large, damaged, or with values that are no light.
    """
    light = (
        _radiance(content, name, max_pixels)
        if content.startswith(_RADIANCE)
        else _float_tiff(content, name, max_pixels)
    )
    if not np.isfinite(light).all():
        raise IntegrityError(f"{name}: holds NaN or infinite values; make the file anew")
    if light.min() < 0:
        raise IntegrityError(f"{name}: holds negative values, which are no light; clip them to 0")
    return light


def encode_light(light: Light) -> bytes:
    """Uncompressed float32 TIFF of an (H, W, 3) RGB picture; the same bytes every time."""
    stream = BytesIO()
    tifffile.imwrite(
        stream,
        np.ascontiguousarray(light, dtype=np.float32),
        photometric="rgb",
        metadata=None,
        software=False,
        byteorder="<",
    )
    return stream.getvalue()


def _radiance(content: bytes, name: Path, max_pixels: int) -> Light:
    header = content[:_HEADER_BYTES]
    size = _RESOLUTION.search(header)
    if size is None:
        raise IntegrityError(
            f"{name}: a Radiance file without a line '-Y HEIGHT +X WIDTH'; save it upright, as RGBE"
        )
    kind = _FORMAT.search(header[: size.start() + 1])
    if kind is not None and kind[1].strip() != b"32-bit_rle_rgbe":
        raise IntegrityError(f"{name}: a Radiance file that is not 32-bit_rle_rgbe; save it so")
    height, width = int(size[1]), int(size[2])
    _refuse_large(height, width, name, max_pixels)
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise IntegrityError(f"{name}: can't be decoded ({error.err})") from error
    if image is None or image.shape != (height, width, 3) or image.dtype != np.float32:
        raise IntegrityError(f"{name}: damaged, its pixels can't be decoded; make the file anew")
    return np.ascontiguousarray(image[..., ::-1], dtype=np.float32)


def _float_tiff(content: bytes, name: Path, max_pixels: int) -> Light:
    try:
        with tifffile.TiffFile(BytesIO(content)) as file:
            page = file.pages[0]
            if not isinstance(page, tifffile.TiffPage):
                raise IntegrityError(f"{name}: a TIFF whose first picture can't be read")
            height, width = page.imagelength, page.imagewidth
            _refuse_large(height, width, name, max_pixels)
            if page.shape != (height, width, 3) or page.dtype is None or page.dtype.kind != "f":
                raise IntegrityError(
                    f"{name}: {page.dtype} values of shape {page.shape}; a picture of linear light "
                    "is Radiance .hdr or a TIFF of three floats a pixel"
                )
            image = page.asarray()
    except (IntegrityError, MemoryError):
        raise
    except Exception as error:  # tifffile lets the decoder's own errors through
        said = " ".join(str(error).split())[:200]
        raise IntegrityError(
            f"{name}: neither Radiance .hdr nor a readable TIFF ({said})"
        ) from None
    if image.shape != (height, width, 3):
        raise IntegrityError(f"{name}: damaged, its pixels can't be decoded; make the file anew")
    return np.ascontiguousarray(image, dtype=np.float32)


def _refuse_large(height: int, width: int, name: Path, max_pixels: int) -> None:
    if not 0 < height * width <= max_pixels:
        raise IntegrityError(
            f"{name}: its header says {width}×{height}, not 1 to {max_pixels:,} pixels; "
            "it was not decoded"
        )
