"""Run a function on many inputs, each in a process of its own.

A process that is killed (by the system when memory runs out, say) takes down its own input only,
and all memory an input needed is given back when its process ends.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar

from dmef_bench.errors import DmefError, MissingError
from dmef_bench.work.outcome import Broken, Done, Inputs

T = TypeVar("T")
# How often work that may be called off is asked about, in seconds.
_ASKED_EVERY = 0.5


class Lent(Protocol):
    """What one input after the other uses; it can be sent to a process that is started."""

    def close(self) -> None:
        """Give it up for good."""


class _Job(NamedTuple):
    process: ForkServerProcess
    answer: Connection
    lent: Lent | None


def each_in_a_process(
    function: Callable[..., T],
    inputs: Inputs,
    *,
    workers: int,
    lend: Callable[[], Lent] | None = None,
) -> Generator[Done[T] | Broken]:
    """Call `function(*arguments)` for every input, as many at once as `workers`.

    An input whose process was killed gets a second go, alone, after all others. Closing the
    iterator ends the processes at work.

    Args:
        function: a module's function; it and its arguments are pickled.
        inputs: key -> arguments.
        workers: processes at once.
        lend: makes what an input needs and the next one can use again; its last argument. None
            is ever used by two at once, nor after the process was killed that had it.

    Yields:
        One outcome for each input, as they finish.

    Raises:
        MissingError: the function raised it, as on a full disk; the other processes are ended.
    """
    context = _context(function.__module__)
    killed = []
    with contextlib.closing(_at_once(context, function, inputs, workers, lend)) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome, Broken) and outcome.killed:
                killed.append(outcome.key)
            else:
                yield outcome
    second_go = {key: inputs[key] for key in killed}
    with contextlib.closing(_at_once(context, function, second_go, 1, lend)) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome, Broken) and outcome.killed:
                reason = f"{outcome.reason}; try again with fewer --workers"
                outcome = replace(outcome, reason=reason)
            yield outcome


def one_in_a_process(
    function: Callable[..., T], key: str, arguments: tuple[Any, ...], wanted: Callable[[], bool]
) -> Done[T] | Broken | None:
    """Call `function(*arguments)` once in a process of its own.

    Args:
        function: a module's function; it and its arguments are pickled.
        key: what to call the input in its outcome.
        arguments: of the function.
        wanted: asked now and then; where it says no, the process is ended.

    Returns:
        The outcome, None where it is no longer wanted.

    Raises:
        MissingError: the function raised it.
    """
    inputs = {key: arguments}
    running = _at_once(_context(function.__module__), function, inputs, 1, wanted=wanted)
    with contextlib.closing(running) as outcomes:
        return next(outcomes, None)


def prepare(module: str) -> None:
    """Start importing the module of a function for `each_in_a_process`, in another process.

    Who has much to import before the call saves the wait for the same imports once more.
    """
    _context(module)


def _context(module: str) -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, module])
    # Ctrl-C goes to the server too, which takes no notice of it once it is up and would until then
    # show a traceback. What is blocked here stays blocked in what is started.
    resource_tracker.ensure_running()  # by itself the server starts it, which lifts the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def _at_once(
    context: ForkServerContext,
    function: Callable[..., T],
    inputs: Inputs,
    workers: int,
    lend: Callable[[], Lent] | None = None,
    *,
    wanted: Callable[[], bool] | None = None,
) -> Generator[Done[T] | Broken]:
    waiting = deque(inputs)
    running: dict[str, _Job] = {}
    made, free = list[Lent](), list[Lent]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                key = waiting.popleft()
                if lend is not None and not free:
                    made.append(lend())
                    free.append(made[-1])
                lent = free.pop() if free else None
                running[key] = _start(context, function, inputs[key], lent)
            asked_every = None if wanted is None else _ASKED_EVERY
            ready = wait([job.answer for job in running.values()], asked_every)
            if wanted is not None and not wanted():
                return
            for key in [key for key, job in running.items() if job.answer in ready]:
                lent = running[key].lent
                outcome = _finish(key, running.pop(key))
                if lent is not None and isinstance(outcome, Broken) and outcome.killed:
                    # What the process had started may still be at work on it.
                    made.remove(lent)
                    lent.close()
                elif lent is not None:
                    free.append(lent)
                yield outcome
    finally:
        _end(running.values())
        for each in made:
            each.close()


def _start(
    context: ForkServerContext,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    lent: Lent | None,
) -> _Job:
    if lent is not None:
        arguments = *arguments, lent
    answer, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, function, arguments), daemon=True)
    process.start()
    sender.close()
    return _Job(process, answer, lent)


def _finish(key: str, job: _Job) -> Done[Any] | Broken:
    with job.answer:
        try:
            value, error = job.answer.recv()
        except EOFError:
            job.process.join()
            return Broken(
                key,
                f"its process ended without an answer (exit {job.process.exitcode}), as when "
                "memory runs out",
                killed=True,
            )
    job.process.join()
    if isinstance(error, MissingError):
        raise error
    return Done(key, value) if error is None else Broken(key, str(error))


def _end(jobs: Iterable[_Job]) -> None:
    for job in jobs:
        job.process.terminate()
    for job in jobs:
        job.process.join(5)
        job.process.kill()
        job.process.join()
        job.answer.close()


def _work(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """What a process does: answer (value, None) or (None, error), and die with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and sends SIGTERM
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_die_with_the_parent, daemon=True).start()
    value, refusal = None, None
    try:
        value = function(*arguments)
    except DmefError as error:
        refusal = error
    except Exception as error:
        refusal = DmefError(f"{type(error).__name__}: {error}")
    sender.send((value, refusal))


def _leave(*_: object) -> NoReturn:
    # An exception, so that whoever started a program ends it on the way out.
    sys.exit(1)


def _die_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
