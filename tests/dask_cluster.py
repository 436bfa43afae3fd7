"""A real Dask scheduler with workers, each a process as a user would start it."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from own_process import OwnProcess

from dmef_bench.video.ffmpeg import ffmpeg_executable

ROOT = Path(__file__).parents[1]

# Stands for ffmpeg on the workers. It may write no file, but it can make folders.
FFMPEG = """#!{python} -SE
import os, signal, sys, time

def parent(pid):
    with open(f"/proc/{{pid}}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])

if "-i" in sys.argv:
    while os.path.exists("{folder}/gate"):
        os.makedirs(f"{folder}/held/{{os.getpid()}}", exist_ok=True)
        time.sleep(0.02)
    files = (f"/proc/self/fd/{{number}}" for number in os.listdir("/proc/self/fd"))
    names = [os.path.basename(os.readlink(file)) for file in files if os.path.exists(file)]
    if any(os.path.exists(f"{folder}/poison/{{name}}") for name in names):
        # The process of the scene, the server it was forked from, the worker.
        os.kill(parent(parent(os.getppid())), signal.SIGKILL)
        time.sleep(1)
        sys.exit(1)
os.execv("{ffmpeg}", ["{ffmpeg}", *sys.argv[1:]])
"""


def eventually(condition, seconds=120):
    """What `condition` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


class DaskCluster:
    """Scheduler and workers; their ffmpeg can be held up and can kill its worker.

    Attributes:
        address: path of the scheduler file.
        folder: where the cluster keeps its things; workers have their working folder in it.
    """

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.folder = folder
        self.address = folder / "scheduler.json"
        self._workers = workers
        self._processes = []
        (folder / "cwd").mkdir(parents=True)
        (folder / "poison").mkdir()
        wrapper = folder / "ffmpeg"
        wrapper.write_text(
            FFMPEG.format(python=sys.executable, folder=folder, ffmpeg=ffmpeg_executable())
        )
        wrapper.chmod(0o755)

    def start(self) -> None:
        self.address.unlink(missing_ok=True)
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
        eventually(self.address.exists)
        for number in range(self._workers):
            self._start(
                "dask_worker", "--nthreads", "1", "--memory-limit", "0", "--name", str(number),
                "--local-directory", str(self.folder / f"worker{number}"),
            )  # fmt: skip

    def _start(self, program: str, *arguments: str) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            "IMAGEIO_FFMPEG_EXE": str(self.folder / "ffmpeg"),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
            # A worker that was killed is soon replaced.
            "DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "forkserver",
        }
        with (self.folder / f"log{len(self._processes)}").open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard",
                    "--scheduler-file", str(self.address), *arguments,
                ],
                cwd=self.folder / "cwd", env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        self._processes.append(process)

    def kill_the_scheduler(self) -> None:
        self._processes[0].kill()

    def stop(self) -> None:
        self.open()
        everyone = []
        for process in self._processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                everyone += [psutil.Process(process.pid)]
                everyone += everyone[-1].children(recursive=True)
        everyone += self.held()  # orphans of killed workers
        for process in everyone:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for process in self._processes:
            process.wait()
        self._processes = []

    def hold(self) -> None:
        """Let every ffmpeg wait from now on."""
        (self.folder / "gate").mkdir()

    def open(self) -> None:
        """Let the ffmpegs go on."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "gate").rmdir()

    def held(self) -> list[psutil.Process]:
        """The ffmpegs that wait."""
        found = []
        for path in (self.folder / "held").glob("*"):
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(int(path.name))
                # Once it goes on it is another program, or another process has its number.
                if str(self.folder / "ffmpeg") in process.cmdline():
                    found.append(process)
        return found

    @contextlib.contextmanager
    def poisoned_by(self, name: str):
        """Let a video kill each worker that takes it."""
        poison = self.folder / "poison" / name
        poison.mkdir()
        try:
            yield
        finally:
            poison.rmdir()


def worker_of(ffmpeg: psutil.Process) -> psutil.Process:
    """The worker that started it: above the scene's process and the server it was forked from."""
    return ffmpeg.parents()[2]


def ended(process: OwnProcess) -> tuple[int, str]:
    """Exit code and stderr."""
    ended = process.ended(180)
    assert "Traceback" not in ended.err, ended.err
    return ended.code, ended.err
