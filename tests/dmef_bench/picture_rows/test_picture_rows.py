"""Files read and written by rows, against the readers everybody uses."""

import itertools
import struct

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from dmef_bench.errors import IntegrityError, MissingError, UsageError
from dmef_bench.picture_rows import BracketFiles, is_big_tiff, open_rows, row_writer

SIZE = (61, 75)


def picture(dtype=np.uint8, size=SIZE, channels=3, seed=0):
    random = np.random.default_rng(seed)
    noise = random.integers(0, np.iinfo(dtype).max, (*size, channels), dtype, endpoint=True)
    noise[10:40] = 7  # so that something can be compressed
    return noise


def read_all(rows, runs=((0, SIZE[0]),)):
    for top, bottom in runs:
        pieces = [
            rows.read(first, min(first + rows.piece, bottom))
            for first in range(top, bottom, rows.piece)
        ]
        yield np.concatenate(pieces)


RUNS = ((0, 1), (3, 20), (59, 61), (5, 6), (0, 61))


def assert_same(path, expected):
    with open_rows(path) as rows:
        assert (rows.height, rows.width, rows.dtype) == (*expected.shape[:2], expected.dtype)
        for (top, bottom), found in zip(RUNS, read_all(rows, RUNS), strict=True):
            assert np.array_equal(found, expected[top:bottom])


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"rowsperstrip": 7},
        {"tile": (16, 32)},
        {"tile": (16, 32), "compression": "zlib"},
        {"rowsperstrip": 9, "compression": "zlib", "predictor": True},
        {"tile": (64, 80), "compression": "zlib", "predictor": True},
    ],
    ids=str,
)
def test_tiffs_of_any_layout_are_read(tmp_path, layout):
    path = tmp_path / "a.tif"
    for dtype, order, big in itertools.product((np.uint8, np.uint16), "<>", (False, True)):
        whole = picture(dtype)
        tifffile.imwrite(path, whole, photometric="rgb", byteorder=order, bigtiff=big, **layout)
        assert_same(path, whole)
        assert is_big_tiff(path) == big


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_deflate", None])
def test_tiffs_of_pillow_are_read(tmp_path, compression):
    path = tmp_path / "a.tiff"
    Image.fromarray(picture()).save(path, compression=compression)
    assert_same(path, picture())


def test_tiffs_of_opencv_are_read(tmp_path):
    path = tmp_path / "a.tif"
    for dtype in (np.uint8, np.uint16):
        cv2.imwrite(str(path), cv2.cvtColor(picture(dtype), cv2.COLOR_RGB2BGR))
        assert_same(path, picture(dtype))


def test_grey_becomes_rgb_and_alpha_is_dropped(tmp_path):
    path = tmp_path / "a.tif"
    grey = picture(channels=1)
    tifffile.imwrite(path, grey[..., 0], photometric="minisblack", rowsperstrip=5)
    assert_same(path, np.repeat(grey, 3, 2))
    rgba = picture(channels=4)
    tifffile.imwrite(path, rgba, photometric="rgb", extrasamples=["unassalpha"], tile=(16, 16))
    assert_same(path, rgba[..., :3])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
def test_what_is_written_by_rows_is_what_was_given(tmp_path, name, dtype):
    path = tmp_path / "new" / name
    whole = picture(dtype)
    rows = torch.from_numpy(whole.astype(np.float32)).movedim(-1, 0) / np.iinfo(dtype).max
    with row_writer(path, *SIZE, np.dtype(dtype), b"x" * 40) as writer:
        for first in range(0, SIZE[0], 13):
            writer.write(first, rows[:, first : first + 13])
        assert not path.exists()
    assert_same(path, whole)
    assert [file.name for file in path.parent.iterdir()] == [name]
    if name == "a.npy":
        assert np.array_equal(np.load(path), whole)
    else:
        assert np.array_equal(tifffile.imread(path), whole)
        assert np.array_equal(cv2.imread(str(path), -1)[..., ::-1], whole)


def test_values_are_clipped_and_rounded(tmp_path):
    path = tmp_path / "a.npy"
    with row_writer(path, 1, 4, np.dtype(np.uint8)) as writer:
        writer.write(0, torch.tensor([-1.0, 0.499 / 255, 0.501 / 255, 2.0]).expand(3, 1, 4))
    assert np.load(path)[0, :, 0].tolist() == [0, 0, 1, 255]


def test_a_writing_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(b"old")
    rows = torch.zeros(3, 2, 75)
    rows[0, 1, 5] = torch.nan
    with (
        pytest.raises(ValueError, match="NaN or infinity"),
        row_writer(path, *SIZE, np.dtype(np.uint8)) as writer,
    ):
        writer.write(0, rows)
    with (
        pytest.raises(ValueError, match="row 3 comes after row -1"),
        row_writer(path, *SIZE, np.dtype(np.uint8)) as writer,
    ):
        writer.write(3, rows)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.tif"]


