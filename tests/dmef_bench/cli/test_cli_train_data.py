import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from safetensors import safe_open

from dmef_bench.cli.train import command
from dmef_bench.errors import UsageError

BASE = [
    "--method", "ipl", "--steps", "2", "--batch", "2", "--crop", "32", "--workers", "1",
    "--validation-scenes", "1", "--device", "cpu", "-q",
    "--set", "channels=8", "--set", "blocks=1", "--set", "channel_block=4", "--set", "drtm_size=6",
]  # fmt: skip


def train(out, *arguments):
    wanted = [*BASE, "--out", str(out), "--format", "json", *map(str, arguments)]
    return CliRunner().invoke(command, wanted, catch_exceptions=False)


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (180, 240, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "one.png"), cv2.GaussianBlur(noise, (0, 0), 2))
    return folder


def data_of(out):
    with safe_open(out / "weights.safetensors", framework="pt") as weights:
        return json.loads(weights.metadata()["training"])["data"]


def test_train_makes_its_data_on_the_device(tmp_path, photographs):
    on_device = ("--data-on-device", "--device-scenes", 0, "--photos", photographs)
    result = train(tmp_path / "out", *on_device, "--track", "both")
    assert result.exit_code == 0 and json.loads(result.stdout)["finished"]
    told = data_of(tmp_path / "out")
    assert (told["kind"], told["scenes"], len(told["sha256"])) == ("on device", 0, 1)
    with pytest.raises(UsageError, match="other settings"):
        train(tmp_path / "out", *on_device, "--track", "paper")
    around = train(tmp_path / "around", *on_device, "--context", "whole-picture")
    assert around.exit_code == 0
    told = data_of(tmp_path / "around")
    assert (told["kind"], told["crop"], told["whole"]["crop"]) == ("in context", 32, 128)


def test_train_shows_crops_their_whole_picture(tmp_path, photographs):
    result = train(tmp_path / "out", "--photos", photographs, "--context", "whole-picture")
    assert result.exit_code == 0 and json.loads(result.stdout)["finished"]
    told = data_of(tmp_path / "out")
    assert told["kind"] == "in context" and told["whole"]["kind"] == "mixture"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data-on-device", "--data", "4k-dmef"], "not a dataset"),
        (["--data-on-device", "--device-scenes", "0"], "nothing to train on"),
        (["--context", "whole-picture", "--method", "ahdrnet"], "such as ipl"),
        (["--data-on-device", "--stage", "s1"], "don't go with a --stage"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, arguments, message):
    without_set = [argument for argument in BASE if argument != "--set" and "=" not in argument]
    if "ahdrnet" in arguments:
        without_set = [a for a in without_set if a not in ("--method", "ipl")]
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(
            command, [*without_set, "--out", str(tmp_path / "out"), *arguments],
            catch_exceptions=False,
        )  # fmt: skip
