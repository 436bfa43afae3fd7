from dataclasses import replace

import numpy as np
import pytest
import torch
from bracketed_media import write_kalantari
from skimage.metrics import peak_signal_noise_ratio
from tiny_networks import LEARNED, tiny_network, write_weights

from baselines import Bracket, Method, MethodInfo, resolve
from baselines.conventions import AUTHORS, linear_exposures
from dmef_bench.dataset import open_dataset
from dmef_bench.dataset.importers import (
    find_bracketed_folders,
    find_kalantari,
    import_dataset,
)
from dmef_bench.evaluation import RunOptions, Scorer, run_method, score_pictures
from dmef_bench.evaluation.linear_light import psnr_of
from dmef_bench.linear_files import decode_light, encode_light
from dmef_bench.picture_files import encode_png
from dmef_bench.training.dataset_crops import DatasetCrops
from dmef_bench.training.samples import SampleKey
from leaderboard import as_csv, as_html, as_markdown, build_leaderboard, group_runs, load_runs
from leaderboard.records import MethodRecord


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """An imported dataset of two train and two test scenes. Not to be altered."""
    folder = tmp_path_factory.mktemp("photographs")
    raw = write_kalantari(folder / "raw")
    import_dataset(find_kalantari(raw), folder / "kalantari")
    return open_dataset(folder / "kalantari")


@pytest.fixture
def options(tmp_path):
    return RunOptions(results=tmp_path / "results", protocol="native", quiet=True, command="test")


def test_a_result_is_compared_as_light(photographs, scorer, options):
    result = run_method(
        resolve("mertens"), photographs, scorer, replace(options, save_predictions=True)
    )
    for scene, sample in zip(photographs.scenes("test"), result.samples, strict=True):
        kept = result.folder / "predictions" / f"{scene.id}.tif"
        light = decode_light(kept.read_bytes(), kept)
        shown = resolve("mertens")().fuse(scene.load_bracket())[0].permute(1, 2, 0).numpy()
        assert np.abs(light - shown.clip(0, 1) ** 2.2).max() < 1e-4
        truth = scene.load_ground_truth()
        assert sample.psnr == psnr_of(light, truth, 1.0)
        assert sample.psnr_mu is not None
        assert sample.ssim_mu > sample.ssim
        assert sample.psnr_pu21 is not None
        assert sample.lpips is None
    assert result.record.metrics.of_light
    assert result.record.settings["output"] == "display values clipped to [0, 1], then ^2.2"
    assert "linear light" in result.record.lpips_unavailable
    assert result.record.dataset.track == "captured"
    assert (result.folder / "pictures/test-0001/error.jpg").is_file()


def test_the_reference_inverted_is_the_light_it_saw(photographs, scorer, options):
    """Clipping and the rounding of .hdr aside, the mid exposure is the ground truth."""
    result = run_method(resolve("invert-response"), photographs, scorer, options)
    scene = photographs.scenes("test")[0]
    truth = scene.load_ground_truth()
    bracket = scene.load_bracket()
    light = resolve("invert-response")().fuse(bracket)[0].permute(1, 2, 0).numpy() ** 2.2
    unclipped = bracket.reference[0].permute(1, 2, 0).numpy() < 1
    assert np.abs(light - truth)[unclipped].max() < truth.max() / 60
    assert result.samples[0].psnr > 20


class Oracle(Method):
    """Gives the light it was handed, the way a network of the authors' would."""

    info = MethodInfo("oracle", "Oracle", 2020, "", "", "learned")
    light: torch.Tensor

    def fuse(self, bracket: Bracket) -> torch.Tensor:
        return type(self).light.clamp(0, 1).pow(1 / 2.2)


def test_predicted_light_comes_back_as_it_was(photographs, scorer, options):
    """The way out (^(1/2.2)) and the way in (^2.2) cancel but for float32's rounding."""
    truth = photographs.scenes("test")[0].load_ground_truth()
    Oracle.light = torch.from_numpy(truth).permute(2, 0, 1)[None]
    result = run_method(Oracle, photographs, scorer, replace(options, limit=1))
    assert result.samples[0].psnr > 110
    assert result.samples[0].ssim == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", LEARNED)
