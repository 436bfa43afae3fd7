"""A try in a child process whose memory and time are watched from outside."""

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Final

from dmef_bench.evaluation.max_resolution.attempt import (
    Attempt,
    Outcome,
    ProbeRequest,
    attempt_here,
    within,
)
from dmef_bench.evaluation.memory import resident_bytes

_LOOK_EVERY: Final = 0.01


def attempt(request: ProbeRequest, height: int, width: int) -> Attempt:
    """Try one size in a process of its own.

    The process is ended when more than the budget becomes resident (on a CPU; on CUDA torch's
    allocator refuses), and when the time is over.

    Returns:
        What came of it, whatever it was.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([attempt_here.__module__])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(request, height, width, sender), daemon=True)
    process.start()
    sender.close()
    started = time.monotonic()
    try:
        with receiver:
            outcome, reason, peak = _watch(request, process, receiver, started)
    finally:
        process.kill()
        process.join()
    if isinstance(outcome, Attempt):
        return within(request.budget, outcome)
    return Attempt(height, width, outcome, peak, time.monotonic() - started, reason)


def _watch(
    request: ProbeRequest, process: ForkServerProcess, receiver: Connection, started: float
) -> tuple[Attempt | Outcome, str, int | None]:
    """What the process told, or how it ended, why, and the most it was seen to hold."""
    before: int | None = None
    peak: int | None = None
    while True:
        if receiver.poll(_LOOK_EVERY):
            try:
                told = receiver.recv()
            except EOFError:
                process.join()
                return "killed", _how_it_ended(process.exitcode), peak
            if isinstance(told, Attempt):
                return told, "", peak
            before = told if request.device == "cpu" else None
        held = resident_bytes("VmRSS", process.pid)
        if before is not None and held is not None:
            peak = max(peak or 0, held - before)
            if peak > request.budget:
                return "out-of-memory", f"it was ended above {request.budget:,} bytes", peak
        if time.monotonic() - started > request.time_limit:
            return "time-limit", f"it was ended after {request.time_limit:g} s", peak


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = f"signal {-code}"
        with suppress(ValueError):
            name = signal.Signals(-code).name
        return f"its process was killed by {name}, as when the machine's memory runs out"
    return f"its process ended without an answer (exit {code})"


def _work(request: ProbeRequest, height: int, width: int, sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    threading.Thread(target=_die_with_the_parent, daemon=True).start()
    attempt_here(request, height, width, sender)


def _die_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
