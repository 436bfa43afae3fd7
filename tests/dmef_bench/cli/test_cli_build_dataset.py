import json
import subprocess
import sys
from typing import NamedTuple

import pytest
from dataset_folders import contents, copy, write_clips

from dmef_bench.cli import main

OPTIONS = ("--min-height", "100", "--workers", "2")


class Finished(NamedTuple):
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `dmef-bench` in this process."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dmef-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Finished(ended.value.code, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = write_clips(tmp_path_factory.mktemp("clips") / "two", 2)
    (folder / "text.mp4").write_text("not a video")
    return folder


@pytest.fixture(scope="module")
def built(clips, tmp_path_factory):
    output = tmp_path_factory.mktemp("built") / "dataset"
    arguments = [sys.executable, "-m", "dmef_bench", "build-dataset", clips, "-o", output, *OPTIONS]
    return output, subprocess.run(
        arguments, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_build_reports_scenes_and_rejections(built):
    output, done = built
    assert done.returncode == 0, done.stderr
    assert f"{output}: 1 train + 1 test scenes, 2 of them new" in done.stdout
    assert "text.mp4" in done.stdout
    assert "not-a-video" in done.stdout
    assert "make scenes" in done.stderr  # the progress bar


def test_json_says_the_same(built, clips, run):
    output, _ = built
    done = run("build-dataset", clips, "-o", output, *OPTIONS, "--format", "json", "-q")
    report = json.loads(done.stdout)
    assert report["scenes"] == {"train": 1, "test": 1}
    assert report["added"] == 0
    assert report["failed"] == {}
    assert [entry["name"] for entry in report["rejected"]] == ["text.mp4"]


def test_a_dry_run_says_what_would_be_done(clips, tmp_path, run):
    done = run("build-dataset", clips, "-o", tmp_path / "x", *OPTIONS, "--dry-run")
    assert done.stdout.startswith("take  clip0.mp4\ntake  clip1.mp4\n")
    assert not (tmp_path / "x").exists()


def test_exit_codes_of_a_build(built, clips, tmp_path, run):
    output, _ = built
    (tmp_path / "empty").mkdir()
    for code, message, *arguments in (
        (2, "no videos here", tmp_path / "empty"),
        (2, "none of the 3 videos can be used", clips, "-o", tmp_path / "x"),
        (2, "built with other settings", clips, "-o", output, *OPTIONS, "--evs=-2,0,2"),
        (2, "three numbers", clips, "--evs", "1,2"),
        (2, "unknown camera response model", clips, "--model", "film"),
        (2, "does not exist", tmp_path / "absent"),
        (3, "choose another output folder", clips, "-o", "/proc/x", *OPTIONS),
    ):
        done = run("build-dataset", *arguments)
        assert done.code == code, done.stderr
        assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "x").exists()


def test_verify_ends_with_0_or_4(built, tmp_path, run):
    output, _ = built
    done = run("verify", output)
    assert done.code == 0, done.stderr
    assert "13 files" in done.stdout
    assert "digest " in done.stdout
    damaged = copy(output, tmp_path / "damaged")
    (damaged / "train" / "0001" / "gt.png").unlink()
    (damaged / "more.txt").write_text("")
    done = run("verify", damaged)
    assert done.code == 4
    assert "missing  train/0001/gt.png" in done.stdout
    assert "extra  more.txt" in done.stdout
    report = json.loads(run("verify", damaged, "--format", "json", "-q").stdout)
    assert not report["ok"]
    assert {problem["kind"] for problem in report["problems"]} == {"missing", "extra"}
    assert report["files"] == 13
    assert report["bytes"] == sum(map(len, contents(damaged).values()))
