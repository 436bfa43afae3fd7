import signal
import sys

import pytest
from dask_cluster import ended, eventually, worker_of
from dataset_folders import contents
from own_process import COMMAND, OwnProcess

from dmef_bench.video.ffmpeg import ffmpeg_executable


@pytest.fixture
def build(dask_cluster, three_videos, tmp_path):
    def start(output=tmp_path / "output", **environment):
        return OwnProcess(
            COMMAND, "build-dataset", three_videos, "-o", output, "--min-height", 100, "-q",
            "--cluster", dask_cluster.address, **environment,
        )  # fmt: skip

    return start


@pytest.fixture
def held(dask_cluster):
    """The ffmpeg that the next scene waits in."""
    dask_cluster.hold()
    yield lambda: eventually(dask_cluster.held)
    dask_cluster.open()


def test_same_bytes_although_a_worker_is_killed(build, held, dask_cluster, built_here, tmp_path):
    process = build()
    worker = worker_of(held()[0])
    assert any("dask" in " ".join(above.cmdline()) for above in worker.parents()[:2])
    worker.kill()
    dask_cluster.open()
    assert ended(process) == (0, "")
    assert contents(tmp_path / "output") == contents(built_here)


def test_a_poisonous_video_costs_itself_only(build, dask_cluster, built_here, tmp_path):
    with dask_cluster.poisoned_by("clip1.mp4"):
        code, stderr = ended(build())
    assert code == 1
    assert "clip1.mp4: each of 2 workers that took it died" in stderr
    assert "clip0" not in stderr
    assert "clip2" not in stderr
    assert len(list(tmp_path.glob("output/.dmef-build/scenes/*/marker.json"))) == 2
    assert not list(tmp_path.glob("output/.dmef-build/.cluster-*"))
    assert ended(build()) == (0, "")
    assert contents(tmp_path / "output") == contents(built_here)


def test_interrupted_by_the_keyboard(build, held, dask_cluster):
    process = build()
    waiting = held()
    process.signal(signal.SIGINT)
    code, stderr = ended(process)
    assert code == 130
    assert "run the same command again" in stderr
    # They still wait at the gate, so only the cancellation can have ended them.
    eventually(lambda: not any(ffmpeg.is_running() for ffmpeg in waiting))
    eventually(lambda: not dask_cluster.held())  # the other worker's may die a moment later


def test_a_killed_client_leaves_nothing_at_work(build, held, dask_cluster):
    process = build()
    waiting = held()
    process.signal(signal.SIGKILL)
    process.ended()
    eventually(lambda: not any(ffmpeg.is_running() for ffmpeg in waiting))
    eventually(lambda: not dask_cluster.held())  # the other worker's may die a moment later


def test_the_scheduler_is_lost(build, held, dask_cluster, built_here, tmp_path):
    process = build()
    held()
    dask_cluster.kill_the_scheduler()
    code, stderr = ended(process)
    assert code == 3
    assert "is gone. What was finished is kept" in stderr
    dask_cluster.stop()
    dask_cluster.start()
    assert ended(build()) == (0, "")
    assert contents(tmp_path / "output") == contents(built_here)


def test_other_versions_are_refused(build, tmp_path):
    other = tmp_path / "ffmpeg"
    other.write_text(
        f"#!{sys.executable} -SE\nimport os, sys\n"
        "if '-version' in sys.argv:\n    print('ffmpeg version 0.0-other')\n"
        f"else:\n    os.execv({ffmpeg_executable()!r}, [{ffmpeg_executable()!r}, *sys.argv[1:]])\n"
    )
    other.chmod(0o755)
    code, stderr = ended(build(IMAGEIO_FFMPEG_EXE=str(other)))
    assert code == 3
    assert " instead of 0.0-other; install the same versions everywhere" in stderr
    assert not list(tmp_path.glob("output/.dmef-build/scenes/*"))


def test_a_folder_that_is_not_shared_is_refused(build, tmp_path, monkeypatch):
    # In every process this path leads into that process's own working folder.
    monkeypatch.chdir(tmp_path)
    code, stderr = ended(build("/proc/self/cwd/output"))
    assert code == 3
    assert "does not see /proc/self/cwd/output/.dmef-build; all machines must share" in stderr
    assert [path.name for path in (tmp_path / "output").iterdir()] == [".dmef-build"]
