"""The shipped weights files: where they are and what their metadata say."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from baselines import Method, MethodError, WeightsError, resolve
from baselines.checkpoint_file import read_checkpoint_file
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.training.recipes import RECIPES
from dmef_bench.training.shipped.record import (
    FORMAT,
    FORMAT_KEY,
    RECORD_KEY,
    TRAINING_KEY,
    FigureSet,
    ShippedRecord,
    TrackFigures,
)


@dataclass(frozen=True)
class ShippedWeights:
    """A weights file of a training.

    Attributes:
        path: the file.
        method: whose weights they are.
        size: in bytes.
        sha256: of the file.
        metadata: its text by key.
        content: its tensors by name.
    """

    path: Path
    method: str
    size: int
    sha256: str
    metadata: Mapping[str, str]
    content: Any

    @cached_property
    def training(self) -> dict[str, Any]:
        """How it was trained, as the training loop wrote it."""
        training: dict[str, Any] = json.loads(self.metadata[TRAINING_KEY])
        return training

    @cached_property
    def record(self) -> ShippedRecord | None:
        """What was added when it was made ready to be shipped; None in files older than that."""
        text = self.metadata.get(RECORD_KEY)
        return None if text is None else ShippedRecord.model_validate_json(text)

    @property
    def check(self) -> FigureSet:
        """The figures that can be measured again; of an older file, its training's last ones."""
        if self.record is not None:
            return self.record.check
        training = self.training
        return FigureSet(
            scenes=training["validation_scenes"],
            side=training["validation_side"],
            tracks={
                training["data"].get("track", "paper"): TrackFigures(
                    psnr=training["validation_psnr"], ssim=training.get("validation_ssim")
                )
            },
        )


def read_weights(path: Path) -> ShippedWeights:
    """Read a file that a training left, shipped or not.

    Raises:
        UsageError: unreadable, or it doesn't say which method it is for and how it was trained.
        IntegrityError: what it states about itself is damaged.
    """
    try:
        read = read_checkpoint_file(path)
    except WeightsError as error:
        raise UsageError(str(error)) from None
    metadata = read.metadata
    if missing := {"method", TRAINING_KEY} - metadata.keys():
        raise UsageError(
            f"{path}: its metadata lack {' and '.join(sorted(missing))}; give weights of "
            "`dmef-bench train`"
        )
    if (found := metadata.get(FORMAT_KEY, FORMAT)) != FORMAT:
        raise IntegrityError(f"{path}: of format {found!r}, this version knows {FORMAT!r}")
    weights = ShippedWeights(
        path, metadata["method"], path.stat().st_size, read.sha256, metadata, read.content
    )
    try:
        _ = weights.training, weights.record
    except (ValueError, ValidationError) as error:
        said = " ".join(str(error).split())
        raise IntegrityError(f"{path}: its metadata can't be used: {said}") from None
    return weights


def shipped_weights(methods: Iterable[type[Method]] | None = None) -> list[ShippedWeights]:
    """Every file that methods load by default.

    Args:
        methods: their classes; None for all that can be trained here, in the order of the recipes.

    Raises:
        UsageError: such a method can't be imported.
        IntegrityError: a file is another method's.
    """
    found = []
    for method in _trained_here() if methods is None else methods:
        if (path := method.shipped_weights()) is None:
            continue
        weights = read_weights(path)
        if weights.method != method.info.name:
            raise IntegrityError(
                f"{path}: holds weights of {weights.method!r}, not of {method.info.name!r}"
            )
        found.append(weights)
    return found


def _trained_here() -> list[type[Method]]:
    try:
        return [resolve(name) for name in RECIPES]
    except MethodError as error:
        raise UsageError(str(error)) from error
