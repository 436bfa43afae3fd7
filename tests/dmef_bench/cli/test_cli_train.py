import csv
import json

import pytest
from click.testing import CliRunner
from safetensors import safe_open

from dmef_bench.cli.train import command
from dmef_bench.errors import DmefError, UsageError

BASE = [
    "--method", "ipl", "--steps", "2", "--batch", "1", "--crop", "32", "--workers", "1",
    "--validation-scenes", "1", "-q",
]  # fmt: skip
SMALL = [
    argument
    for option in ("channels=8", "blocks=1", "channel_block=4", "drtm_size=6")
    for argument in ("--set", option)
]


def invoke(*arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


def test_train_writes_weights_and_reports_them(tmp_path):
    result = invoke(*BASE, *SMALL, "--out", tmp_path / "out", "--device", "cpu", "--format", "json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["step"] == 2 and report["finished"] and report["validation_psnr"] > 5
    assert (tmp_path / "out" / "weights.safetensors").is_file()
    again = invoke(*BASE, *SMALL, "--out", tmp_path / "out", "--device", "cpu")
    assert "finished" in again.stdout
    other = [*BASE, *SMALL, "--out", tmp_path / "out", "--device", "cpu", "--seed", "1"]
    with pytest.raises(UsageError, match="seed: 0 there, 1 now"):
        invoke(*other)
    assert invoke(*other, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "nonsense"], "can't be trained"),
        (["--set", "lfe"], "KEY=VALUE"),
        (["--set", "lfe=both"], "lfe"),
        (["--device", "quantum"], "quantum"),
        (["--device", "cuda:99"], "cuda:99"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_requests_are_named(tmp_path, arguments, message):
    with pytest.raises(DmefError, match=message):
        invoke(*BASE, "--out", tmp_path / "out", *arguments)


def test_fshdr_trains_in_two_stages(tmp_path):
    common = [
        "--method", "fshdr", "--steps", "1", "--batch", "2", "--crop", "32", "--workers", "1",
        "--validation-scenes", "1", "--set", "features=4", "--labelled", "2", "--device", "cpu",
        "--format", "json", "-q",
    ]  # fmt: skip
    first = invoke(*common, "--stage", "s1", "--out", tmp_path / "s1")
    weights = json.loads(first.stdout)["weights"]
    second = invoke(*common, "--stage", "s2", "--stage-one", weights, "--out", tmp_path / "s2")
    assert json.loads(second.stdout)["finished"]
    with pytest.raises(UsageError, match="belong to a --stage"):
        invoke(*common, "--out", tmp_path / "plain")
    with pytest.raises(UsageError, match="stage_one_sha256"):
        invoke(*common, "--stage", "s1", "--out", tmp_path / "s2")


def test_a_recipe_and_options_that_replace_parts_of_it(tmp_path):
    own = [
        "--method", "fshdr", "--recipe", "own", "--set", "features=4", "--steps", "2", "--crop",
        "32", "--batch", "1", "--workers", "1", "--validation-scenes", "1", "--device", "cpu", "-q",
    ]  # fmt: skip
    told = _told(own, tmp_path / "own")
    assert (told["recipe"], told["loss"]) == ("own", "MSE of μ-law (μ = 5000)")
    assert (told["optimiser"], told["learning_rate"], told["schedule"]) == ("adam", 3e-4, "step")
    assert (told["batch"], told["data"]["crop"], told["average_decay"]) == (1, 32, 0)
    changed = [
        *BASE, *SMALL, "--device", "cpu", "--ema", "0.5", "--warm-up", "1", "--weight-decay", "0",
        "--schedule", "step", "--milestones", "0.25,0.5", "--step-factor", "0.1",
        "--optimiser", "adam", "--learning-rate", "1e-3", "--precision", "bf16", "--track", "both",
    ]  # fmt: skip
    told = _told(changed, tmp_path / "changed")
    assert (told["average_decay"], told["warm_up"], told["weight_decay"]) == (0.5, 1, 0)
    assert (told["milestones"], told["step_factor"]) == ([0.25, 0.5], 0.1)
    assert (told["optimiser"], told["precision"], told["batch"]) == ("adam", "bfloat16", 1)
    assert told["data"]["kind"] == "both tracks" and told["validation_ssim"] > 0.1
    rows = list(csv.DictReader((tmp_path / "changed" / "log.csv").read_text().splitlines()))
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([1e-3, 1e-5])
    assert (tmp_path / "changed" / "log.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "safnet", "--recipe", "own"], "safnet has no recipe to follow"),
        (["--milestones", "0.5,2"], "--milestones 0.5,2: give shares of the run"),
        (["--milestones", "half"], "--milestones half"),
    ],
)
def test_recipes_that_cannot_be_are_named(tmp_path, arguments, message):
    base = BASE[2:] if "--method" in arguments else BASE
    with pytest.raises(UsageError, match=message):
        invoke(*base, "--device", "cpu", "--out", tmp_path / "out", *arguments)


def _told(arguments, output):
    assert invoke(*arguments, "--out", output).exit_code == 0
    with safe_open(output / "weights.safetensors", "pt") as opened:
        return json.loads(opened.metadata()["training"])
