import json
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from bracketed_media import exposure, light, write_kalantari, write_radiance, write_scene
from dataset_folders import contents, copy

from dmef_bench.dataset import open_dataset, verify
from dmef_bench.dataset.importers import find_bracketed_folders, find_kalantari, import_dataset
from dmef_bench.dataset.manifest import read_manifest
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.picture_files import encode_png


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Two train and two test scenes. Not to be altered."""
    return write_kalantari(tmp_path_factory.mktemp("raw") / "SIG17")


@pytest.fixture(scope="module")
def imported(raw, tmp_path_factory):
    """The dataset made of it. Not to be altered."""
    output = tmp_path_factory.mktemp("imported") / "kalantari"
    import_dataset(find_kalantari(raw), output)
    return output


def _import(raw, output, **options):
    return import_dataset(find_kalantari(raw), output, **options)


def test_scenes_are_those_of_the_folders(imported, raw):
    dataset = open_dataset(imported)
    assert dataset.tracks == ("captured",)
    assert [scene.id for scene in dataset.scenes("train")] == ["train/0001", "train/0002"]
    first = dataset.scenes("test")[0]
    assert first.record.source == "Test/PAPER/Scene1"
    assert first.evs == (0.0, 2.0, 4.0)
    assert first.record.stated_evs == (-2.0, 0.0, 2.0)
    assert first.linear
    of = light(101)
    bracket = first.load_bracket()
    for index, ev in enumerate((0.0, 2.0, 4.0)):
        taken = bracket.images[0, index].permute(1, 2, 0).numpy()
        assert (taken == exposure(of, ev).astype(np.float32) / np.float32(65535)).all()
    truth = first.load_ground_truth()
    assert truth.dtype == np.float32
    assert np.abs(truth - of).max() < of.max() / 100
    kept = (imported / "test/0001/mid.tif").read_bytes()
    assert kept == (raw / "Test/PAPER/Scene1/261A.tif").read_bytes()


def test_the_dataset_verifies_and_any_changed_byte_is_found(imported, tmp_path):
    assert verify(imported).ok
    folder = copy(imported, tmp_path / "copy")
    path = folder / "test/0002/gt.hdr"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    problems = verify(folder).problems
    assert [(one.kind, one.name) for one in problems] == [("altered", "test/0002/gt.hdr")]
    with pytest.raises(IntegrityError, match="altered"):
        open_dataset(folder).scenes("test")[1].load_ground_truth()


def test_the_same_source_gives_the_same_bytes_and_no_machine_path(imported, raw, tmp_path):
    _import(raw, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(imported)
    for name, content in contents(imported).items():
        if name.endswith((".json", ".jsonl", ".md")):
            assert str(raw).encode() not in content


def test_another_call_changes_nothing_and_repairs_damage(raw, tmp_path):
    output = tmp_path / "kalantari"
    _import(raw, output)
    before = contents(output)
    (output / "train/0001/low.tif").write_bytes(b"damaged")
    _import(raw, output)
    assert contents(output) == before


def test_a_killed_import_goes_on(raw, tmp_path, imported):
    output = tmp_path / "kalantari"
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from dmef_bench.dataset.importers import find_kalantari, import_dataset\n"
        "import dmef_bench.dataset.importers.keep_picture\n"
        "module = sys.modules['dmef_bench.dataset.importers.keep_picture']\n"
        "write, count = module.atomic_write, []\n"
        "def dying(path, content):\n"
        "    write(path, content)\n"
        "    count.append(path)\n"
        "    if len(count) == 7:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "module.atomic_write = dying\n"
        "import_dataset(find_kalantari(Path(sys.argv[1])), Path(sys.argv[2]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(raw), str(output)], check=False)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(IntegrityError, match="interrupted"):
        open_dataset(output)
    assert "unfinished" in {problem.kind for problem in verify(output).problems}
    _import(raw, output)
    assert contents(output) == contents(imported)


def test_hard_links_hold_the_same_bytes(raw, tmp_path, imported):
    _import(raw, tmp_path / "linked", link=True)
    assert contents(tmp_path / "linked") == contents(imported)
    source = raw / "Training/001/260A.tif"
    assert source.samefile(tmp_path / "linked/train/0001/low.tif")


def test_exposures_are_ordered_by_their_evs(tmp_path):
    write_scene(tmp_path / "raw/Test/one", evs=(1.0, -1.0, 3.0))
    _import(tmp_path / "raw", tmp_path / "out")
    (scene,) = open_dataset(tmp_path / "out").scenes("test")
    assert scene.record.stated_evs == (-1.0, 1.0, 3.0)
    means = [scene.load_exposure(name).mean() for name in ("low", "mid", "high")]
    assert means == sorted(means)


def _missing_truth(scene):
    (scene / "HDRImg.hdr").unlink()
    return r"HDRImg\.hdr: missing"


def _missing_exposure_text(scene):
    (scene / "exposure.txt").unlink()
    return r"exposure\.txt: missing"


def _broken_exposure_text(scene):
    (scene / "exposure.txt").write_text("0\n2\nfour\n")
    return "three different EVs"


def _equal_evs(scene):
    (scene / "exposure.txt").write_text("0\n2\n2\n")
    return "three different EVs"


def _infinite_ev(scene):
    (scene / "exposure.txt").write_text("0\n2\ninf\n")
    return "three different EVs"


def _huge_exposure_text(scene):
    (scene / "exposure.txt").write_text("0\n" * 100_000)
    return "larger than"


def _two_exposures(scene):
    (scene / "261A.tif").unlink()
    return "2 exposures"


def _four_exposures(scene):
    tifffile.imwrite(scene / "270A.tif", exposure(light(1), 0), photometric="rgb")
    return "4 exposures"


def _another_size(scene):
    tifffile.imwrite(scene / "261A.tif", exposure(light(1, 40, 64), 0), photometric="rgb")
    return r"261A\.tif: 64×40, but HDRImg\.hdr is 64×48"


def _truncated(scene):
    path = scene / "262A.tif"
    path.write_bytes(path.read_bytes()[:2000])
    return r"262A\.tif"


def _linked_truth(scene):
    (scene / "HDRImg.hdr").rename(scene / "elsewhere")
    (scene / "HDRImg.hdr").symlink_to(scene / "elsewhere")
    return "a link"


def _negative_truth(scene):
    (scene / "HDRImg.hdr").write_bytes(b"#?RADIANCE\n\n-Y 900000 +X 900000\n")
    return "not decoded"


@pytest.mark.parametrize(
    "harm",
    [
        _missing_truth, _missing_exposure_text, _broken_exposure_text, _equal_evs, _infinite_ev,
        _huge_exposure_text, _two_exposures, _four_exposures, _another_size, _truncated,
        _linked_truth, _negative_truth,
    ],
)  # fmt: skip
def test_a_broken_scene_is_named_and_the_others_wait_for_a_word(harm, tmp_path):
    raw = write_kalantari(tmp_path / "raw", train=1, test=2)
    words = harm(raw / "Test/PAPER/Scene1")
    report = _import(raw, tmp_path / "out")
    assert report.digest is None
    assert set(report.broken) == {"Test/PAPER/Scene1"}
    assert re.search(words, report.broken["Test/PAPER/Scene1"])
    with pytest.raises(IntegrityError):
        open_dataset(tmp_path / "out")

    report = _import(raw, tmp_path / "out", skip_broken=True)
    assert report.scenes == {"train": 1, "test": 1}
    dataset = open_dataset(tmp_path / "out")
    assert [scene.id for scene in dataset.scenes("test")] == ["test/0002"]
    (left_out,) = dataset.record.rejected
    assert left_out.name == "Test/PAPER/Scene1"
    assert str(tmp_path) not in left_out.reason
    assert verify(tmp_path / "out").ok


def test_a_mended_scene_takes_its_old_number(tmp_path, imported, raw):
    broken = tmp_path / "raw"
    shutil.copytree(raw, broken)
    (broken / "Test/PAPER/Scene1/HDRImg.hdr").unlink()
    _import(broken, tmp_path / "out", skip_broken=True)
    shutil.copy(raw / "Test/PAPER/Scene1/HDRImg.hdr", broken / "Test/PAPER/Scene1")
    _import(broken, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(imported)


def test_every_scene_broken_is_an_error_of_its_own(tmp_path):
    raw = write_kalantari(tmp_path / "raw", train=0, test=1)
    (raw / "Test/PAPER/Scene1/exposure.txt").unlink()
    with pytest.raises(UsageError, match="none of 1 scenes"):
        _import(raw, tmp_path / "out")


def test_folders_without_a_split_or_a_scene_are_refused(tmp_path):
    write_scene(tmp_path / "raw/here")
    with pytest.raises(UsageError, match="Training"):
        find_kalantari(tmp_path / "raw")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no scene"):
        find_kalantari(tmp_path / "empty")
    with pytest.raises(UsageError, match="no such folder"):
        find_kalantari(tmp_path / "nowhere")


def test_linked_scene_folders_are_not_followed(tmp_path):
    raw = write_kalantari(tmp_path / "raw", train=1, test=1)
    (raw / "Test/linked").symlink_to(write_scene(tmp_path / "outside"))
    assert len(find_kalantari(raw).scenes) == 2


def test_an_output_with_something_else_in_it_is_left_alone(raw, tmp_path, dataset_folder):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"letter\.txt"):
        _import(raw, tmp_path / "mine")
    built = copy(dataset_folder, tmp_path / "built")
    before = contents(built)
    with pytest.raises(UsageError, match="another dataset"):
        _import(raw, built)
    assert contents(built) == before
    _import(raw, built, overwrite=True)
    assert verify(built).ok


@pytest.mark.parametrize(
    ("left", "verb"),
    [(".dmef-build/settings.json", "build-dataset"), (".dmef-build/plan.json", "build-dataset"),
     (".dmef-pull/pull.json", "pull")],
)  # fmt: skip
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_another_verb_has_not_finished_is_left_alone(
    raw, tmp_path, dataset_folder, left, verb, overwrite
):
    output = tmp_path / "output"
    (output / left).parent.mkdir(parents=True)
    (output / left).write_bytes((dataset_folder / "dataset.json").read_bytes())
    before = contents(output) | {".dmef-build": b"", ".dmef-build/lock": b""}
    with pytest.raises(UsageError, match=f"an unfinished `dmef-bench {verb}` is in it"):
        _import(raw, output, overwrite=overwrite)
    assert contents(output).items() <= before.items()
    assert (output / left).is_file()


def test_what_another_import_was_told_is_shown_in_words(raw, imported, tmp_path):
    output = copy(imported, tmp_path / "output")
    other = find_bracketed_folders(raw, pattern="*.tif", truth="HDRImg.hdr", name="mine")
    with pytest.raises(UsageError, match="importer: kalantari there, folders now; name: Kalantari"):
        import_dataset(other, output)
    assert contents(output) == contents(imported)


def test_a_ground_truth_of_another_brightness_is_noticed(tmp_path):
    scene = write_scene(tmp_path / "raw/Test/one", seed=5)
    write_radiance(scene / "HDRImg.hdr", light(5) * 4)
    report = _import(tmp_path / "raw", tmp_path / "out")
    assert any(re.search(r"off the brightness.*Test/one by \+(1\.9|2\.0)", n) for n in report.notes)
    (found,) = open_dataset(tmp_path / "out").scenes("test")
    assert found.record.truth_offset == pytest.approx(2, abs=0.05)


def test_eight_bit_exposures_are_taken_too(tmp_path):
    scene = write_scene(tmp_path / "raw/Test/one", seed=6)
    for path in scene.glob("*.tif"):
        picture = (tifffile.imread(path) // 257).astype(np.uint8)
        tifffile.imwrite(path, picture, photometric="rgb")
    _import(tmp_path / "raw", tmp_path / "out")
    (found,) = open_dataset(tmp_path / "out").scenes("test")
    assert found.load_exposure("mid").dtype == np.uint8
    assert found.load_bracket().images.max() <= 1


def test_an_imported_manifest_is_checked_like_any_other(imported, tmp_path):
    folder = copy(imported, tmp_path / "copy")
    path = folder / "test/metadata.jsonl"
    first, rest = path.read_bytes().split(b"\n", 1)
    line = json.loads(first)
    for change in (
        {"gt_file_name": "../../../etc/passwd"},
        {"gt_file_name": "0002/gt.hdr"},
        {"low_file_name": "0001/low.exe"},
        {"width": 0},
        {"surprise": 1},
        {"evs": [0, 2]},
    ):
        path.write_bytes(json.dumps(line | change).encode() + b"\n" + rest)
        with pytest.raises(IntegrityError, match="metadata"):
            open_dataset(folder)


def test_what_wants_a_built_dataset_says_so(imported):
    with pytest.raises(IntegrityError, match="imported, not built"):
        read_manifest(imported)


def test_a_picture_of_another_depth_is_shown_in_eight_bits(imported):
    scene = open_dataset(imported).scenes("test")[0]
    shown = scene.load_picture("mid")
    assert shown.dtype == np.uint8
    assert (shown == np.rint(scene.load_exposure("mid") / 257)).all()
    truth = scene.load_picture("gt").astype(float) / 255
    assert np.abs(truth - scene.load_ground_truth().clip(0, 1) ** (1 / 2.2)).max() < 0.003
    assert encode_png(scene.load_exposure("mid"))
