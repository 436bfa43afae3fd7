import numpy as np
import pytest
from bracketed_media import exposure, light, write_radiance

from dmef_bench.dataset import open_dataset, verify
from dmef_bench.dataset.importers import find_bracketed_folders, import_dataset
from dmef_bench.errors import UsageError
from dmef_bench.linear_files import encode_light
from dmef_bench.picture_files import encode_png

EVS = (-1.0, 1.0, 3.0)


@pytest.fixture
def raw(tmp_path):
    """One train and one test scene of PNG files, the truth a float TIFF."""
    for number, place in enumerate(("training/a", "b")):
        folder = tmp_path / "raw" / place
        folder.mkdir(parents=True)
        for name, ev in zip("123", EVS, strict=True):
            picture = exposure(light(number), ev + 1)
            (folder / f"frame_{name}.png").write_bytes(encode_png(picture))
        (folder / "preview.png").write_bytes(b"whatever")
        (folder / "truth.tif").write_bytes(encode_light(light(number)))
    return tmp_path / "raw"


def test_a_pattern_tells_exposures_from_other_pictures(raw, tmp_path):
    found = find_bracketed_folders(
        raw, pattern="frame_*.png", truth="truth.tif", evs=EVS, name="mine", citation="Me, 2024"
    )
    assert [(scene.split, scene.name) for scene in found.scenes] == [
        ("test", "b"), ("train", "training/a"),
    ]  # fmt: skip
    report = import_dataset(found, tmp_path / "out")
    assert report.notes == ()
    assert verify(tmp_path / "out").ok
    dataset = open_dataset(tmp_path / "out")
    assert (dataset.record.name, dataset.record.citation) == ("mine", "Me, 2024")
    scene = dataset.scenes("test")[0]
    assert scene.evs == (0, 2, 4)
    assert (scene.load_ground_truth() == light(1)).all()
    assert scene.record.truth_offset == pytest.approx(0, abs=0.01)


def test_a_ground_truth_of_any_scale_is_fitted(raw, tmp_path):
    for folder in (raw / "training/a", raw / "b"):
        (folder / "truth.tif").unlink()
        number = 0 if folder.name == "a" else 1
        write_radiance(folder / "radiance.hdr", light(number) * 37)
    found = find_bracketed_folders(
        raw, pattern="frame_*.png", truth="radiance.hdr", evs=EVS, fit_scale=True
    )
    import_dataset(found, tmp_path / "out")
    scene = open_dataset(tmp_path / "out").scenes("train")[0]
    assert scene.record.truth_scale == pytest.approx(1 / 37, rel=0.02)
    assert np.median(scene.load_ground_truth() / light(0)) == pytest.approx(1, rel=0.01)


def test_the_fit_needs_something_well_exposed(raw, tmp_path):
    for path in raw.glob("**/frame_2.png"):
        path.write_bytes(encode_png(np.zeros((48, 64, 3), np.uint16)))
    found = find_bracketed_folders(
        raw, pattern="frame_*.png", truth="truth.tif", evs=EVS, fit_scale=True
    )
    with pytest.raises(UsageError, match="too few well-exposed pixels"):
        import_dataset(found, tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pattern": "a/*.png"}, "--pattern"),
        ({"pattern": ""}, "--pattern"),
        ({"truth": "truth.png"}, "--truth"),
        ({"evs": (0.0, 0.0, 2.0)}, "--ev"),
        ({"name": "../up"}, "--name"),
        ({"pattern": "*.jpg", "truth": "none.hdr"}, "no folder in it"),
    ],
)
def test_options_that_can_not_be_used_are_refused(raw, options, words):
    usual = {"pattern": "frame_*.png", "truth": "truth.tif", "evs": EVS}
    with pytest.raises(UsageError, match=words):
        find_bracketed_folders(raw, **(usual | options))
