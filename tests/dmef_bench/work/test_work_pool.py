import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from own_process import run_python
from pool_tasks import Token, borrow, double, fill, misbehave

from dmef_bench.errors import MissingError
from dmef_bench.video import Room
from dmef_bench.work import Broken, Done, each_in_a_process


def _outcomes(kinds, folder, workers=2):
    inputs = {kind: (kind, folder) for kind in kinds}
    return {
        outcome.key: outcome for outcome in each_in_a_process(misbehave, inputs, workers=workers)
    }


def _alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _gone(pid):
    deadline = time.monotonic() + 20
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _alive(pid)


def _pid_in(file):
    deadline = time.monotonic() + 60
    while not (file.exists() and file.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.02)
    return int(file.read_text())


@pytest.mark.parametrize("workers", [1, 3])
def test_every_input_has_its_outcome(workers):
    inputs = {str(number): (number,) for number in range(7)}
    outcomes = list(each_in_a_process(double, inputs, workers=workers))
    assert sorted(outcomes, key=lambda outcome: outcome.key) == [
        Done(str(number), 2 * number) for number in range(7)
    ]


def test_a_failure_is_its_inputs_own(tmp_path):
    outcomes = _outcomes(["die", "refuse", "fail", "fine"], tmp_path)
    assert outcomes["fine"] == Done("fine", "fine")
    assert outcomes["refuse"] == Broken("refuse", "can't be used")
    assert outcomes["fail"] == Broken("fail", "ZeroDivisionError: a bug")
    assert outcomes["die"].killed
    assert "exit -9" in outcomes["die"].reason
    assert (tmp_path / "die").read_text().count("\n") == 2  # it had a second go


def test_killed_once_is_finished_in_the_second_go(tmp_path):
    assert _outcomes(["die once"], tmp_path) == {"die once": Done("die once", "die once")}


def test_what_is_lent_goes_from_one_input_to_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(Token, "made", [])
    inputs = {str(number): (str(number), tmp_path) for number in range(6)}
    outcomes = list(each_in_a_process(borrow, inputs, workers=2, lend=Token))
    assert {outcome.value for outcome in outcomes} == {0, 1}
    assert [token.closed for token in Token.made] == [True, True]


def test_what_a_killed_process_had_is_not_lent_again(tmp_path, monkeypatch):
    monkeypatch.setattr(Token, "made", [])
    inputs = {kind: (kind, tmp_path) for kind in ("die once", "next", "last")}
    outcomes = list(each_in_a_process(borrow, inputs, workers=1, lend=Token))
    assert outcomes == [Done("next", 1), Done("last", 1), Done("die once", 2)]
    assert [token.closed for token in Token.made] == [True] * 3


def test_room_is_the_same_memory_in_another_process():
    rooms = [Room()]
    list(each_in_a_process(fill, {"x": (rooms[0], b"content")}, workers=1))
    descriptor = rooms[0].descriptor()
    assert os.read(descriptor, 99) == b"content"
    os.close(descriptor)
    rooms[0].close()


def test_what_the_environment_lacks_ends_all(tmp_path):
    with pytest.raises(MissingError, match="the disk is full"):
        _outcomes(["sleep", "full"], tmp_path)
    # The sleeper may have been ended before it began.
    if (tmp_path / "sleep").exists():
        assert _gone(_pid_in(tmp_path / "sleep"))


def test_closing_ends_the_workers(tmp_path):
    inputs = {"fine": ("fine", tmp_path), "sleep": ("sleep", tmp_path)}
    with contextlib.closing(each_in_a_process(misbehave, inputs, workers=2)) as outcomes:
        assert next(outcomes) == Done("fine", "fine")
        sleeper = _pid_in(tmp_path / "sleep")
    assert _gone(sleeper)


def test_workers_die_with_their_parent(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from pool_tasks import misbehave\n"
        "from dmef_bench.work import each_in_a_process\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "list(each_in_a_process(misbehave, {'sleep': ('sleep', folder)}, workers=1))\n"
    )
    tests = str(Path(misbehave.__code__.co_filename).parent)
    parent = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": tests})
    sleeper = _pid_in(tmp_path / "sleep")
    parent.kill()
    parent.wait()
    assert _gone(sleeper)


def test_ctrl_c_reaches_this_process_alone():
    """A terminal sends it to all of them; one that is still importing would show a traceback."""
    code = (
        "from dmef_bench.work import each_in_a_process; from pool_tasks import blocks_ctrl_c\n"
        "print(*each_in_a_process(blocks_ctrl_c, {'a': ()}, workers=1), blocks_ctrl_c())"
    )
    assert run_python(code).out == f"{Done('a', True)} False\n"
