"""Tries that were made already, in a file for each method, weights, device and budget."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from pydantic import TypeAdapter, ValidationError

from baselines import Method
from dmef_bench import __version__
from dmef_bench.atomic_write import atomic_write
from dmef_bench.evaluation.machine import describe_machine
from dmef_bench.evaluation.max_resolution.attempt import Attempt, ProbeRequest
from dmef_bench.evaluation.max_resolution.watched_child import attempt
from dmef_bench.evaluation.method_source import source_sha256

_ATTEMPTS: Final = TypeAdapter(list[Attempt])


class KeptAttempts:
    """Makes each try once; written down as soon as it is finished.

    Attributes:
        identity: everything a try depends on, by name.
        path: the file.
        budget: bytes.
    """

    def __init__(
        self,
        request: ProbeRequest,
        method: Method,
        folder: Path | None = None,
        *,
        again: bool = False,
    ) -> None:
        """Read what is kept.

        Args:
            request: what is tried.
            method: the same, loaded.
            folder: where files are kept; None for dmef-bench's own in the user's cache.
            again: forget what is kept.
        """
        machine = describe_machine(torch.device(request.device))
        self._request = request
        self.budget = request.budget
        self.identity = {
            "method": method.info.name,
            "weights_sha256": method.weights_sha256 or "none",
            "source_sha256": source_sha256(method),
            "device": machine.device,
            "threads": str(machine.threads),
            "memory_bytes": str(machine.memory_bytes),
            "budget": str(request.budget),
            "precision": request.precision,
            "linear": request.linear or "as the weights say",
            "time_limit": str(request.time_limit),
            "torch": torch.__version__,
            "package": __version__,
        }
        text = json.dumps(self.identity, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.path = (folder or _user_cache()) / f"{method.info.name}-{key}.json"
        self._kept = {} if again else self._read()

    def __call__(self, height: int, width: int) -> Attempt:
        """The outcome at a size, tried now where it was not yet.

        Raises:
            MissingError: it can't be written down.
        """
        if (height, width) not in self._kept:
            self._kept[height, width] = attempt(self._request, height, width)
            content = {
                "identity": self.identity,
                "attempts": [asdict(one) for one in self._kept.values()],
            }
            atomic_write(self.path, (json.dumps(content, indent=2) + "\n").encode())
        return self._kept[height, width]

    def has(self, height: int, width: int) -> bool:
        """Whether a size was tried already."""
        return (height, width) in self._kept

    def _read(self) -> dict[tuple[int, int], Attempt]:
        try:
            content = json.loads(self.path.read_bytes())
            if content["identity"] != self.identity:
                return {}
            kept = _ATTEMPTS.validate_python(content["attempts"])
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            return {}  # nothing that can be used: it is tried again
        return {(one.height, one.width): one for one in kept}


def _user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return folder / "dmef-bench" / "max-resolution"
