import numpy as np
import pytest
from PIL import ExifTags, Image

from dmef_bench.errors import UsageError
from dmef_bench.exposure_values import ASSUMED_EVS, exposure_values, parse_evs


@pytest.fixture
def photographs(tmp_path):
    def take(*settings, suffix="jpg"):
        paths = []
        for index, (time, iso, aperture) in enumerate(settings):
            exif = Image.Exif()
            exif[ExifTags.Base.Make] = "maker"
            inner = exif.get_ifd(ExifTags.IFD.Exif)
            for tag, value in (
                (ExifTags.Base.ExposureTime, time),
                (ExifTags.Base.ISOSpeedRatings, iso),
                (ExifTags.Base.FNumber, aperture),
            ):
                if value is not None:
                    inner[tag] = value
            path = tmp_path / f"{index}.{suffix}"
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path, exif=exif.tobytes())
            paths.append(path)
        return paths

    return take


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff"])
def test_time_iso_and_aperture_all_count(photographs, suffix):
    paths = photographs((1 / 100, 100, 8.0), (1 / 25, 200, 8.0), (1 / 25, 200, 4.0), suffix=suffix)
    found = exposure_values(paths)
    assert found.evs == pytest.approx((-3, 0, 2), abs=1e-3)
    assert found.source == "EXIF (time, iso, aperture)"
    assert not found.assumed


def test_what_one_picture_lacks_counts_for_none(photographs):
    found = exposure_values(photographs((0.1, 100, None), (0.2, None, None), (0.4, 100, None)))
    assert found.evs == pytest.approx((-1, 0, 1), abs=1e-3)
    assert found.source == "EXIF (time)"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (((0.1, 100, 8.0), (None, 100, 8.0), (0.4, 100, 8.0)), "1.jpg has no exposure time"),
        (((0.1, 100, 8.0), (0, 100, 8.0), (0.4, 100, 8.0)), "1.jpg has no exposure time"),
        (((0.1, 100, 8.0), (0.1, 100, 8.0), (0.4, 100, 8.0)), "+0.00, +0.00, +2.00, which does"),
        (((0.4, 100, 8.0), (0.2, 100, 8.0), (0.1, 100, 8.0)), "+1.00, +0.00, -1.00, which does"),
    ],
)
def test_what_can_not_be_known_is_assumed_and_said(photographs, settings, why):
    found = exposure_values(photographs(*settings))
    assert found.evs == ASSUMED_EVS
    assert found.assumed
    assert found.source.startswith("assumed, because")
    assert why in found.source
    assert "--ev" in found.source


def test_evs_are_three_rising_numbers():
    assert parse_evs("-1.5,0.5, 2.5") == (-1.5, 0.5, 2.5)
    for text in ("", "1,2", "1,2,3,4", "a,b,c", "0,0,1", "2,0,-2", "0,1,inf", "nan,0,1"):
        with pytest.raises(UsageError, match="three rising numbers"):
            parse_evs(text)
