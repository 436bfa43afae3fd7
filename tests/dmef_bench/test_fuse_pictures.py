from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from baselines import Method, MethodInfo, SizeRule
from baselines.copy_reference import CopyReference
from dmef_bench.errors import ScenesFailedError, UsageError
from dmef_bench.fuse_pictures import encode_picture, fuse_pictures, order_warning
from dmef_bench.picture_files import read_picture

EVS = (-2.0, 0.0, 2.0)


def pictures(kind=np.uint8, height=11, width=14):
    random = np.random.default_rng(0)
    top = np.iinfo(kind).max
    return [random.integers(0, top, (height, width, 3), kind, endpoint=True) for _ in range(3)]


def method(fuse, **info):
    class Made(Method):
        pass

    Made.info = MethodInfo("made", "Made", 2026, "", "", "bound", **info)
    Made.fuse = lambda self, bracket: fuse(bracket)
    Made.__abstractmethods__ = frozenset()
    return Made()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_every_value_survives_the_way_there_and_back(kind):
    low, mid, high = pictures(kind, 256, 64)
    fused = fuse_pictures(CopyReference(), [low, mid, high], EVS)
    assert fused.dtype == kind
    assert np.array_equal(fused, mid)


def test_one_16_bit_exposure_makes_a_16_bit_result():
    low, mid, high = pictures()
    fused = fuse_pictures(CopyReference(), [low, mid, pictures(np.uint16)[2]], EVS)
    assert fused.dtype == np.uint16
    assert np.array_equal(fused, mid * np.uint16(257))
    assert fuse_pictures(CopyReference(), [low, mid, high], EVS).dtype == np.uint8


def test_the_method_sees_its_size_rule_evs_and_order():
    seen = []

    def look(bracket):
        seen.append(bracket)
        return bracket.low

    low, mid, high = pictures(height=11, width=14)
    fused = fuse_pictures(method(look, size=SizeRule(8, 8)), [low, mid, high], EVS)
    assert np.array_equal(fused, low)
    assert seen[0].size == (16, 16)
    assert seen[0].evs == EVS


@pytest.mark.parametrize(
    ("fuse", "complaint"),
    [
        (lambda bracket: bracket.reference[..., 1:], "returned shape"),
        (lambda bracket: bracket.reference * torch.nan, "returned NaN or infinity"),
        (lambda bracket: {}["weights"], "made raised KeyError: 'weights'"),
    ],
)
def test_a_method_that_fails_is_named(fuse, complaint):
    with pytest.raises(ScenesFailedError, match="made") as raised:
        fuse_pictures(method(fuse), pictures(), EVS)
    assert complaint in str(raised.value)


def test_too_little_memory_is_said_with_the_size():
    def allocate(bracket):
        raise MemoryError

    with pytest.raises(ScenesFailedError, match=r"out of memory .* for 14×11 pictures on cpu"):
        fuse_pictures(method(allocate), pictures(), EVS)


def test_exposures_out_of_order_are_named_with_the_right_order():
    dark, middle, bright = (np.full((4, 4, 3), value, np.uint8) for value in (10, 90, 200))
    paths = [Path("a"), Path("b"), Path("c")]
    assert order_warning(paths, [dark, middle, bright]) is None
    assert order_warning(paths, [dark, middle, bright.astype(np.uint16) * 257]) is None
    warning = order_warning(paths, [middle, bright, dark])
    assert warning is not None
    assert "c (mean brightness 0.039) is not brighter than b" in warning
    assert warning.endswith("c, a, b")
    assert "not brighter" in str(order_warning(paths, [dark, dark, bright]))


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.tif", "a.tiff"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_lossless_kinds_come_back_as_they_were(tmp_path, name, kind):
    path = tmp_path / name
    path.write_bytes(encode_picture(pictures(kind)[0], path))
    back = read_picture(path)
    assert back.dtype == kind
    assert np.array_equal(back, pictures(kind)[0])


def test_a_jpeg_of_16_bit_pixels_is_the_8_bit_picture_rounded():
    smooth = cv2.resize(pictures(np.uint16)[0], (160, 120), interpolation=cv2.INTER_CUBIC)
    decoded = np.asarray(Image.open(BytesIO(encode_picture(smooth, Path("a.jpg")))))
    assert decoded.dtype == np.uint8
    assert np.abs(decoded - smooth / 257.0).mean() < 2


@pytest.mark.parametrize("name", ["a.png", "a.jpeg", "a.tiff"])
def test_the_colour_profile_is_kept_in_8_bit_files(name):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    encoded = encode_picture(pictures()[0], Path(name), profile)
    assert Image.open(BytesIO(encoded)).info["icc_profile"] == profile


def test_another_kind_of_file_is_refused():
    with pytest.raises(UsageError, match=r"a\.webp: the name needs to end with \.png"):
        encode_picture(pictures()[0], Path("a.webp"))
