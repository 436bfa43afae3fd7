import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from baselines import resolve
from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.dataset import open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import (
    RunOptions,
    method_source,
    psnr,
    run_method,
    score_pictures,
    ssim,
    to_eight_bit,
)
from dmef_bench.evaluation.method_source import source_sha256
from dmef_bench.evaluation.ready_method import ready_method
from dmef_bench.picture_files import encode_png, read_picture
from leaderboard import load_runs
from leaderboard.records import MethodRecord


@pytest.fixture
def options(tmp_path):
    return RunOptions(results=tmp_path / "results", split="train", quiet=True, command="test")


def test_figures_are_those_of_the_pictures(dataset, scorer, options):
    result = run_method(resolve("gdc"), dataset, scorer, options)
    assert [sample.scene for sample in result.samples] == [
        scene.id for scene in dataset.scenes("train")
    ]
    method = resolve("gdc")()
    for scene, sample in zip(dataset.scenes("train"), result.samples, strict=True):
        fused = to_eight_bit(method.fuse(scene.load_bracket()))
        truth = scene.load_ground_truth()
        assert sample.psnr == psnr(fused, truth)
        assert sample.ssim == ssim(fused, truth)
        assert sample.lpips is None
        assert 0 < sample.inference_seconds <= sample.total_seconds
    assert result.record.outcome == "complete"
    assert result.record.lpips_unavailable == "left out"


def test_the_record_says_what_was_run(dataset, scorer, options, method):
    result = run_method(method("Convolution"), dataset, scorer, replace(options, repeats=2))
    (run,) = load_runs(options.results)
    record = run.record
    assert run.samples == result.samples
    assert result.folder.relative_to(options.results).parts == (
        "convolution@none", dataset.digest[:8], "paper-paper",
    )  # fmt: skip
    assert record.dataset.scenes == 3
    assert record.method.parameters == 9 * 27 + 3
    assert record.cost.macs == 108 * 192 * 9 * 27
    assert record.cost.macs_size == (108, 192)
    assert record.cost.inference_seconds.count == 3
    assert record.cost.memory_kind == "rss"
    assert record.machine.threads == torch.get_num_threads()
    assert record.software["torch"] == torch.__version__
    assert record.settings["repeats"] == "2"
    assert record.finished >= record.started


@pytest.mark.parametrize(
    ("changes", "folder", "sizes"),
    [
        ({}, "paper-paper-40x64", {(40, 64)}),
        ({"resolution": (30, 500)}, "paper-paper-30x500", {(30, 192)}),
        ({"protocol": "native"}, "paper-native", {(108, 192)}),
        ({"protocol": "tiled", "tile": 64, "overlap": 8}, "paper-tiled-64x64", {(64, 64)}),
    ],
)
def test_protocols_feed_the_method_at_their_size(
    dataset, scorer, options, method, changes, folder, sizes
):
    seen = []

    class Seen(method("Small")):
        def fuse(self, bracket):
            seen.append(bracket.size)
            return super().fuse(bracket)

    result = run_method(Seen, dataset, scorer, replace(options, limit=1, **changes))
    assert result.folder.name == folder
    assert set(seen) == sizes
    assert result.record.outcome == "complete"


def test_tiled_equals_native_for_single_pixels(dataset, scorer, options, method):
    tiles = replace(options, tile=64, overlap=16)
    runs = [
        run_method(method("Average"), dataset, scorer, replace(tiles, protocol=protocol))
        for protocol in ("native", "tiled")
    ]
    native, tiled = ([s.prediction_sha256 for s in run.samples] for run in runs)
    assert native == tiled


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("NotANumber", "not-a-number returned NaN"),
        ("WrongSize", "wrong-size returned shape"),
        ("Raises", "raises raised ValueError: no luck today"),
    ],
)
def test_a_failing_method_leaves_a_line_for_every_scene(
    dataset, scorer, options, method, name, error
):
    result = run_method(method(name), dataset, scorer, options)
    assert result.record.outcome == "failed"
    assert len(result.failed) == 3
    assert all(sample.error.startswith(error) for sample in result.failed)
    assert all(sample.psnr is None for sample in result.samples)
    assert len(load_runs(options.results)) == 1


def test_no_memory_is_an_outcome(dataset, scorer, options, method):
    result = run_method(method("Greedy"), dataset, scorer, options)
    assert result.record.outcome == "out-of-memory"
    assert [sample.scene for sample in result.samples] == ["train/0001"]
    assert "out of memory" in result.samples[0].error


def test_a_corrupt_picture_fails_its_scene_alone(dataset_folder, tmp_path, scorer, options, method):
    folder = tmp_path / "4k-dmef"
    shutil.copytree(dataset_folder, folder)
    picture = folder / "train" / "0002" / "mid.png"
    picture.write_bytes(picture.read_bytes()[:-100])
    result = run_method(method("Average"), open_dataset(folder), scorer, options)
    (failed,) = result.failed
    assert failed.scene == "train/0002"
    assert "train/0002/mid.png" in failed.error
    assert str(tmp_path) not in failed.error
    assert result.record.outcome == "failed"

    shutil.copyfile(dataset_folder / "train" / "0002" / "mid.png", picture)
    mended = run_method(method("Average"), open_dataset(folder), scorer, options)
    assert mended.record.outcome == "complete"
    kept = {sample.scene: sample for sample in result.samples if not sample.error}
    assert kept.items() <= {sample.scene: sample for sample in mended.samples}.items()


