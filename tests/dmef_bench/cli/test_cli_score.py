import json
import shutil

import numpy as np
import pytest

from dmef_bench.picture_files import encode_png, read_picture


@pytest.fixture
def score(dmef_bench, dataset_folder, tmp_path):
    def call(folder, *arguments):
        return dmef_bench(
            "score", folder, "--data", dataset_folder, "--split", "train",
            "-o", tmp_path / "results", "--name", "mine", "--no-lpips", "-q", *arguments,
        )  # fmt: skip

    return call


@pytest.fixture
def predictions(dataset_folder, tmp_path):
    """The reference exposures, as train/0001.png and so on."""
    folder = tmp_path / "predictions"
    for scene in sorted((dataset_folder / "train").glob("0*")):
        (folder / "train").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(scene / "mid.png", folder / "train" / f"{scene.name}.png")
    return folder


def test_pictures_score_as_the_method_that_made_them(
    score, predictions, dmef_bench, dataset_folder, tmp_path
):
    ended = score(predictions, "--format", "json")
    assert ended.code == 0
    own = dmef_bench(
        "run", "--method", "copy-reference", "--data", dataset_folder, "--split", "train",
        "-o", tmp_path / "results", "--no-lpips", "-q", "--format", "json",
    )  # fmt: skip
    scored, (run,) = json.loads(ended.out), json.loads(own.out)["runs"]
    assert (scored["psnr"], scored["ssim"]) == (run["psnr"], run["ssim"])
    assert scored["cost"]["inference_seconds"] is None
    (record,) = (tmp_path / "results").glob("mine@none/*/paper-native/run.json")
    assert json.loads(record.read_text())["method"]["title"] == "mine"


def test_names_without_the_split_and_sixteen_bits_do_as_well(score, predictions, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in (predictions / "train").glob("*.png"):
        wide = read_picture(file).astype(np.uint16) * 257
        (flat / file.name).write_bytes(encode_png(wide))
    first = json.loads(score(predictions, "--format", "json").out)
    again = json.loads(score(flat, "--format", "json", "--overwrite").out)
    assert again["psnr"] == first["psnr"]


def test_missing_and_wrong_pictures_are_named(score, predictions):
    (predictions / "train" / "0001.png").unlink()
    (predictions / "train" / "0002.png").write_bytes(encode_png(np.zeros((108, 190, 3), np.uint8)))
    ended = score(predictions)
    assert ended.code == 1
    assert "mine: failed, 1 of 3 scenes" in ended.out
    assert "train/0001: no prediction train/0001.png" in ended.err
    assert "train/0002: train/0002.png: 190×108, but the scene is 192×108" in ended.err


def test_a_damaged_picture_is_named(score, predictions):
    picture = predictions / "train" / "0003.png"
    picture.write_bytes(picture.read_bytes()[:2000])
    ended = score(predictions)
    assert ended.code == 1
    assert "train/0003.png: " in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--name", "../up"), "lower case letters, digits and hyphens"),
        (("--split", "test"), "holds no prediction; name them as test/0001.png or 0001.png"),
    ],
)
def test_mistakes_are_one_sentence(score, predictions, tmp_path, arguments, message):
    empty = tmp_path / "empty"
    empty.mkdir()
    ended = score(empty, *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert not (tmp_path / "results").exists()
    assert score(tmp_path / "nowhere").code == 2
