"""`dmef-bench` with an accident at the n-th file that is put into its place, by any process.

ACCIDENT is "kill" (SIGKILL for the build), "interrupt" (SIGINT for it), "kill-worker" (SIGKILL for
the worker, every time from the n-th on) or "full" (no space left from the n-th on). Files are
counted in COUNTER over all processes: worker processes import this file too.
"""

import errno
import multiprocessing
import os
import signal

ACCIDENT, N, COUNTER = (os.environ[name] for name in ("ACCIDENT", "N", "COUNTER"))

_replace = os.replace


def _disturbed_replace(source, target):
    os.lstat(source)
    parent = multiprocessing.parent_process()
    main = os.getpid() if parent is None else parent.pid
    with open(COUNTER, "ab") as counter:
        counter.write(b".")
        number = counter.tell()
    if ACCIDENT == "full" and number >= int(N):
        raise OSError(errno.ENOSPC, "No space left on device")
    if ACCIDENT == "kill-worker" and number >= int(N) and parent is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    _replace(source, target)
    if ACCIDENT == "kill" and number == int(N):
        os.kill(main, signal.SIGKILL)
        signal.pause()
    if ACCIDENT == "interrupt" and number == int(N):
        os.kill(main, signal.SIGINT)
        signal.pause()


os.replace = _disturbed_replace

if __name__ == "__main__":
    from dmef_bench.cli import main

    # A job that a shell put into the background starts with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
