import struct
import zlib

import cv2
import numpy as np
import pytest

from dmef_bench.errors import IntegrityError
from dmef_bench.picture_files import encode_png, picture_size, read_picture


def _picture(dtype, height=33, width=47):
    top = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, top, (height, width, 3), dtype=dtype, endpoint=True)


def _png_header(width, height):
    def chunk(kind, content):
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 4096)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_returns_every_bit(tmp_path, dtype):
    picture = _picture(dtype)
    path = tmp_path / "picture.png"
    path.write_bytes(encode_png(picture))
    assert picture_size(path) == (33, 47)
    read = read_picture(path)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, picture)


def test_sixteen_bit_tiff_is_read_as_rgb(tmp_path):
    picture = _picture(np.uint16)
    cv2.imwrite(str(tmp_path / "picture.tiff"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    np.testing.assert_array_equal(read_picture(tmp_path / "picture.tiff"), picture)


def test_a_huge_header_is_refused_before_decoding(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_header(60000, 60000))
    with pytest.raises(IntegrityError, match=r"bomb\.png.*60000×60000"):
        read_picture(path)


def test_missing_text_and_truncated_files_are_named(tmp_path):
    with pytest.raises(IntegrityError, match=r"absent\.png: there is no such picture"):
        read_picture(tmp_path / "absent.png")
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(IntegrityError, match=r"text\.png: not a readable"):
        read_picture(tmp_path / "text.png")
    whole = encode_png(_picture(np.uint8))
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IntegrityError, match=r"cut\.png: damaged"):
        read_picture(tmp_path / "cut.png")


def test_floating_point_pictures_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "float.tiff"), np.zeros((4, 4, 3), np.float32))
    with pytest.raises(IntegrityError, match=r"float\.tiff"):
        read_picture(tmp_path / "float.tiff")
