import warnings

import numpy as np
import pytest
from PIL import ExifTags, Image

from dmef_bench.picture_metadata import camera_settings, colour_profile


@pytest.fixture
def photograph(tmp_path):
    def take(tags, **more):
        exif = Image.Exif()
        exif[ExifTags.Base.Make] = "maker"
        exif.get_ifd(ExifTags.IFD.Exif).update(tags)
        path = tmp_path / "photograph.jpg"
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path, exif=exif.tobytes(), **more)
        return path

    return take


def test_reads_what_is_there_and_leaves_out_what_makes_no_sense(photograph):
    time, iso, aperture = (
        ExifTags.Base.ExposureTime, ExifTags.Base.ISOSpeedRatings, ExifTags.Base.FNumber,
    )  # fmt: skip
    assert camera_settings(photograph({time: 0.02, iso: 500, aperture: 1.7})) == pytest.approx(
        {"time": 0.02, "iso": 500, "aperture": 1.7}
    )
    assert camera_settings(photograph({time: 0.0, iso: 100})) == {"iso": 100}
    assert camera_settings(photograph({})) == {}


def test_damaged_exif_is_no_exif(photograph):
    path = photograph({ExifTags.Base.ExposureTime: 0.02})
    damaged = path.read_bytes().replace(b"Exif\0\0MM\0*", b"Exif\0\0XX\0*")
    damaged = damaged.replace(b"Exif\0\0II*\0", b"Exif\0\0XX*\0")
    assert damaged != path.read_bytes()
    path.write_bytes(damaged)
    assert camera_settings(path) == {}


def test_a_profile_is_given_as_it_is_if_it_is_for_rgb(photograph):
    for space, kept in ((b"RGB ", True), (b"CMYK", False)):
        profile = bytes(16) + space + b"and the rest"
        found = colour_profile(photograph({}, icc_profile=profile))
        assert found == (profile if kept else None)
    assert colour_profile(photograph({})) is None


def test_a_picture_larger_than_pillow_likes_is_read_in_silence(photograph, monkeypatch):
    path = photograph({ExifTags.Base.ExposureTime: 0.5})
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert camera_settings(path) == {"time": 0.5}
        assert colour_profile(path) is None
    assert Image.MAX_IMAGE_PIXELS == 10
