import errno
import json
import os
import shutil
import signal
from pathlib import Path

import fusion_methods
import pytest
from own_process import run_command

METHODS = Path(fusion_methods.__file__)


@pytest.fixture
def run(dmef_bench, dataset_folder, tmp_path):
    """`dmef-bench run` over the small dataset's train split, quietly, into tmp_path/results."""

    def call(*arguments):
        return dmef_bench(
            "run", "--data", dataset_folder, "--split", "train", "-o", tmp_path / "results",
            "--no-lpips", "-q", *arguments,
        )  # fmt: skip

    return call


def _record(results, method):
    (file,) = results.glob(f"{method}@*/*/*/run.json")
    return json.loads(file.read_text())


def _lines(results, method):
    (file,) = results.glob(f"{method}@*/*/*/samples.jsonl")
    return file.read_bytes().splitlines()


def test_a_run_is_summed_up(run, tmp_path):
    ended = run("--method", "copy-reference")
    assert ended.code == 0
    assert ended.out.startswith("copy-reference: complete, 3 of 3 scenes\n")
    assert "LPIPS n/a" in ended.out
    assert ended.err == ""
    command = _record(tmp_path / "results", "copy-reference")["command"]
    assert command.startswith("dmef-bench run --data ")


def test_json_has_every_figure(run):
    ended = run("--method", "mertens", "--protocol", "native", "--format", "json")
    (found,) = json.loads(ended.out)["runs"]
    assert ended.code == 0
    assert (found["method"], found["outcome"], found["scenes"]) == ("mertens", "complete", 3)
    assert found["psnr"] > 5
    assert found["cost"]["inference_seconds"]["count"] == 3
    assert found["lpips"] is None
    assert found["lpips_unavailable"] == "left out with --no-lpips"


def test_one_failing_method_does_not_stop_the_others(run, tmp_path):
    ended = run(
        "--method", f"{METHODS}:NotANumber", "--method", "no-such-method", "--method", "gdc"
    )
    assert ended.code == 1
    assert "gdc: complete" in ended.out
    assert "not-a-number: failed, 0 of 3 scenes" in ended.out
    for scene in ("train/0001", "train/0002", "train/0003"):
        assert f"not-a-number, {scene}: not-a-number returned NaN" in ended.err
    assert "no-such-method: there is no method" in ended.err
    assert "Traceback" not in ended.err
    assert _record(tmp_path / "results", "gdc")["outcome"] == "complete"


def test_all_takes_every_method_that_has_what_it_needs(run, tmp_path):
    from baselines import available

    ended = run(
        "--method", "all", "--limit", "1", "--resolution", "32x32", "--format", "json"
    )  # fmt: skip
    found = json.loads(ended.out)
    names = {run["method"] for run in found["runs"]} | set(found["left_out"]) | set(found["broken"])
    assert names == {name for name, _ in available()}
    assert {"copy-reference", "invert-response", "mertens", "gdc"} <= names - set(found["broken"])
    assert ended.code == (1 if found["broken"] else 0)
    assert all("weights" in reason for reason in found["left_out"].values())
    assert _record(tmp_path / "results", "mertens")["protocol"]["resolution"] == [32, 32]


def test_a_method_without_weights_is_left_out_of_all_and_refused_by_name(run):
    ended = run("--method", "all", "--dry-run")
    assert ended.code == 0
    alone = run("--method", f"{METHODS}:Weightless")
    assert alone.code == 3
    assert "weightless needs weights" in alone.err


