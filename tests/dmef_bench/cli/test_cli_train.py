import json

import pytest
from click.testing import CliRunner

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
