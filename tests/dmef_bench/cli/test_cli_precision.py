"""Half precision and the known response as options of `run` and `fuse`."""

import json

import numpy as np
import pytest
from PIL import Image
from tiny_networks import tiny_network, write_weights

from baselines.conventions import Conventions


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "ahdrnet.safetensors"
    return write_weights(path, tiny_network("ahdrnet"), "ahdrnet", Conventions())


@pytest.fixture
def run(dmef_bench, dataset_folder, weights, tmp_path):
    def call(*arguments):
        return dmef_bench(
            "run", "--data", dataset_folder, "--split", "train", "-o", tmp_path / "results",
            "--no-lpips", "-q", "--limit", "1", "--pictures", "0", "--resolution", "32x32",
            "--method", "ahdrnet", "--weights", weights, *arguments,
        )  # fmt: skip

    return call


def _records(results):
    return {
        file.parent.name: json.loads(file.read_text()) for file in results.glob("*/*/*/run.json")
    }


def test_precisions_and_linearisations_lie_apart_and_tell_their_error(run, tmp_path):
    for more in ((), ("--precision", "bf16"), ("--linear", "response"), ("--linear", "gamma")):
        assert run(*more).code == 0
    records = _records(tmp_path / "results")
    assert set(records) == {
        "paper-paper-32x32", "paper-paper-32x32-bfloat16", "paper-paper-32x32-response",
        "paper-paper-32x32-gamma",
    }  # fmt: skip
    half = records["paper-paper-32x32-bfloat16"]
    assert half["protocol"]["precision"] == "bfloat16"
    error = half["cost"]["precision_error"]
    assert 0 < error["relative"] < 0.05
    assert 0 < error["largest"] < 0.1
    whole = records["paper-paper-32x32"]
    assert whole["cost"]["precision_error"] is None
    assert whole["protocol"]["linear"] is None
    assert records["paper-paper-32x32-response"]["settings"]["linear"] == "response"


def test_the_response_changes_the_picture_and_gamma_does_not(run, tmp_path):
    pictures = {}
    for linear in ("gamma", "response", None):
        run(*(() if linear is None else ("--linear", linear)))
        (file,) = (tmp_path / "results").glob(
            f"*/*/paper-paper-32x32{'' if linear is None else '-' + linear}/samples.jsonl"
        )
        pictures[linear] = json.loads(file.read_text())["prediction_sha256"]
    assert pictures["gamma"] == pictures[None] != pictures["response"]


def test_a_method_without_linear_light_refuses(dmef_bench, dataset_folder, tmp_path):
    ended = dmef_bench(
        "run", "--data", dataset_folder, "--method", "mertens", "--linear", "response", "-q",
        "-o", tmp_path, "--no-lpips",
    )  # fmt: skip
    assert ended.code == 2
    assert "mertens takes no linear light; leave --linear out" in ended.err


def test_fuse_in_half_precision_and_by_the_response(dmef_bench, weights, tmp_path):
    rng = np.random.default_rng(0)
    exposures = []
    for place, name in enumerate(("low", "mid", "high")):
        pixels = rng.integers(60 * place, 60 * place + 120, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        exposures.append(tmp_path / f"{name}.png")

    def fuse(*more):
        return dmef_bench(
            "fuse", *exposures, "--method", "ahdrnet", "--weights", weights, "--ev=-2,0,2",
            "-o", tmp_path / "fused.png", "--format", "json", *more,
        )  # fmt: skip

    pictures = []
    for more in ((), ("--precision", "bf16"), ("--linear", "response", "--response", "sigmoid")):
        ended = fuse(*more)
        assert ended.code == 0, ended.err
        pictures.append((json.loads(ended.out), np.array(Image.open(tmp_path / "fused.png"))))
    (plain, whole), (half, coarse), (by_response, other) = pictures
    assert (plain["precision"], half["precision"]) == ("float32", "bfloat16")
    assert by_response["linear"] == "response"
    assert np.abs(whole.astype(int) - coarse).max() <= 10
    assert np.abs(whole.astype(int) - other).max() > 0
    unknown = fuse("--linear", "response")
    assert unknown.code == 2
    assert "--linear response needs to know the camera response model" in unknown.err