def test_a_result_larger_than_the_disk_is_refused_before_it_is_begun(tmp_path):
    with (
        pytest.raises(MissingError, match="bytes are needed there"),
        row_writer(tmp_path / "a.tif", 1 << 20, 1 << 20, np.dtype(np.uint16)),
    ):
        pass
    with (
        pytest.raises(UsageError, match=r"written as \.tif"),
        row_writer(tmp_path / "a.png", 4, 4, np.dtype(np.uint8)),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_bracket_is_read_as_floats(tmp_path):
    made = [picture(np.uint8), picture(np.uint16, seed=1), picture(np.uint8, seed=2)]
    tifffile.imwrite(tmp_path / "low.tif", made[0], photometric="rgb", rowsperstrip=3)
    np.save(tmp_path / "mid.npy", made[1])
    tifffile.imwrite(tmp_path / "high.tif", made[2], photometric="rgb", tile=(32, 16))
    paths = [tmp_path / name for name in ("low.tif", "mid.npy", "high.tif")]
    with BracketFiles([open_rows(path) for path in paths]) as bracket:
        assert bracket.dtype == np.uint16
        found = bracket.read(7, 50)
        for exposure, whole in zip(found, made, strict=True):
            expected = whole[7:50].astype(np.float32) / np.iinfo(whole.dtype).max
            assert np.array_equal(exposure.numpy(), np.moveaxis(expected, -1, 0))
        assert all(rows.shape == (8, 75, 3) for rows in bracket.sampled())
    np.save(tmp_path / "mid.npy", made[1][1:])
    with pytest.raises(UsageError, match=r"low\.tif is 75×61 and .*mid\.npy is 75×60"):
        BracketFiles([open_rows(path) for path in paths])


def plain(path, **changes):
    tifffile.imwrite(path, **{"data": picture(), "photometric": "rgb", "rowsperstrip": 8} | changes)
    return path.read_bytes()


def with_tag(content, tag, value):
    """A little-endian TIFF with the value of one short or long tag replaced."""
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    changed = bytearray(content)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] == tag:
            changed[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, value)
    assert bytes(changed) != content
    return bytes(changed)


WIDTH, HEIGHT, BITS, PHOTOMETRIC, SAMPLES = 256, 257, 258, 262, 277


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda p: b"", "not a readable TIFF"),
        (lambda p: b"II*\0\xff\xff\xff\x7f", "not a readable TIFF"),
        (lambda p: plain(p)[:-100], "cut short"),
        (lambda p: with_tag(plain(p), HEIGHT, 2**31), "sides of 1 to"),
        (lambda p: with_tag(plain(p), WIDTH, 0), "sides of 1 to"),
        (lambda p: with_tag(plain(p), HEIGHT, 600), "strips or tiles, and lists 8"),
        (lambda p: with_tag(plain(p), WIDTH, 60000), "too few for the size"),
        (lambda p: with_tag(plain(p), SAMPLES, 7), "RGB or grey"),
        (lambda p: with_tag(plain(p), PHOTOMETRIC, 5), "RGB or grey"),
        (lambda p: plain(p, data=picture().astype(np.float32)), "32 bit float samples"),
        (lambda p: plain(p, data=picture().astype(np.int16)), "16 bit signed samples"),
        (lambda p: plain(p, data=np.moveaxis(picture(), -1, 0), planarconfig="separate"),
         "separate planes"),
        (lambda p: plain(p, compression="lzma"), "can't be read by rows; store it as one of none"),
        (lambda p: plain(p, extratags=[(274, 3, 1, 6, True)]), "turned or mirrored"),
    ],
)  # fmt: skip
def test_hostile_tiffs_end_with_one_sentence(tmp_path, damage, complaint):
    path = tmp_path / "a.tif"
    path.write_bytes(damage(path))
    with pytest.raises(IntegrityError, match=complaint) as caught:
        open_rows(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate"])
def test_damage_inside_a_strip_is_found_when_it_is_read(tmp_path, compression):
    path = tmp_path / "a.tif"
    Image.fromarray(picture()).save(path, compression=compression)
    with tifffile.TiffFile(path) as tiff:
        start, count = tiff.pages[0].dataoffsets[0], tiff.pages[0].databytecounts[0]
    content = bytearray(path.read_bytes())
    content[start + count // 2 : start + count] = bytes(count - count // 2)
    path.write_bytes(content)
    with open_rows(path) as rows, pytest.raises(IntegrityError, match="strip or tile 0 is damaged"):
        list(read_all(rows))


def test_a_file_cut_while_it_is_read_is_named(tmp_path):
    path = tmp_path / "a.tif"
    plain(path)
    with open_rows(path) as rows:
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(IntegrityError, match="cut short while it was read"):
            list(read_all(rows))


@pytest.mark.parametrize(
    ("save", "complaint"),
    [
        (lambda p: np.save(p, picture().astype(np.float32)), "float32 values"),
        (lambda p: np.save(p, picture()[..., 0]), r"\(height, width, 3\)"),
        (lambda p: np.save(p, np.asfortranarray(picture())), "Fortran order"),
        (lambda p: np.save(p, np.array([{}], object), allow_pickle=True), r"shape \(1,\)"),
        (lambda p: p.write_bytes(b"\x93NUMPY\x01\x00\xff\xff{"), "no .npy file"),
        (lambda p: p.write_bytes(b"text"), "no .npy file"),
        (lambda p: (np.save(p, picture()), p.write_bytes(p.read_bytes()[:-1])), "cut short"),
    ],
)
def test_other_arrays_are_refused(tmp_path, save, complaint):
    path = tmp_path / "a.npy"
    save(path)
    with pytest.raises(IntegrityError, match=complaint):
        open_rows(path)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UsageError, match="only TIFF and"):
        open_rows(tmp_path / "a.png")
    for name in ("a.tif", "a.npy"):
        with pytest.raises(IntegrityError, match="can't be read"):
            open_rows(tmp_path / name)
