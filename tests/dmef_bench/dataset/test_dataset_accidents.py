import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dataset_folders import contents, copy

from dmef_bench.dataset import build_dataset, open_dataset, plan_build, verify
from dmef_bench.dataset.work_folder import hold
from dmef_bench.errors import IntegrityError, UsageError

DISTURBED = Path(__file__).with_name("disturbed_build.py")


@pytest.fixture
def disturbed(tmp_path):
    def run(accident, number, videos, output, *more):
        counter = tmp_path / "counter"
        counter.unlink(missing_ok=True)
        return subprocess.run(
            [
                sys.executable, DISTURBED,
                "build-dataset", videos, "-o", output, "--min-height", "100", "-q", *more,
            ],
            env={**os.environ, "ACCIDENT": accident, "N": str(number), "COUNTER": str(counter)},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    return run


# A build of three clips and a text puts 40 files into place: 1 for the settings, 5 a clip (four
# pictures and the marker), 1 for the text's marker, 5 texts of the dataset, the plan, 17 moves.
@pytest.mark.parametrize("number", [4, 23, 30])
def test_killed_anywhere_then_finished_is_as_undisturbed(
    disturbed, three, three_clips, settings, tmp_path, number
):
    output = tmp_path / "output"
    killed = disturbed("kill", number, three_clips, output, "--workers", "1")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    build_dataset(three_clips, output, settings, workers=2)
    assert contents(output) == contents(three)


def test_killed_again_and_again(disturbed, three, three_clips, tmp_path):
    output, codes = tmp_path / "output", []
    while not codes or codes[-1]:
        codes.append(disturbed("kill", 16, three_clips, output, "--workers", "1").returncode)
    assert codes[:-1] == [-signal.SIGKILL] * 2
    assert contents(output) == contents(three)


# Here: settings, 5 for each of two new clips, 5 texts, the plan, 13 moves.
@pytest.mark.parametrize("number", [5, 27])
def test_killed_extension(disturbed, extended, three, clips, settings, tmp_path, number):
    output = copy(three, tmp_path / "output")
    killed = disturbed("kill", number, clips, output, "--workers", "2")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    report = verify(output)
    assert {problem.kind for problem in report.problems} >= {"unfinished"}
    if number < 17:  # the plan isn't written yet
        assert len(report.problems) == 1
    build_dataset(clips, output, settings)
    assert contents(output) == contents(extended)


def test_a_worker_that_is_killed_costs_its_video_only(
    disturbed, three, three_clips, settings, tmp_path
):
    output = tmp_path / "output"
    failed = disturbed("kill-worker", 12, three_clips, output, "--workers", "1")
    assert failed.returncode == 1
    assert "clip2.mp4: its process ended without an answer" in failed.stderr
    assert "clip0" not in failed.stderr
    finished = list(output.glob(".dmef-build/scenes/*/marker.json"))
    assert len(finished) == 2
    build_dataset(three_clips, output, settings)
    assert contents(output) == contents(three)


def test_a_full_disk_keeps_what_was_made(disturbed, three, three_clips, settings, tmp_path):
    output = tmp_path / "output"
    full = disturbed("full", 9, three_clips, output, "--workers", "2")
    assert full.returncode == 3
    assert "the disk is full" in full.stderr
    assert "Traceback" not in full.stderr
    build_dataset(three_clips, output, settings)
    assert contents(output) == contents(three)


def test_interrupted_by_the_keyboard(disturbed, three, three_clips, settings, tmp_path):
    output = tmp_path / "output"
    interrupted = disturbed("interrupt", 7, three_clips, output, "--workers", "1")
    assert interrupted.returncode == 130
    assert "run the same command again" in interrupted.stderr
    assert "Traceback" not in interrupted.stderr
    assert list(output.glob(".dmef-build/scenes/*/marker.json"))
    build_dataset(three_clips, output, settings)
    assert contents(output) == contents(three)


def test_a_finished_picture_that_changes_is_made_again(
    disturbed, three, three_clips, settings, tmp_path
):
    output = tmp_path / "output"
    disturbed("kill", 14, three_clips, output, "--workers", "1")
    markers = output.glob(".dmef-build/scenes/*/marker.json")
    marker = next(path for path in markers if (path.parent / "1" / "mid.png").exists())
    (marker.parent / "1" / "mid.png").write_bytes(b"altered")
    build_dataset(three_clips, output, settings)
    assert contents(output) == contents(three)


def test_an_interrupted_plan_that_lost_a_file_says_so(disturbed, three_clips, settings, tmp_path):
    output = tmp_path / "output"
    disturbed("kill", 30, three_clips, output, "--workers", "1")
    next(output.glob("t*/0001/gt.png")).unlink()
    with pytest.raises(IntegrityError, match=r"can't be completed \(.*gt\.png: missing"):
        build_dataset(three_clips, output, settings)
    with pytest.raises(IntegrityError, match="its build was interrupted"):
        open_dataset(output)
    with pytest.raises(UsageError, match="without --dry-run"):
        plan_build(three_clips, output, settings)


def test_a_second_build_at_the_same_time_is_refused(three_clips, settings, tmp_path):
    with (
        hold(tmp_path / "output"),
        pytest.raises(UsageError, match="another build is at work"),
    ):
        build_dataset(three_clips, tmp_path / "output", settings)
    assert not (tmp_path / "output").exists()


def test_work_begun_with_other_settings_is_refused_or_dropped(
    disturbed, three, three_clips, settings, tmp_path
):
    output = tmp_path / "output"
    disturbed("kill", 8, three_clips, output, "--workers", "1", "--evs=-1,0,1")
    with pytest.raises(UsageError, match=r"evs: -1\.0, \+0\.0, \+1\.0 there"):
        build_dataset(three_clips, output, settings)
    build_dataset(three_clips, output, settings, overwrite=True)
    assert contents(output) == contents(three)


def test_killed_while_overwriting(disturbed, extended, three, three_clips, tmp_path):
    output = copy(extended, tmp_path / "output")
    killed = disturbed("kill", 30, three_clips, output, "--overwrite")
    assert killed.returncode == -signal.SIGKILL
    assert disturbed("none", 0, three_clips, output, "--overwrite").returncode == 0
    assert contents(output) == contents(three)
