"""The model card of a shipped weights file, written from its metadata alone."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import torch

import dmef_bench
from baselines import MethodInfo, resolve
from baselines.weights_training import steps_in_words
from dmef_bench.evaluation import ready_method
from dmef_bench.training.shipped.data_words import (
    data_in_words,
    first_crop,
    tracks_seen,
    whole_data,
)
from dmef_bench.training.shipped.figures import TOLERANCE
from dmef_bench.training.shipped.record import FigureSet, ShippedRecord
from dmef_bench.training.shipped.weights import ShippedWeights

COMMAND: Final = "python -m dmef_bench.training.model_cards"
# What is said elsewhere in the card, or has no part in the outcome.
_NOT_LISTED: Final = {
    "method", "data", "step", "steps", "options", "checkpoint_every", "validate_every",
    "validation_scenes", "validation_side", "validation_psnr", "validation_ssim", "started_from",
}  # fmt: skip
_UNKNOWN: Final = "not recorded"


def model_card(weights: ShippedWeights) -> str:
    """The card as Markdown."""
    info = resolve(weights.method).info
    return "\n".join([*_head(weights, info), *_training(weights), *_quality(weights),
                      *_limits(weights)]) + "\n"  # fmt: skip


def place_of(weights: ShippedWeights) -> str:
    """Where the file is in the project, or its name where it is elsewhere."""
    home = Path(dmef_bench.__file__).resolve().parents[1]
    path = weights.path.resolve()
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else path.name


def title_of(weights: ShippedWeights) -> str:
    """What the method calls itself with these weights."""
    method = ready_method(resolve(weights.method), weights.path, torch.device("cpu"))
    return method.info.title


def _head(weights: ShippedWeights, info: MethodInfo) -> Iterator[str]:
    record = weights.record
    yield f"# {title_of(weights)}: the shipped weights of `{weights.method}`"
    yield ""
    yield f"Written by `{COMMAND}` from what the weights file states; not edited by hand."
    yield ""
    yield f"Method: {info.paper or info.title}. Licence of the code here: {info.licence}."
    yield "The weights are under this package's licence."
    yield ""
    yield from _table(
        ("", ""),
        [
            ("file", f"`{place_of(weights)}`, {weights.size:,} bytes"),
            ("SHA-256", f"`{weights.sha256}`"),
            ("stored as", record.storage if record else "float32"),
            ("parameters", f"{record.parameters:,}" if record else _UNKNOWN),
            ("configuration", _pairs(json.loads(weights.metadata.get("config", "{}")))),
            ("conventions", _pairs(json.loads(weights.metadata.get("conventions", "{}")))),
        ],
    )


def _training(weights: ShippedWeights) -> Iterator[str]:
    training, record = weights.training, weights.record
    steps, done = training["steps"], training["step"]
    yield "## Training"
    yield ""
    yield f"Data: {data_in_words(whole_data(training))}."
    if record is not None and record.photographs is not None:
        counts = ", ".join(f"{n} {name}" for name, n in record.photographs.licences.items())
        yield (
            f"The {record.photographs.count} photographs are listed with their sources in "
            f"[photographs.csv](photographs.csv); their licences: {counts}. None of them is part "
            "of this package."
        )
    yield ""
    crop = first_crop(training["data"])
    listed = [
        ("steps", f"{done:,}" if done == steps else f"{done:,} of {steps:,}: stopped early"),
        ("started from", _started_from(training.get("started_from"))),
        ("crops", f"{crop}×{crop}" if crop else _UNKNOWN),
        *(
            (name.replace("_", " "), _value(value))
            for name, value in training.items()
            if name not in _NOT_LISTED
        ),
        ("options", _pairs(training["options"])),
        ("time", f"{record.hours:g} h" if record else _UNKNOWN),
        ("processor", record.processor if record else _UNKNOWN),
        ("commit", f"`{record.commit}`" if record else _UNKNOWN),
    ]
    yield from _table(("", ""), listed)


def _started_from(before: dict[str, Any] | None) -> str:
    """The weights that were trained further; empty for a training that began with none."""
    if before is None:
        return ""
    told = f"weights {before['sha256'][:8]}"
    training = before["training"]
    return told if training is None else f"{told}, {steps_in_words(training)} steps"


def _quality(weights: ShippedWeights) -> Iterator[str]:
    record, check = weights.record, weights.check
    yield "## Quality"
    yield ""
    if record is None:
        yield f"Mean of 8-bit results on {_scenes(check)}, as its training measured it last."
        yield ""
        yield from _table(("track", "PSNR", "SSIM"), _figures(check))
    else:
        yield (
            f"Mean of 8-bit results on {_scenes(record.validation)}, measured with this file. "
            "For proportion, a copy of the reference on the same scenes."
        )
        yield ""
        copies = {row[0]: row[1:] for row in _figures(record.copy_of_reference)}
        yield from _table(
            ("track", "PSNR", "SSIM", "copy: PSNR", "copy: SSIM"),
            [(*row, *copies[row[0]]) for row in _figures(record.validation)],
        )
    again = "; ".join(
        f"{track} {decibels}" + ("" if similarity == _UNKNOWN else f", SSIM {similarity}")
        for track, decibels, similarity in _figures(check)
    )
    yield (
        f"The tests measure {_scenes(check)} again ({again}) and allow for {TOLERANCE.psnr} dB "
        f"and {TOLERANCE.ssim} of SSIM between machines."
    )
    yield ""


def _limits(weights: ShippedWeights) -> Iterator[str]:
    record = weights.record
    budget = _budget(record) if record else "a small budget"
    yield "## Limits"
    yield ""
    yield (
        f"- These are not the authors' weights. They were trained here, with {budget}, by this "
        "project's loop on its own data. They show how the method works in this benchmark, not "
        "what it reaches with its authors' training."
    )
    yield (
        "- The figures above are of generated scenes, not of photographs. They can't be set "
        "against those of any public data set, nor against the paper's."
    )
    if record is not None and record.photographs is None:
        yield "- No photograph was seen in training."
    if len(seen := tracks_seen(whole_data(weights.training))) == 1:
        yield f"- Trained on the {seen[0]} track alone."
    if record is not None and record.storage == "float16":
        yield "- Stored with 16 bits, computed with 32; the figures are of the rounded weights."


def _budget(record: ShippedRecord) -> str:
    return f"{record.hours:g} hours on {record.processor}"


def _scenes(figures: FigureSet) -> str:
    many = "the first held-out generated scene" if figures.scenes == 1 else (
        f"the first {figures.scenes} held-out generated scenes"
    )  # fmt: skip
    return f"{many} of {figures.side}×{figures.side}"


def _figures(figures: FigureSet) -> list[tuple[str, str, str]]:
    return [
        (track, f"{one.psnr:.2f} dB", _UNKNOWN if one.ssim is None else f"{one.ssim:.4f}")
        for track, one in sorted(figures.tracks.items(), reverse=True)
    ]


def _table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield _row(heading)
    yield "|" + "---|" * len(heading)
    yield from (_row(row) for row in rows if any(row[1:]))
    yield ""


def _row(cells: tuple[str, ...]) -> str:
    escaped = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    return "| " + " | ".join(escaped) + " |"


def _pairs(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in fields.items())


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "/".join(map(_value, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)
