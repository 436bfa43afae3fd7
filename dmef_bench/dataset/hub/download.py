"""Fetch a file of known size and SHA-256: never a byte more, and going on after interruptions."""

import os
import re
import threading
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from huggingface_hub import get_session
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

from dmef_bench.atomic_write import explained, sha256_of_file
from dmef_bench.dataset.croissant import FileFacts
from dmef_bench.dataset.hub.failures import HttpError, explain
from dmef_bench.dataset.hub.repository import Repository
from dmef_bench.errors import IntegrityError

# Seconds without a byte after which a connection counts as lost.
_PATIENCE = 30.0
# So often in a row a connection may break without having brought anything.
_ATTEMPTS = 5
# The Hub counts requests over five minutes.
_LONGEST_PAUSE = 300.0
# Answers after which the same question may be asked again; 416: what is here does not fit.
_AGAIN = (408, 416, 429, 500, 502, 503, 504)
_RANGE = re.compile(r"bytes ([0-9]+)-")


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """The pull ends early; what was fetched is kept."""


class Fetcher:
    """Fetches files of one commit; threads may share it.

    Attributes:
        received: bytes that came over the network so far.
    """

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository = repository
        self._commit = commit
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.received = 0

    def stop(self) -> None:
        """Let every thread that fetches end with `Stopped` at its next piece."""
        self._stop.set()

    def read(self, name: str, size: int) -> bytes:
        """The `size` bytes of the file `name`, in memory.

        Raises:
            IntegrityError: the Hub sends more.
            MissingError, UsageError, Stopped: as `fetch`.
        """
        stream = BytesIO()
        self._fill(stream, name, size)
        return stream.getvalue()

    def fetch(self, name: str, facts: FileFacts, part: Path) -> None:
        """Fetch the file `name` into `part`, going on where an earlier attempt ended.

        Afterwards `part` holds exactly the bytes that `facts` describe, synced to disk.

        Raises:
            IntegrityError: the Hub's bytes are others, or more.
            MissingError: the connection keeps breaking, access is refused, the disk is full.
            UsageError: the file is not there.
            Stopped: `stop` was called.
        """
        with explained(part):
            # What an earlier attempt left may have been torn by a power cut: then once more.
            for _ in range(2 if part.exists() else 1):
                with part.open("ab") as stream:
                    self._fill(stream, name, facts.size)
                    stream.flush()
                    os.fsync(stream.fileno())
                if sha256_of_file(part) == facts.sha256:
                    return
                part.unlink()
        raise IntegrityError(f"{name}: the Hub's bytes are not those its manifest names")

    def _fill(self, stream: BinaryIO, name: str, size: int) -> None:
        fruitless = 0
        if stream.tell() > size:
            _clear(stream)
        while (before := stream.tell()) < size:
            lost = self._receive(stream, name, size)
            if stream.tell() > before:
                fruitless = 0
            elif stream.tell() < size:
                fruitless += 1
            if fruitless == _ATTEMPTS:
                if lost is None:
                    raise IntegrityError(f"{name}: the Hub sends fewer bytes than {size}")
                raise explain(lost, self._repository.name, self._repository.endpoint) from lost
            if stream.tell() < size and self._stop.wait(_pause(lost, fruitless)):
                raise Stopped

    def _receive(self, stream: BinaryIO, name: str, size: int) -> Exception | None:
        """Append what one connection brings; returns why it ended early, if an error tells."""
        repository, start = self._repository, stream.tell()
        headers = repository.headers() | ({"Range": f"bytes={start}-"} if start else {})
        address = repository.address(name, self._commit)
        try:
            with get_session().stream(
                "GET", address, headers=headers, timeout=_PATIENCE
            ) as response:
                hf_raise_for_status(response)
                goes_on = _RANGE.match(response.headers.get("Content-Range", ""))
                if start and not (goes_on and int(goes_on[1]) == start):
                    _clear(stream)
                for piece in response.iter_bytes():
                    if self._stop.is_set():
                        raise Stopped
                    if stream.tell() + len(piece) > size:
                        raise IntegrityError(f"{name}: the Hub sends more than its {size} bytes")
                    stream.write(piece)
                    with self._lock:
                        self.received += len(piece)
        except HfHubHTTPError as error:
            if error.response.status_code not in _AGAIN:
                raise explain(error, repository.name, repository.endpoint) from error
            if error.response.status_code == 416:
                _clear(stream)
            return error
        except HttpError as error:
            return error
        return None


def _pause(lost: Exception | None, fruitless: int) -> float:
    """Seconds to wait before the next connection; a Hub that is busy may name them itself."""
    if isinstance(lost, HfHubHTTPError):
        named = lost.response.headers.get("Retry-After", "")
        if named.isascii() and named.isdigit():
            return min(float(named), _LONGEST_PAUSE)
    return min(4.0, 0.25 * 2.0**fruitless)


def _clear(stream: BinaryIO) -> None:
    stream.seek(0)
    stream.truncate()