def test_a_killed_run_goes_on_and_counts_every_scene(dataset_folder, tmp_path):
    switch = tmp_path / "switch"
    switch.touch()
    command = [
        "run", "--data", dataset_folder, "--split", "train", "-o", tmp_path / "results",
        "--no-lpips", "-q", "--method", f"{METHODS}:KilledInTheThird",
    ]  # fmt: skip
    killed = run_command(*command, KILL_SWITCH=str(switch))
    assert killed.code == -signal.SIGKILL, killed.err
    assert not switch.exists()
    results = tmp_path / "results"
    before = _lines(results, "killed")
    assert len(before) == 2
    assert _record(results, "killed")["outcome"] == "running"

    (file,) = results.glob("killed@*/*/*/samples.jsonl")
    file.write_bytes(file.read_bytes() + before[0][:40])  # as a kill inside a write leaves it
    done = run_command(*command)
    assert done.code == 0, done.err
    after = _lines(results, "killed")
    assert after[:2] == before
    assert [json.loads(line)["scene"][-4:] for line in after] == ["0001", "0002", "0003"]
    record = _record(results, "killed")
    assert record["outcome"] == "complete"
    assert record["cost"]["total_seconds"]["count"] == 3


def test_settings_do_not_mix(run, tmp_path):
    run("--method", "copy-reference")
    mixed = run("--method", "copy-reference", "--repeats", "2")
    assert mixed.code == 2
    assert "repeats was '1', is now '2'" in mixed.err
    assert _record(tmp_path / "results", "copy-reference")["settings"]["repeats"] == "1"
    replaced = run("--method", "copy-reference", "--repeats", "2", "--overwrite")
    assert replaced.code == 0
    assert _record(tmp_path / "results", "copy-reference")["settings"]["repeats"] == "2"


def test_dry_run_writes_nothing(run, tmp_path):
    ended = run("--method", "copy-reference", "--dry-run")
    assert ended.code == 0
    assert "copy-reference: 3 scenes to do in" in ended.out
    assert not (tmp_path / "results").exists()
    run("--method", "copy-reference", "--limit", "2")
    planned = json.loads(run("--method", "copy-reference", "--dry-run", "--format", "json").out)
    assert planned["runs"][0]["todo"] == ["train/0003"]


def test_no_memory_is_said_and_the_exit_code_is_one(run):
    ended = run("--method", f"{METHODS}:Greedy")
    assert ended.code == 1
    assert "greedy: out-of-memory, 0 of 1 scenes" in ended.out


def test_a_corrupt_scene_is_named(run, dataset_folder, tmp_path):
    broken = tmp_path / "4k-dmef"
    shutil.copytree(dataset_folder, broken)
    (broken / "train" / "0001" / "low.png").write_bytes(b"\x89PNG")
    ended = run("--method", "copy-reference", "--data", broken)
    assert ended.code == 1
    assert "copy-reference: failed, 2 of 3 scenes" in ended.out
    assert "train/0001/low.png" in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "mertns"), "did you mean mertens"),
        (("--method", "mertens", "--tile", "64"), "--tile belongs to --protocol tiled"),
        (("--method", "mertens", "--resolution", "0x5"), "no height and width"),
        (
            ("--method", "mertens", "--protocol", "native", "--resolution", "5x5"),
            "--resolution belongs to --protocol paper",
        ),
        (("--method", "all", "--weights", "w.pth"), "--weights belongs to one method"),
        (
            ("--method", "mertens", "--protocol", "tiled", "--tile", "8", "--overlap", "5"),
            "tiles of 8 pixels can't overlap by 5",
        ),
        (("--method", "mertens", "--precision", "float16"), "has no network to run in float16"),
        (("--method", "mertens", "--data", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_two(run, tmp_path, arguments, message):
    ended = run(*arguments)
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "results").exists()


def test_results_that_can_not_be_written(run, dataset_folder, dmef_bench, tmp_path):
    (tmp_path / "file").write_text("in the way")
    ended = dmef_bench(
        "run", "--data", dataset_folder, "-o", tmp_path / "file", "--method", "copy-reference",
        "--no-lpips", "-q",
    )  # fmt: skip
    assert ended.code == 2
    assert str(tmp_path / "file") in ended.err
    assert "Traceback" not in ended.err


def test_a_full_disk_ends_all_methods_at_once(run, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ended = run("--method", "copy-reference", "--method", "gdc")
    assert ended.code == 3
    assert ended.err.count("disk is full") == 1
    assert "Traceback" not in ended.err
