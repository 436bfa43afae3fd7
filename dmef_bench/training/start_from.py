"""Training that starts from weights instead of random numbers."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from torch import nn

from baselines.checkpoint_file import read_checkpoint_file
from baselines.method import WeightsError
from dmef_bench.errors import UsageError
from dmef_bench.ipl.weights_file import fill
from dmef_bench.training.recipes import Recipe

FACT: Final = "started_from"


def starting_from(recipe: Recipe, weights: Path) -> Recipe:
    """The same recipe with networks that start from a file of weights.

    The optimiser starts anew; a training that goes on reads its own checkpoint. The file's SHA-256
    and what it says of its own training become one of the recipe's facts, so that weights tell all
    they were made from.

    Args:
        recipe: of the method the weights are of.
        weights: as `--weights` takes them, `.safetensors` or `.pth`.

    Raises:
        UsageError: unreadable or another method's; from the recipe's `build`, of another
            configuration.
    """
    with _as_a_mistake():
        read = read_checkpoint_file(weights)
    made_for = read.metadata.get("method", recipe.name)
    if made_for != recipe.name:
        raise UsageError(f"{weights}: these are weights of {made_for!r}, not of {recipe.name!r}")

    def build(options: Mapping[str, str]) -> nn.Module:
        network = recipe.build(options)
        theirs = _configuration(read.metadata)
        different = [
            f"{name}: {theirs[name]} there, {value} now"
            for name, value in _configuration(recipe.metadata(network)).items()
            if theirs.get(name, value) != value
        ]
        if different:
            raise UsageError(
                f"{weights}: weights of another configuration ({'; '.join(different)}); "
                "give the same by --set, or start from other weights"
            )
        with _as_a_mistake():
            fill(network, weights, read.content)
        return network

    before = {"sha256": read.sha256, "training": _json(read.metadata, "training")}
    return dataclasses.replace(recipe, build=build, facts={**recipe.facts, FACT: before})


@contextmanager
def _as_a_mistake() -> Iterator[None]:
    try:
        yield
    except WeightsError as error:
        raise UsageError(f"--start-from: {error}") from None


def _configuration(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a stored configuration; weights of an earlier version lack the later ones."""
    return _json(metadata, "config") or {}


def _json(metadata: Mapping[str, str], key: str) -> dict[str, Any] | None:
    try:
        stored = json.loads(metadata.get(key, "null"))
    except ValueError:
        return None
    return stored if isinstance(stored, dict) else None
