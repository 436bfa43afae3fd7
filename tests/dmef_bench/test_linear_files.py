import struct
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from bracketed_media import light

from dmef_bench.errors import IntegrityError
from dmef_bench.linear_files import decode_light, encode_light

NAME = Path("truth")


def _radiance(of):
    return cv2.imencode(".hdr", np.ascontiguousarray(of[..., ::-1]))[1].tobytes()


def _tiff(array, **options):
    stream = BytesIO()
    tifffile.imwrite(stream, array, photometric="rgb", **options)
    return stream.getvalue()


def test_radiance_gives_its_light_in_rgb():
    of = light(1)
    read = decode_light(_radiance(of), NAME)
    assert (read.dtype, read.shape) == (np.float32, of.shape)
    # RGBE holds 8 bits of the largest channel.
    assert np.abs(read - of).max() <= of.max() / 128
    assert (np.abs(read - of) <= of.max(axis=2, keepdims=True) / 127).all()


def test_a_float_tiff_gives_every_bit_back():
    of = light(2)
    content = encode_light(of)
    assert content == encode_light(of)
    assert (decode_light(content, NAME) == of).all()


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_floats_become_float32(kind):
    of = light(3).astype(kind)
    read = decode_light(_tiff(of, compression="zlib"), NAME)
    assert read.dtype == np.float32
    assert (read == of.astype(np.float32)).all()


def test_a_size_out_of_bounds_is_never_decoded():
    huge = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 900000 +X 900000\n"
    with pytest.raises(IntegrityError, match=r"900000×900000.*not decoded"):
        decode_light(huge, NAME)
    content = bytearray(_tiff(light(4)))
    with tifffile.TiffFile(BytesIO(content)) as file:
        tag = file.pages[0].tags["ImageWidth"]
        place = tag.offset + 8
    content[place : place + 4] = struct.pack("<I" if content[:2] == b"II" else ">I", 2**31 - 1)
    with pytest.raises(IntegrityError):
        decode_light(bytes(content), NAME)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "neither Radiance"),
        (b"not a picture at all", "neither Radiance"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n+Y 4 +X 4\n", "-Y HEIGHT"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 4 +X 4\n", "32-bit_rle_rgbe"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 40 +X 40\nshort", "damaged"),
    ],
)
def test_broken_files_are_named_with_the_reason(content, words):
    with pytest.raises(IntegrityError, match=words) as refused:
        decode_light(content, NAME)
    assert str(refused.value).startswith("truth: ")


def test_integers_and_grey_are_no_light():
    with pytest.raises(IntegrityError, match="linear light"):
        decode_light(_tiff(np.zeros((8, 8, 3), np.uint16)), NAME)
    stream = BytesIO()
    tifffile.imwrite(stream, np.zeros((8, 8), np.float32))
    with pytest.raises(IntegrityError, match="linear light"):
        decode_light(stream.getvalue(), NAME)


@pytest.mark.parametrize(("value", "words"), [(np.nan, "NaN"), (np.inf, "NaN"), (-0.5, "negative")])
def test_values_that_are_no_light_are_refused(value, words):
    of = light(5)
    of[3, 4, 1] = value
    with pytest.raises(IntegrityError, match=words):
        decode_light(encode_light(of), NAME)