def test_authors_weights_are_fed_the_light_they_know(name, photographs, scorer, options, tmp_path):
    weights = write_weights(tmp_path / "w.safetensors", tiny_network(name))
    result = run_method(
        resolve(name), photographs, scorer, replace(options, weights=weights, limit=1)
    )
    assert result.record.outcome == "complete"
    bracket = photographs.scenes("test")[0].load_bracket()
    darkest = linear_exposures(bracket, AUTHORS)[:, 0]
    assert torch.allclose(darkest, bracket.low.pow(2.2), atol=1e-6)


def test_pictures_made_elsewhere_may_be_light_or_display_values(
    photographs, scorer, options, tmp_path
):
    first, second = photographs.scenes("test")
    folder = tmp_path / "made"
    folder.mkdir()
    truth = first.load_ground_truth()
    (folder / "0001.tif").write_bytes(encode_light(truth))
    display = np.rint(65535 * second.load_ground_truth().clip(0, 1) ** (1 / 2.2))
    (folder / "0002.png").write_bytes(encode_png(display.astype(np.uint16)))
    method = MethodRecord(
        name="mine", title="Mine", year=2024, paper="", licence="", kind="learned"
    )
    result = score_pictures(folder, method, photographs, scorer, options)
    assert result.record.outcome == "complete"
    exact, rounded = result.samples
    assert exact.psnr == exact.psnr_mu == np.inf
    assert rounded.psnr > 80
    (folder / "0001.tif").write_bytes(encode_light(truth[:-1]))
    result = score_pictures(folder, method, photographs, scorer, options)
    assert "64×47" in result.failed[0].error


def test_light_never_shares_a_table_with_display_values(
    photographs, dataset, scorer, options, tmp_path
):
    run_method(resolve("copy-reference"), photographs, scorer, options)
    run_method(resolve("mertens"), photographs, scorer, options)
    run_method(resolve("gdc"), dataset, scorer, options)
    runs = load_runs(options.results)
    boards = [build_leaderboard(group) for group in group_runs(runs)]
    assert len(boards) == 2
    of_light = next(board for board in boards if board.metrics.of_light)
    assert of_light.published.number == 2
    assert [metric.title for metric in of_light.columns] == [
        "PSNR-l", "PSNR-μ", "SSIM-l", "SSIM-μ", "PU21-PSNR",
    ]  # fmt: skip
    text = as_markdown(boards)
    assert text.count("PSNR-μ dB ↑") == 2  # the table, and its differences
    assert "- PU21-PSNR: " in text
    page = as_html(boards)
    assert "PSNR-μ" in page
    assert "PU21" in page
    header, *lines = as_csv(boards).splitlines()
    columns = header.split(",")
    rows = [dict(zip(columns, line.split(","), strict=False)) for line in lines if '"' not in line]
    assert {"psnr", "psnr_l", "psnr_mu", "ssim_l", "ssim_mu", "psnr_pu21"} <= set(columns)
    assert all(not (row["psnr"] and row["psnr_l"]) for row in rows)


def test_photographs_the_paper_never_saw_have_nothing_printed_beside(
    photographs, scorer, options, tmp_path
):
    raw = write_kalantari(tmp_path / "raw", train=0, test=1)
    found = find_bracketed_folders(raw, pattern="*.tif", truth="HDRImg.hdr")
    import_dataset(found, tmp_path / "mine")
    run_method(resolve("gdc"), open_dataset(tmp_path / "mine"), scorer, options)
    board = build_leaderboard(load_runs(options.results))
    assert all(row.published is None for row in board.rows)
    assert "27.87" not in as_markdown([board])


def test_training_takes_photographs_too(photographs):
    crops = DatasetCrops(photographs.path, 16)
    sample = crops.sample(SampleKey(seed=0, step=0, slot=0))
    assert sample.images.shape == (3, 3, 16, 16)
    assert sample.images.dtype == sample.target.dtype == np.uint8
    assert crops.evs == (0, 2, 4)


def test_display_scorers_refuse_light(photographs):
    truth = photographs.scenes("test")[0].load_ground_truth()
    with pytest.raises(ValueError, match="8-bit display values"):
        Scorer(None)(truth, truth)
    assert peak_signal_noise_ratio(truth, truth * 0.5, data_range=1) > 0
