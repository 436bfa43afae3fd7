import os
import sys
import time
from pathlib import Path

import pytest

from dmef_bench.video.supervised import LimitReachedError, Limits, run_supervised

ROOMY = Limits(seconds=60, stdout=1 << 20)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in\nput"
    path.write_bytes(b"content")
    return path


def _python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_the_file_comes_as_a_descriptor_and_nothing_else_does(file: Path) -> None:
    code = (
        "import os, sys; print(os.read(int(sys.argv[1]), 99), sys.stdin.read() == '',"
        " 'HOME' in os.environ, os.getpgrp() == os.getpid())"
    )
    finished = run_supervised(_python(code, "{fd}"), file, ROOMY)
    assert finished.status == 0
    assert finished.stdout == b"b'content' True False True\n"


def test_stderr_that_is_no_utf8_and_exit_status(file: Path) -> None:
    code = "import os; os.write(2, b'a\\xff'); os._exit(3)"
    finished = run_supervised(_python(code), file, ROOMY)
    assert (finished.status, finished.stderr) == (3, "a\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    ("script", "limits", "message"),
    [
        ("sleep {}; true", Limits(seconds=1, stdout=0), "within 1 s"),
        ("sleep {} & echo started; wait", Limits(seconds=60, stdout=0), "bytes of output"),
    ],
)
def test_a_stopped_run_is_killed_with_its_children(
    file: Path, script: str, limits: Limits, message: str
) -> None:
    mark = f"100.{os.getpid()}{len(message)}"
    with pytest.raises(LimitReachedError, match=message):
        run_supervised(["/bin/sh", "-c", script.format(mark)], file, limits)
    mine = [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if _says(path, mark)]
    _wait_for_the_end(" ".join(mine))


def _says(path: Path, mark: str) -> bool:
    try:
        return mark.encode() in path.read_bytes()
    except OSError:
        return False


def test_a_child_left_behind_is_killed(file: Path) -> None:
    script = "sleep 100 >/dev/null 2>&1 & echo $!"
    finished = run_supervised(["/bin/sh", "-c", script], file, ROOMY)
    assert finished.status == 0
    _wait_for_the_end(str(finished.stdout, "ascii"))


def _wait_for_the_end(pids: str) -> None:
    def runs(pid: str) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
        except FileNotFoundError:
            return False

    for _ in range(200):
        if not any(map(runs, pids.split())):
            return
        time.sleep(0.05)
    raise AssertionError(f"still running: {pids}")


def test_a_run_that_closes_its_output_and_stays_is_killed(file: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(100)"
    with pytest.raises(LimitReachedError, match="no end"):
        run_supervised(_python(code), file, Limits(seconds=1, stdout=0))


def test_output_is_bounded(file: Path) -> None:
    with pytest.raises(LimitReachedError, match="1000 bytes"):
        run_supervised(["/bin/sh", "-c", "yes"], file, Limits(seconds=60, stdout=1000))


def test_a_second_output_comes_whole_and_beside_the_first(file: Path) -> None:
    code = (
        "import os, sys\n"
        "with open(int(sys.argv[1]), 'wb') as second:\n"
        "    for _ in range(50): os.write(1, b'x' * 9999); second.write(b'y' * 99999)"
    )
    limits = Limits(60, 1 << 20, held=5_000_000)
    finished = run_supervised(_python(code, "{held}"), file, limits)
    assert finished.stdout == b"x" * 50 * 9999
    assert finished.held == b"y" * 50 * 99999


def test_a_second_output_is_bounded(file: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    script = ["/bin/sh", "-c", 'sleep 1; exec yes >"/proc/self/fd/$0"', "{held}"]
    finished = run_supervised(script, file, Limits(seconds=60, stdout=0, held=100_000))
    assert finished.status != 0
    assert len(finished.held) == 100_000
    del finished
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_memory_is_bounded(file: Path) -> None:
    code = "import time; time.sleep(.3); bytearray(600 << 20)"
    finished = run_supervised(_python(code), file, Limits(60, 1 << 20, memory=300 << 20))
    assert finished.status == 1
    assert "MemoryError" in finished.stderr


def test_no_file_is_written(file: Path, tmp_path: Path) -> None:
    code = "import sys, time; time.sleep(.3); open(sys.argv[1], 'wb', 0).write(b'x')"
    finished = run_supervised(_python(code, str(tmp_path / "out")), file, ROOMY)
    assert finished.status != 0
    assert (tmp_path / "out").stat().st_size == 0


def test_no_descriptor_is_left_open(file: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    run_supervised(["/bin/true"], file, ROOMY)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_missing_program_or_file_is_an_os_error(file: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        run_supervised(["/no/such/program"], file, ROOMY)
    assert caught.value.filename == "/no/such/program"
    with pytest.raises(FileNotFoundError):
        run_supervised(["/bin/true"], file.with_name("none"), ROOMY)
