import io
import pickle
import zipfile

import numpy as np
import pytest
from bracketed_media import light, planes, write_mobile_hdr, write_mobile_scene
from dataset_folders import contents

from dmef_bench.dataset import open_dataset, verify
from dmef_bench.dataset.importers import find_mobile_hdr, import_dataset
from dmef_bench.errors import UsageError


def _import(raw, output, **options):
    return import_dataset(find_mobile_hdr(raw), output, **options)


def test_planes_become_pictures(tmp_path):
    raw = write_mobile_hdr(tmp_path / "Mobile-HDR")
    report = _import(raw, tmp_path / "out")
    assert report.scenes == {"train": 2, "test": 1}
    assert any("(test_withoutGT), left out: 1" in note for note in report.notes)
    assert any("85 train and 30 test are distributed" in note for note in report.notes)
    assert verify(tmp_path / "out").ok
    dataset = open_dataset(tmp_path / "out")
    (scene,) = dataset.scenes("test")
    assert scene.record.source == "NPZ_data/test_npz/test_withGT/c.npz"
    assert scene.evs == pytest.approx((0, 2, 4), abs=1e-3)
    assert scene.record.truth_offset == pytest.approx(0, abs=0.01)
    of = light(3)
    assert (scene.load_ground_truth() == of).all() or np.allclose(
        scene.load_ground_truth(), of, atol=1e-6
    )
    mid = scene.load_exposure("mid")
    assert mid.dtype == np.uint16
    assert np.abs(mid / 65535 - (of * 4).clip(0, 1) ** (1 / 2.2)).max() < 0.01


def test_the_same_planes_in_the_other_order_swap_red_and_blue(tmp_path):
    write_mobile_scene(tmp_path / "raw/test_npz/a.npz", 1)
    import_dataset(find_mobile_hdr(tmp_path / "raw"), tmp_path / "rggb")
    import_dataset(find_mobile_hdr(tmp_path / "raw", "bggr"), tmp_path / "bggr")
    one, other = (
        open_dataset(tmp_path / order).scenes("test")[0].load_ground_truth()
        for order in ("rggb", "bggr")
    )
    assert (one == other[..., ::-1]).all()


def test_the_same_files_give_the_same_bytes(tmp_path):
    raw = write_mobile_hdr(tmp_path / "raw")
    for name in ("one", "two"):
        _import(raw, tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def _array(seed=1, ev=2.0):
    packed = planes(light(seed))
    taken = (packed * 2**ev).clip(0, 1)
    return np.concatenate((taken, taken / 2**ev)).astype(np.float32)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"hdr": None}, "no array 'hdr'"),
        ({"mid": None}, "no array 'mid'"),
        ({"mid": _array()[:4]}, "has shape"),
        ({"mid": _array()[:, :-2]}, "has shape"),
        ({"mid": np.zeros((8, 48, 64), np.float32)}, "too few usable"),
        ({"mid": _array()[..., 0]}, r"\(channels, height, width\)"),
        ({"mid": (255 * _array()).astype(np.uint8)}, "uint8"),
        ({"mid": np.full((8, 48, 64), np.nan, np.float32)}, "NaN"),
        ({"mid": _array(ev=5.0)}, "does not rise"),
        ({"lng": np.concatenate((_array()[:4] ** 0.4, _array()[4:]))}, "not at one exposure"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_as_distributed_is_named(tmp_path, arrays, words):
    write_mobile_scene(tmp_path / "raw/test_npz/good.npz", 1)
    write_mobile_scene(tmp_path / "raw/test_npz/bad.npz", 1, **arrays)
    report = _import(tmp_path / "raw", tmp_path / "out")
    assert report.digest is None
    (reason,) = report.broken.values()
    import re

    assert re.search(words, reason)
    assert "bad.npz" in reason


class _Evil:
    def __reduce__(self):
        return (open, ("ran", "w"))


def _member(name, content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def _object_array():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "|O", "fortran_order": False, "shape": (8, 48, 64)}
    )
    return stream.getvalue() + pickle.dumps(_Evil())


def _huge_array():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f4", "fortran_order": False, "shape": (8, 10**6, 10**6)}
    )
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"PK\x03\x04 and nothing more", _member("sht.npy", b"no header"),
        _member("sht.npy", _object_array()), _member("sht.npy", _huge_array()),
        _member("../sht.npy", b""),
    ],
    ids=["empty", "cut", "no header", "pickle", "huge", "outside"],
)  # fmt: skip
def test_hostile_files_are_refused_and_nothing_in_them_runs(tmp_path, content, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "raw/test_npz/bad.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"none of 1 scenes.*bad\.npz"):
        _import(tmp_path / "raw", tmp_path / "out")
    assert not (tmp_path / "ran").exists()


def test_links_are_refused(tmp_path):
    write_mobile_scene(tmp_path / "elsewhere.npz")
    folder = tmp_path / "raw/test_npz"
    folder.mkdir(parents=True)
    (folder / "a.npz").symlink_to(tmp_path / "elsewhere.npz")
    with pytest.raises(UsageError, match="none of 1 scenes"):
        _import(tmp_path / "raw", tmp_path / "out")


def test_other_folders_are_refused(tmp_path):
    write_mobile_scene(tmp_path / "raw/here/a.npz")
    with pytest.raises(UsageError, match="test_npz"):
        find_mobile_hdr(tmp_path / "raw")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="NPZ_data"):
        find_mobile_hdr(tmp_path / "empty")
