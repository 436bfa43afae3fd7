"""Where a method's weights come from, and how they say they were trained."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from baselines import Method
from baselines.checkpoint_file import read_checkpoint_file
from baselines.weights_training import steps_in_words
from dmef_bench.training.shipped.data_words import (
    data_in_words,
    first_crop,
    tracks_seen,
    whole_data,
)

Origin = Literal["none", "shipped", "given", "trained"]
_WORDS: Final[Mapping[Origin, str]] = {
    "shipped": "shipped with the package",
    "given": "of the file given",
    "trained": "trained for this table",
}


@dataclass(frozen=True)
class WeightsOrigin:
    """A method's weights.

    Attributes:
        origin: "none" for a method without any.
        sha256: of the file; None for none.
        training: what the file says of its training; empty where it says nothing.
    """

    origin: Origin
    sha256: str | None = None
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def photographs(self) -> frozenset[str]:
        """SHA-256 of the photographs it was trained on."""
        return frozenset(_digests(self._whole))

    @property
    def tracks(self) -> frozenset[str]:
        """Tracks it was trained on; empty where that is not known."""
        return frozenset(tracks_seen(self._whole)) if self._data else frozenset()

    def words(self) -> str:
        """In a sentence; empty for a method without weights."""
        if self.origin == "none":
            return ""
        told = f"Weights {(self.sha256 or '')[:8]}, {_WORDS[self.origin]}"
        try:
            steps = steps_in_words(self.training) if self._data else None
        except (KeyError, TypeError, ValueError):
            steps = None
        if steps is None:
            return f"{told}; the file does not say how they were trained."
        crop = first_crop(self._data)
        of = "" if crop is None else f" of {crop}×{crop}"
        return (
            f"{told}: {steps} steps of "
            f"{self.training.get('batch', 'some')} crops{of}: "
            f"{data_in_words(self._whole)}. The authors' weights were never published."
        )

    @property
    def _whole(self) -> dict[str, Any]:
        return whole_data(self.training) if self._data else {}

    @property
    def _data(self) -> dict[str, Any]:
        data = self.training.get("data")
        return data if isinstance(data, dict) and "kind" in data else {}


def weights_origin(method: Method, file: Path | None, *, trained: bool) -> WeightsOrigin:
    """What is known of a loaded method's weights.

    Args:
        method: after `load`.
        file: it was loaded from; None for those it ships.
        trained: whether the file was trained here.
    """
    sha256 = method.weights_sha256
    if sha256 is None:
        return WeightsOrigin("none")
    origin: Origin = "shipped" if file is None else "trained" if trained else "given"
    found = file or method.shipped_weights()
    return WeightsOrigin(origin, sha256, {} if found is None else _training(found))


def _training(file: Path) -> dict[str, Any]:
    if file.suffix != ".safetensors":
        return {}
    try:
        told = json.loads(read_checkpoint_file(file).metadata.get("training", "{}"))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _digests(data: object) -> Iterator[str]:
    """All photographs' digests, however sources are nested in one another."""
    if isinstance(data, dict):
        found = data.get("sha256")
        yield from found if isinstance(found, list) else ()
        data = list(data.values())
    if isinstance(data, list):
        for value in data:
            yield from _digests(value)
