"""A process of its own for what must be killed, or must see only its own memory.

It is forked from a server that has imported everything, so it starts at once; `python -c` would
spend seconds on the same imports.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path

COMMAND = "from dmef_bench.cli import main; main()"
# Tables train and measure, so they import nearly everything; torch's optimisers want the compiler.
PRELOADED = ["dmef_bench.work.pool", "dmef_bench.reproduce.table4", "torch._dynamo", "distributed"]


@dataclass
class Ended:
    code: int
    out: str
    err: str


class OwnProcess:
    """`python -c CODE ARGUMENTS`, but for its quick start; the environment is added to ours."""

    def __init__(self, code: str, *arguments: object, **environment: str) -> None:
        start_server()
        self._folder = tempfile.TemporaryDirectory()
        for name in ("out", "err"):
            Path(self._folder.name, name).touch()
        self._process = multiprocessing.get_context("forkserver").Process(
            target=_execute,
            args=(code, [str(word) for word in arguments], dict(environment), self._folder.name),
        )
        self._process.start()

    def signal(self, number: int) -> None:
        os.kill(self._process.pid, number)

    def ended(self, seconds: float = 300) -> Ended:
        """Wait for its end; a signal that ended it is a negative code."""
        self._process.join(seconds)
        still_running = self._process.is_alive()
        self._process.kill()
        self._process.join()
        with self._folder:
            out, err = (Path(self._folder.name, name).read_text() for name in ("out", "err"))
        assert not still_running, err
        return Ended(self._process.exitcode, out, err)


def start_server() -> None:
    """Have the server import all that tests fork from it; does nothing where it runs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()


def run_python(code: str, *arguments: object, **environment: str) -> Ended:
    return OwnProcess(code, *arguments, **environment).ended()


def run_command(*arguments: object, **environment: str) -> Ended:
    """`dmef-bench ARGUMENTS`."""
    return run_python(COMMAND, *arguments, **environment)


def _execute(code: str, arguments: list[str], environment: dict[str, str], folder: str) -> None:
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(Path(folder, name), os.O_WRONLY | os.O_APPEND), number)
    os.environ.update(environment)
    multiprocessing.set_start_method(None, force=True)  # the platform's, not this process's own
    sys.argv = ["dmef-bench", *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))
    exec(compile(code, "<code>", "exec"), {"__name__": "__main__"})
