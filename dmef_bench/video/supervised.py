"""Run a program that reads hostile input: own process group, limits, bounded output."""

import contextlib
import fcntl
import mmap
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dmef_bench.video.room import Room

# Measured: tone-mapping 7680×4320 10-bit HEVC, decoded by 4 threads, needs 2 to 3 GiB.
MEMORY_LIMIT = 4 << 30
_STDERR_LIMIT = 32 << 20
_CHUNK = 1 << 20
# Of a pipe, instead of 64 KiB: fewer times that writer and reader wait for each other.
_PIPE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a run may use.

    Attributes:
        seconds: of wall time; the processor time is limited to eight times as much.
        memory: bytes of private memory (RLIMIT_DATA).
        stdout: bytes of output.
        held: bytes of a second output; with 0 there is none. No file may grow larger.
    """

    seconds: float
    stdout: int
    memory: int = MEMORY_LIMIT
    held: int = 0


@dataclass(frozen=True)
class Finished:
    """How a run ended: exit status (negative: by a signal) and what it wrote.

    The outputs are not copied: their memory is given back with the last view of it.
    """

    status: int
    stdout: memoryview
    stderr: str
    held: memoryview = field(default_factory=lambda: memoryview(b""))


class LimitReachedError(Exception):
    """The run was killed for the time or the output it used; the message says which."""


def run_supervised(
    arguments: Sequence[str], input_file: Path, limits: Limits, room: Room | None = None
) -> Finished:
    """Run `arguments` with `input_file` open for reading under the descriptor that `{fd}` names.

    Every argument equal to "{fd}" becomes the descriptor's number, and every "{held}" that of a
    file in memory for a second output where `limits` allows one, a new one or the given `room`'s,
    whose last use ends with that: the program never learns the
    file's name, so no name can be taken for an option, a pattern or an address, and the program
    need not be allowed to open any other file. It may write no file at all (RLIMIT_FSIZE), gets an
    empty environment and leads a process group of its own, which is gone when this returns.

    Raises:
        OSError: the file or the program can't be opened.
        LimitReachedError: too much time or output; the process group was killed.
    """
    if not limits.held:
        with supervised_process(arguments, input_file, limits) as process:
            stdout, stderr = _read(process, limits)
        return Finished(process.returncode, stdout, stderr.decode("utf-8", "replace"))
    also = os.memfd_create("held") if room is None else room.descriptor()
    try:
        arguments = [str(also) if each == "{held}" else each for each in arguments]
        with supervised_process(arguments, input_file, limits, also=also) as process:
            stdout, stderr = _read(process, limits)
        # Only what is looked at is ever mapped; the memory goes with the last view of it.
        size = os.fstat(also).st_size
        if room is not None:  # which may still hold more from its last use
            size = min(size, os.lseek(also, 0, os.SEEK_CUR))
        held = memoryview(mmap.mmap(also, size, access=mmap.ACCESS_READ) if size else b"")
    finally:
        os.close(also)
    said = stderr.decode("utf-8", "replace")
    return Finished(process.returncode, stdout, said, held)


@contextlib.contextmanager
def supervised_process(
    arguments: Sequence[str], input_file: Path, limits: Limits, *, also: int | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """The same, for who reads the output as it comes; time and output are then theirs to watch.

    The descriptor `also` is handed on. The process, with its pipes `stdout` and `stderr`, is
    killed and gone when the block ends.

    Raises:
        OSError: the file or the program can't be opened.
    """
    with input_file.open("rb") as stream:
        descriptor = stream.fileno()
        process = subprocess.Popen(
            [str(descriptor) if argument == "{fd}" else argument for argument in arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[descriptor] if also is None else [descriptor, also],
            env={"LC_ALL": "C"},
            start_new_session=True,
        )
        try:
            _limit(process.pid, limits)
            with contextlib.suppress(OSError):  # who has many large pipes may have no more
                fcntl.fcntl(_present(process.stdout), fcntl.F_SETPIPE_SZ, _PIPE)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.wait()


def _limit(pid: int, limits: Limits) -> None:
    # prlimit from outside, because preexec_fn isn't safe where the parent has threads.
    processor_seconds = int(limits.seconds * 8) + 1
    with contextlib.suppress(ProcessLookupError):
        for kind, most in (
            (resource.RLIMIT_DATA, limits.memory),
            (resource.RLIMIT_CPU, processor_seconds),
            (resource.RLIMIT_FSIZE, limits.held),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.prlimit(pid, kind, (most, most))


def _read(process: "subprocess.Popen[bytes]", limits: Limits) -> tuple[memoryview, bytes]:
    """Both streams up to their ends; surplus stderr is dropped, surplus stdout ends the run."""
    deadline = time.monotonic() + limits.seconds
    # Memory that is not there until it is written to, and then in large pieces.
    area = mmap.mmap(-1, limits.stdout + 1, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):
        area.madvise(mmap.MADV_HUGEPAGE)
    stdout, filled, stderr = memoryview(area), 0, bytearray()
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            selector.register(_present(pipe), selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise LimitReachedError(f"no result within {limits.seconds:g} s")
            for key, _ in ready:
                if key.fileobj is process.stdout:
                    count = os.readv(key.fd, [stdout[filled : filled + _CHUNK]])
                    filled += count
                    if filled > limits.stdout:
                        raise LimitReachedError(f"more than {limits.stdout} bytes of output")
                else:
                    piece = os.read(key.fd, _CHUNK)
                    count = len(piece)
                    if len(stderr) < _STDERR_LIMIT:
                        stderr += piece
                if not count:
                    selector.unregister(key.fileobj)
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise LimitReachedError(f"no end within {limits.seconds:g} s") from None
    return stdout[:filled].toreadonly(), bytes(stderr)


def _present(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:  # pragma: no cover - both pipes are asked for above
        raise RuntimeError("the process has no pipe")
    return pipe
