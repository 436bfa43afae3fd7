"""`dmef-bench train` with several methods: one budget, a folder each, failures named at the end."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dmef_bench.cli.train import command
from dmef_bench.errors import MissingError, ScenesFailedError, UsageError
from dmef_bench.training import RECIPES, DivergedError, TrainReport
from dmef_bench.training.device_memory import DeviceFullError
from dmef_bench.training.ranks import LostProcessError, OtherProcessError
from dmef_bench.training.several import methods_named, name_failures, train_several


def _report(folder):
    return TrainReport(
        step=1, finished=True, psnr=None, ssim=None, weights=folder / "weights.safetensors"
    )


def test_all_stands_for_every_method_that_can_be_trained():
    assert methods_named(["all"]) == list(RECIPES)
    assert methods_named(["sctnet", "ipl", "sctnet"]) == ["sctnet", "ipl"]
    assert methods_named(["safnet", "all"])[0] == "safnet"
    with pytest.raises(UsageError, match="'mertens' can't be trained"):
        methods_named(["ipl", "mertens"])


def test_time_is_shared_equally_and_what_one_leaves_over_goes_to_the_next():
    now, shares = [1000.0], []

    def train_one(method, folder, minutes):
        shares.append(minutes)
        now[0] += 60 * min(minutes, {"first": 1}.get(method, 99))
        return _report(folder)

    train_several(["first", "second", "third"], train_one, Path("out"), 9, clock=lambda: now[0])
    assert shares == [3, 4, 4]
    shares.clear()
    train_several(["a", "b"], lambda *call: shares.append(call[2]) or _report(call[1]), Path("out"))
    assert shares == [None, None]


def test_a_failure_stops_no_other_method_but_a_full_disk_stops_all():
    asked = []

    def train_one(method, folder, minutes):
        asked.append(folder)
        if method == "diverging":
            raise DivergedError("the loss is nan")
        if method == "broken":
            raise ZeroDivisionError("a defect\nof two lines")
        if method == "large":
            raise DeviceFullError("step 1: the memory of cuda is full")
        if method == "unlucky":
            raise MissingError("the disk is full")
        return _report(folder)

    methods = ["diverging", "broken", "large", "good"]
    outcomes = train_several(methods, train_one, Path("out"))
    assert asked == [Path("out") / method for method in methods]
    assert [one.error for one in outcomes] == [
        "the loss is nan", "ZeroDivisionError: a defect of two lines",
        "step 1: the memory of cuda is full", None,
    ]  # fmt: skip
    with pytest.raises(ScenesFailedError, match="diverging: the loss is nan\n  broken: Zero"):
        name_failures(outcomes)
    name_failures(outcomes[3:])
    with pytest.raises(MissingError, match="disk is full"):
        train_several(["unlucky", "good"], train_one, Path("out"))
    assert asked[-1] == Path("out/unlucky")


@pytest.mark.parametrize(
    ("error", "stops"),
    [
        (OtherProcessError("process 1 of 2: the loss is nan", 1), False),
        (OtherProcessError("process 1 of 2: the disk is full", MissingError.exit_code), True),
        (LostProcessError("another process is gone"), True),
    ],
)
def test_processes_stop_together_or_go_on_together(error, stops):
    asked = []

    def train_one(method, folder, minutes):
        asked.append(method)
        raise error

    if stops:
        with pytest.raises(OtherProcessError):
            train_several(["one", "two"], train_one, Path("out"))
    else:
        train_several(["one", "two"], train_one, Path("out"))
    assert asked == (["one"] if stops else ["one", "two"])


def test_the_command_trains_several_and_goes_on_with_each(tmp_path):
    arguments = [
        "--method", "hdr-transformer", "--method", "ipl", "--steps", "1",
        "--batch", "1", "--crop", "36", "--workers", "1", "--validation-scenes", "1",
        "--device", "cpu", "-q", "--format", "json", "--out", str(tmp_path),
    ]  # fmt: skip
    said = CliRunner().invoke(command, arguments)
    assert isinstance(said.exception, ScenesFailedError)
    assert "hdr-transformer takes sides from" in str(said.exception)
    told = {one["method"]: one for one in json.loads(said.stdout)["methods"]}
    assert list(told) == ["hdr-transformer", "ipl"]
    assert "choose another --crop" in told["hdr-transformer"]["error"]
    weights = tmp_path / "ipl" / "weights.safetensors"
    assert told["ipl"]["weights"] == str(weights)
    first = weights.read_bytes()
    again = json.loads(CliRunner().invoke(command, arguments).stdout)["methods"]
    assert [one.get("finished") for one in again] == [None, True]
    assert weights.read_bytes() == first
    with pytest.raises(UsageError, match="--set, --stage and --start-from belong to one method"):
        CliRunner().invoke(command, [*arguments, "--set", "blocks=1"], catch_exceptions=False)
