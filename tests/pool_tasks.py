"""Functions that worker processes call in the pool's tests."""

import os
import signal
import time
from pathlib import Path
from typing import ClassVar

from dmef_bench.errors import DmefError, MissingError
from dmef_bench.video import Room


def double(number: int) -> int:
    return 2 * number


def misbehave(kind: str, folder: Path) -> str:
    """Leave a mark in `folder`, then do what `kind` says."""
    with (folder / kind).open("a") as mark:
        mark.write(f"{os.getpid()}\n")
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "die once" and (folder / kind).read_text().count("\n") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "refuse":
        raise DmefError("can't be used")
    if kind == "fail":
        raise ZeroDivisionError("a bug")
    if kind == "full":
        raise MissingError("the disk is full")
    if kind == "sleep":
        time.sleep(60)
    return kind


def blocks_ctrl_c():
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())


class Token:
    """Something lent; the process that made it knows of every one."""

    made: ClassVar[list["Token"]] = []

    def __init__(self) -> None:
        self.number, self.closed = len(self.made), False
        self.made.append(self)

    def close(self) -> None:
        self.closed = True


def borrow(kind: str, folder: Path, token: Token) -> int:
    """Which token this input got; two inputs that have the same one at once fail."""
    mark = folder / f"token {token.number}"
    mark.touch(exist_ok=False)
    time.sleep(0.05)
    misbehave(kind, folder)
    mark.unlink()
    return token.number


def fill(room: Room, content: bytes) -> None:
    descriptor = room.descriptor()
    os.write(descriptor, content)
    os.close(descriptor)
