"""What a worker of a cluster runs: it shows that it fits, then does what it is sent."""

import functools
import multiprocessing
import pickle
import platform
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmef_bench import __version__
from dmef_bench.errors import DmefError, MissingError
from dmef_bench.work.outcome import Broken
from dmef_bench.work.pool import one_in_a_process

if TYPE_CHECKING:
    from distributed import Worker


class UnfitWorkerError(MissingError):
    """A worker that can't take part; the message names it and says what it lacks."""


class ProcessDiedError(Exception):
    """The process a worker started for an input ended without an answer; Dask tries elsewhere."""


@dataclass(frozen=True)
class Terms:
    """What a worker must fulfil.

    Attributes:
        versions: of everything that decides a byte of the result, as `versions` gives them.
        token: a file of the client in the folder that both must see.
        content: of that file.
        one_at_a_time: whether the work is timed or holds a method, so that a worker may have one
            thread only.
    """

    versions: Mapping[str, str]
    token: Path
    content: str
    one_at_a_time: bool


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what decides a byte of the result, on this machine.

    Raises:
        MissingError: there is no ffmpeg.
    """
    import cv2

    from dmef_bench.video import ffmpeg_version

    found = {
        "dmef-bench": __version__,
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "OpenCV": cv2.__version__,
        "ffmpeg": ffmpeg_version(),
    }
    for package in ("distributed", "imagehash", "numpy", "scenedetect-headless", "scipy", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    return found


def scheduler_version() -> str:
    """The version of this package where the scheduler runs."""
    return __version__


def answer(terms: Terms, *, dask_worker: "Worker") -> str:
    """Show that a worker fits and can write where the client reads.

    Returns:
        Name of the file that it left beside the token.

    Raises:
        UnfitWorkerError: it does not fit.
    """
    _check(terms, dask_worker)
    name = f"{terms.token.name}.{secrets.token_hex(8)}"
    try:
        (terms.token.parent / name).write_text(terms.content)
    except OSError as error:
        raise UnfitWorkerError(
            f"{called(dask_worker)} can't write to {terms.token.parent} ({error.strerror})"
        ) from None
    return name


def carry_out(
    terms: Terms,
    sees: Path | None,
    apart: bool,
    call: bytes,
) -> tuple[Any, DmefError | None]:
    """Call `function(*arguments)` as a task of a worker.

    Args:
        terms: checked again, because workers may join at any time.
        sees: a file or folder the worker must see.
        apart: call it in a process of its own, which is ended when the client gives up.
        call: the function and its arguments, pickled: the scheduler, which reads the arguments of
            tasks, need not import what only workers need.

    Returns:
        Its value, or the DmefError that it raised.

    Raises:
        UnfitWorkerError: this worker does not fit.
        ProcessDiedError: the process of its own was killed.
    """
    from distributed import get_worker

    worker = get_worker()
    _check(terms, worker)
    if sees is not None and not sees.exists():
        raise UnfitWorkerError(f"{called(worker)} does not see {sees}; {_SHARE}")
    function, arguments = pickle.loads(call)  # noqa: S301 - whoever sends tasks may run anything
    if apart:
        return _apart(worker, function, arguments)
    try:
        return function(*arguments), None
    except DmefError as error:
        return None, error


_SHARE = "all machines must share the folders of inputs and results under the same path"


def called(worker: "Worker") -> str:
    """A worker as messages name it."""
    return f"worker {worker.address} on {platform.node()}"


def _check(terms: Terms, worker: "Worker") -> None:
    differing = [
        f"{name} {here} instead of {terms.versions.get(name)}"
        for name, here in versions().items()
        if here != terms.versions.get(name)
    ]
    if differing:
        raise UnfitWorkerError(
            f"{called(worker)} has {', '.join(differing)}; install the same versions everywhere"
        )
    if terms.one_at_a_time and worker.state.nthreads != 1:
        raise UnfitWorkerError(
            f"{called(worker)} works on {worker.state.nthreads} tasks at once, which would falsify "
            "times; start it with --nthreads 1"
        )
    try:
        content = terms.token.read_text()
    except OSError:
        content = ""
    if content != terms.content:
        raise UnfitWorkerError(f"{called(worker)} does not see {terms.token.parent}; {_SHARE}")


def _apart(
    worker: "Worker", function: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[Any, DmefError | None]:
    # Dask's nanny marks its worker as daemonic, and Python refuses daemonic processes children.
    # Ours end with their parent, which is what the mark is there for.
    if multiprocessing.parent_process() is not None:
        multiprocessing.current_process().daemon = False
    key = worker.get_current_task()

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state != "cancelled"

    try:
        outcome = one_in_a_process(function, str(key), arguments, wanted)
    except MissingError as error:
        return None, error
    if outcome is None:
        return None, DmefError("called off")
    if not isinstance(outcome, Broken):
        return outcome.value, None
    if outcome.killed:
        raise ProcessDiedError(f"{outcome.reason} (last on {called(worker)})")
    return None, DmefError(outcome.reason)
