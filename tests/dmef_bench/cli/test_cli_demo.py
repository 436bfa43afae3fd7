"""The whole way once, in small: clips, dataset, methods, leaderboard."""

import subprocess
import sys

from dmef_bench.dataset import verify
from leaderboard import load_runs

# The learned baselines are fed at up to 512×512, however small the clips.
METHODS = ("copy-reference", "ipl")


def _demo(folder):
    return subprocess.run(
        [sys.executable, "-m", "dmef_bench", "demo", "-o", str(folder),
         "--height", "144", "--clips", "2", "--workers", "2",
         *(word for name in METHODS for word in ("--method", name))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_small_demo_leaves_all_it_promises_and_does_nothing_twice(tmp_path):
    first = _demo(tmp_path)
    assert first.returncode == 0, first.stderr
    assert verify(tmp_path / "4k-dmef").problems == ()
    runs = load_runs(tmp_path / "results")
    assert {run.record.method.name for run in runs} == set(METHODS)
    assert all(run.record.outcome == "complete" for run in runs)
    for name in ("leaderboard.html", "leaderboard.md", "leaderboard.csv"):
        assert (tmp_path / "leaderboard" / name).stat().st_size > 0
    assert str(tmp_path / "leaderboard" / "leaderboard.html") in first.stdout

    kept = {
        path: path.stat().st_mtime_ns
        for folder in ("videos", "4k-dmef", "results")
        for path in (tmp_path / folder).rglob("*")
        if path.suffix in {".mp4", ".png", ".jsonl"}
    }
    second = _demo(tmp_path)
    assert second.returncode == 0, second.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
