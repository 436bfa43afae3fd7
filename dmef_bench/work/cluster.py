"""A Dask cluster that works on inputs as the processes of this machine would."""

import asyncio
import contextlib
import importlib
import json
import logging
import pickle
import re
import secrets
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, Final, TypeVar

from rich.console import Console

from dmef_bench.atomic_write import atomic_write
from dmef_bench.errors import DmefError, MissingError, UsageError
from dmef_bench.work.on_worker import (
    Terms,
    UnfitWorkerError,
    answer,
    carry_out,
    scheduler_version,
    versions,
)
from dmef_bench.work.outcome import Broken, Done, Inputs

T = TypeVar("T")
_HIDDEN: Final = ".cluster-"
_ADDRESS = re.compile(r"(?:tcp|tls)://[^\s/@]+:\d{1,5}")
# What a client raises whose scheduler went away; a broken connection is an OSError.
_GONE = (CancelledError, asyncio.CancelledError, OSError)
_SCHEDULER_FILE_LIMIT = 1 << 20
_CONNECT_SECONDS = 30
# Goes of an input whose process dies or whose worker does not fit, after the first one.
_RETRIES = 2


class ClusterLostError(MissingError):
    """The scheduler went away while work was in progress."""


class Cluster:
    """A scheduler of Dask and the workers it has.

    Attributes:
        address: of the scheduler.
    """

    def __init__(self, distributed: Any, client: Any, address: str, *, quiet: bool) -> None:  # noqa: ANN401 - untyped packages
        """A cluster at the other end of `client`, of the package `distributed`; see `connected`."""
        self._distributed = distributed
        self._client = client
        self._quiet = quiet
        self.address = address

    def offers_gpu(self) -> bool:
        """Whether any worker was started with `--resources GPU=1`; waits for the first worker."""
        with self._in_touch():
            self._wait_for_a_worker()
            workers = self._client.scheduler_info()["workers"].values()
        return any(worker["resources"].get("GPU", 0) >= 1 for worker in workers)

    def each(
        self,
        function: Callable[..., T],
        inputs: Inputs,
        *,
        shared: Path,
        sees: Mapping[str, Path],
        apart: bool,
        gpu: bool = False,
    ) -> Generator[Done[T] | Broken]:
        """Call `function(*arguments)` for every input on the workers there are and those to come.

        An input whose worker or process died is tried again elsewhere, and is broken where that
        goes on. Closing the iterator calls off what is not finished.

        Args:
            function: a module's function that the workers can import.
            inputs: key -> arguments, all paths absolute.
            shared: folder that this client and its workers alone write to; proved before anything
                is sent.
            sees: key -> a file or folder a worker must see for that input.
            apart: call in a process of its own; otherwise in the worker itself, one at a time.
            gpu: whether every call needs the resource GPU=1.

        Yields:
            One outcome for each input, as they finish.

        Raises:
            UnfitWorkerError: a worker has other versions or does not see the folder.
            ClusterLostError: the scheduler is gone.
            MissingError: the function raised it.
        """
        if not inputs:
            return
        with self._token(shared, one_at_a_time=not apart) as terms:
            self._prove(terms, gpu=gpu)
            call = secrets.token_hex(8)  # a task's name must be new, or Dask remembers its end
            with self._in_touch():
                waiting = {
                    self._client.submit(
                        carry_out, terms, sees.get(key), apart, pickle.dumps((function, arguments)),
                        key=f"{function.__name__}-{call}-{key}", pure=False, retries=_RETRIES,
                        resources={"GPU": 1} if gpu else None,
                    ): key
                    for key, arguments in inputs.items()
                }  # fmt: skip
            try:
                for future in self._distributed.as_completed(list(waiting), loop=self._client.loop):
                    yield self._outcome(waiting.pop(future), future)
            finally:
                with contextlib.suppress(Exception):  # nobody is left who could be told
                    self._client.cancel(list(waiting))

    def everywhere(self, function: Callable[[], None]) -> None:
        """Call a function once on every worker, as far as they can be reached."""
        with contextlib.suppress(Exception):  # a worker that is gone has nothing left to do
            self._client.run(function, on_error="ignore")

    def _outcome(self, key: str, future: Any) -> Done[Any] | Broken:  # noqa: ANN401 - untyped
        with self._in_touch():  # a future is cancelled with the loss of its scheduler
            error: BaseException | None = future.exception()
            value, refusal = (None, None) if error is not None else future.result()
        if isinstance(error, self._distributed.KilledWorker):
            reason = (
                f"each of {error.allowed_failures + 1} workers that took it died, the last one at "
                f"{error.last_worker.address}; its log may say why"
            )
            return Broken(key, reason, killed=True)
        if isinstance(error, UnfitWorkerError):
            raise error
        if error is not None:
            return Broken(key, str(error) if _ours(error) else f"{type(error).__name__}: {error}")
        if isinstance(refusal, MissingError):
            raise refusal
        return Done(key, value) if refusal is None else Broken(key, str(refusal))

    @contextlib.contextmanager
    def _in_touch(self) -> Iterator[None]:
        """Turn the loss of the scheduler into one sentence."""
        try:
            yield
        except _GONE as error:
            raise ClusterLostError(
                f"the Dask scheduler at {self.address} is gone. What was finished is kept; once it "
                "runs again, with its workers, run the same command again."
            ) from error

    @contextlib.contextmanager
    def _token(self, shared: Path, *, one_at_a_time: bool) -> Iterator[Terms]:
        token = shared / f"{_HIDDEN}{secrets.token_hex(8)}"
        terms = Terms(versions(), token, secrets.token_hex(16), one_at_a_time)
        atomic_write(token, terms.content.encode())
        try:
            yield terms
        finally:
            for file in shared.glob(f"{_HIDDEN}*"):  # also what a killed client left here
                with contextlib.suppress(OSError):  # a worker under another user left it
                    file.unlink()

    def _prove(self, terms: Terms, *, gpu: bool) -> None:
        """Have every worker show that it fits.

        Raises:
            UnfitWorkerError: one does not, or none has a GPU where one is needed.
        """
        if gpu and not self.offers_gpu():
            raise UnfitWorkerError(
                f"no worker of {self.address} offers a GPU; start those that have one with "
                "--resources GPU=1"
            )
        try:
            with self._in_touch():
                self._wait_for_a_worker()
                self._client.run_on_scheduler(scheduler_version)
                answers = self._client.run(answer, terms, on_error="return")
        except ImportError as error:
            raise UnfitWorkerError(
                f"the scheduler at {self.address} can't import dmef-bench ({error}); install the "
                "same version there too"
            ) from None
        for address, said in answers.items():
            if isinstance(said, DmefError):
                raise said
            if isinstance(said, ImportError):
                raise UnfitWorkerError(
                    f"worker {address} can't import dmef-bench ({said}); install the same version "
                    "there too"
                )
            if isinstance(said, OSError):
                continue  # gone since; whoever takes its place is checked with its first task
            if isinstance(said, BaseException):
                raise UnfitWorkerError(f"worker {address}: {type(said).__name__}: {said}")
            if not (terms.token.parent / said).is_file():
                raise UnfitWorkerError(
                    f"what worker {address} writes to {terms.token.parent} does not arrive here; "
                    "all machines must share this folder under the same path"
                )

    def _wait_for_a_worker(self) -> None:
        if not self._client.scheduler_info()["workers"]:
            if not self._quiet:
                message = f"waiting for the first worker of {self.address}"
                Console(stderr=True).print(message, markup=False, highlight=False)
            self._client.wait_for_workers(1)