def test_a_finished_run_is_not_done_again(dataset, scorer, options, method):
    first = run_method(method("Average"), dataset, scorer, options)
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    again = run_method(method("Average"), dataset, scorer, options)
    assert (again.record, again.samples) == (first.record, first.samples)
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")} == before


def test_a_limited_run_can_be_extended(dataset, scorer, options, method):
    some = run_method(method("Average"), dataset, scorer, replace(options, limit=1))
    assert (len(some.samples), some.record.dataset.scenes) == (1, 1)
    every = run_method(method("Average"), dataset, scorer, options)
    assert every.samples[0] == some.samples[0]
    assert (len(every.samples), every.record.dataset.scenes) == (3, 3)
    assert every.record.cost.inference_seconds.count == 3
    fewer = run_method(method("Average"), dataset, scorer, replace(options, limit=1))
    assert fewer.record.dataset.scenes == 3
    assert fewer.samples == some.samples


def test_changed_source_is_another_run(dataset, scorer, options, tmp_path):
    source = tmp_path / "mine.py"
    text = (
        "from baselines import Method, MethodInfo\n"
        "class Mine(Method):\n"
        "    info = MethodInfo('mine', 'Mine', 2026, '', '', 'classical')\n"
        "    def fuse(self, bracket):\n"
        "        return bracket.reference\n"
    )
    source.write_text(text)
    run_method(resolve(f"{source}:Mine"), dataset, scorer, options)
    source.write_text(text.replace("reference", "low"))
    with pytest.raises(UsageError, match="source_sha256 was"):
        run_method(resolve(f"{source}:Mine"), dataset, scorer, options)
    assert source_sha256(resolve(f"{source}:Mine")()) == sha256_of_file(source)
    changed = run_method(
        resolve(f"{source}:Mine"), dataset, scorer, replace(options, overwrite=True)
    )
    assert changed.record.outcome == "complete"


def test_source_of_a_network_is_that_of_all_its_modules(monkeypatch):
    method = ready_method(resolve("ipl-plus"), None, torch.device("cpu"))
    read = []
    monkeypatch.setattr(
        method_source, "sha256_of_file", lambda path: read.append(path.name) or path.name
    )
    source_sha256(method)
    assert set(read) == {"method.py", "model.py", "alignment.py", "tone_curves.py", "layers.py"}


def test_a_module_that_nobody_registered_has_no_source(tmp_path):
    source = tmp_path / "mine.py"
    source.write_text(
        "import torch\n"
        "from baselines import Method, MethodInfo\n"
        "class Mine(Method):\n"
        "    info = MethodInfo('mine', 'Mine', 2026, '', '', 'learned')\n"
        "    def network(self):\n"
        "        return type('Net', (torch.nn.Module,), {'__module__': 'authors_net'})()\n"
        "    def fuse(self, bracket):\n"
        "        return bracket.reference\n"
    )
    assert source_sha256(resolve(f"{source}:Mine")()) == sha256_of_file(source)


def test_methods_that_can_not_be_loaded_are_a_usage_error(dataset, scorer, options, method):
    with pytest.raises(UsageError, match="unloadable can't be loaded: OSError: the licence"):
        run_method(method("Unloadable"), dataset, scorer, options)
    weights = options.results.parent / "weights.pth"
    with pytest.raises(UsageError, match="takes no weights"):
        run_method(method("Average"), dataset, scorer, replace(options, weights=weights))
    assert not options.results.exists()


def test_saved_predictions_score_the_same_elsewhere(dataset, scorer, options, method):
    run = run_method(method("Average"), dataset, scorer, replace(options, save_predictions=True))
    elsewhere = MethodRecord(
        name="elsewhere", title="Elsewhere", year=2026, paper="", licence="", kind="learned"
    )
    scored = score_pictures(run.folder / "predictions", elsewhere, dataset, scorer, options)
    for ours, theirs in zip(run.samples, scored.samples, strict=True):
        assert (ours.psnr, ours.ssim, ours.prediction_sha256) == (
            theirs.psnr, theirs.ssim, theirs.prediction_sha256,
        )  # fmt: skip
        assert theirs.inference_seconds is None
    assert scored.record.outcome == "complete"
    assert len(load_runs(options.results)) == 2

    picture = run.folder / "predictions" / "train" / "0001.png"
    picture.write_bytes(encode_png(255 - read_picture(picture)))
    again = score_pictures(run.folder / "predictions", elsewhere, dataset, scorer, options)
    assert again.samples[0].scene == "train/0001"
    assert again.samples[0].psnr != scored.samples[0].psnr
    assert again.samples[1:] == scored.samples[1:]


def test_pictures_for_the_page(dataset, scorer, options, method):
    result = run_method(method("Average"), dataset, scorer, replace(options, pictures=1))
    (folder,) = (result.folder / "pictures").iterdir()
    assert folder.name == "train-0001"
    scene = dataset.scenes("train")[0]
    crops = json.loads((folder / "crops.json").read_text())
    for number, what in ((1, "clipped"), (2, "motion")):
        place = crops[f"crop{number}"]
        assert place["what"] == what
        for name, whole in (
            ("reference", scene.load_picture("mid")),
            ("ground_truth", scene.load_ground_truth()),
        ):
            crop = read_picture(folder / f"crop{number}_{name}.png")
            height, width = crop.shape[:2]
            x, y = place["x"], place["y"]
            assert np.array_equal(crop, whole[y : y + height, x : x + width])
    names = {"low", "mid", "high", "ground_truth", "result", "error"}
    assert {path.stem for path in folder.glob("*.jpg")} == names