def _ours(error: BaseException) -> bool:
    return type(error).__module__.startswith("dmef_bench.")


@contextlib.contextmanager
def connected(address: str, *, quiet: bool = False) -> Iterator[Cluster]:
    """The cluster at `address` for as long as the block runs.

    Whoever can reach a Dask scheduler can run code on its workers, and its workers on this
    machine: connect only to a cluster you trust. TLS is set up as for any client of Dask.

    Args:
        address: `tcp://host:port`, `tls://host:port`, or the path of a scheduler file.
        quiet: don't say that no worker is there yet.

    Raises:
        UsageError: no address, and no scheduler file.
        MissingError: the package `distributed` is missing, or no scheduler answers.
    """
    scheduler = _scheduler_address(address)
    try:
        distributed: Any = importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise MissingError(
            "--cluster needs the package distributed; install it with "
            "`pip install 'dmef-bench[cluster]'`"
        ) from error
    for name in ("distributed", "distributed.client", "tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said in a sentence
    try:
        _check_encryption(distributed.Security(), scheduler)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are compared before any work is sent
            client = distributed.Client(
                scheduler, timeout=_CONNECT_SECONDS, set_as_default=False, name="dmef-bench"
            )
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        said = " ".join(str(error).split())[:300]
        raise MissingError(
            f"no Dask scheduler answers at {scheduler} ({said}); start one with `dask scheduler`, "
            "see docs/cluster.md"
        ) from error
    try:
        yield Cluster(distributed, client, scheduler, quiet=quiet)
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            client.close(timeout=5)


def _check_encryption(security: Any, scheduler: str) -> None:  # noqa: ANN401 - untyped package
    """Refuse what a client could not start with, and would wait a minute over at its end."""
    encrypted = scheduler.startswith("tls://")
    if encrypted and security.get_connection_args("client").get("ssl_context") is None:
        raise ValueError("Dask's settings name no certificates")
    if security.require_encryption and not encrypted:
        raise ValueError("Dask's settings require encryption, give a tls:// address")


def _scheduler_address(text: str) -> str:
    if _ADDRESS.fullmatch(text):
        return text
    path = Path(text)
    if "://" in text or not path.is_file():
        raise UsageError(
            f"--cluster {text!r}: neither tcp://HOST:PORT or tls://HOST:PORT nor a scheduler file"
        )
    try:
        with path.open("rb") as stream:
            address = json.loads(stream.read(_SCHEDULER_FILE_LIMIT))["address"]
    except (OSError, ValueError, KeyError, TypeError):
        address = None
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise UsageError(
            f"{path}: no scheduler file; `dask scheduler --scheduler-file FILE` writes one"
        )
    return address
