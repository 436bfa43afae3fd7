"""Table 6: AHDRNet at the size the paper feeds it, and in chunks of 64×64 with a cache."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from baselines import Method, MethodError
from baselines.ahdrnet.method import AHDRNetMethod
from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.dataset import Dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import RunOptions, Scorer, run_method
from dmef_bench.ipl.chunked_ahdrnet import ChunkedAHDRNet, UncachedChunks
from dmef_bench.reproduce.ablation import training_data
from dmef_bench.reproduce.evaluated import Evaluated, budget_settings, evaluated
from dmef_bench.reproduce.ledger import Ledger, ledger
from dmef_bench.reproduce.outcome import Outcome, OutcomeRow, Request
from dmef_bench.reproduce.report import chosen_device
from dmef_bench.reproduce.trained import digest_of, train_here
from dmef_bench.reproduce.weights_origin import weights_origin
from dmef_bench.training import find_recipe
from leaderboard.published import NOTES, TABLE_6, Column, PublishedRow

_COLUMNS: Final[dict[str, Column]] = {"PSNR": "psnr", "SSIM": "ssim", "LPIPS": "lpips"}
_DIGITS: Final = {"PSNR": 2, "SSIM": 4, "LPIPS": 4}
_NAME: Final = AHDRNetMethod.info.name
_TRAINED: Final = "trained"
_RUNS: Final = "runs"
_MADE: Final = (
    "The weights were trained by this table: {steps} steps of {batch} crops of {crop}×{crop} by L1 "
    "in RGB at rate {rate:g}, from seed {seed}. The paper's training of AHDRNet is not said."
)
_SMALL: Final = "Bilinear down to 256×256, inferred, bilinear up: the paper's MR for AHDRNet."
_WHOLE: Final = "Not in the paper: the same network on the whole picture, without chunks."
_ALONE: Final = (
    "Not in the paper: chunks alone. What it differs by from the whole picture is the borders of "
    "the chunks; what the cache differs by from it is the cache's compression to 8 bits."
)
_CACHED: Final = (
    "What the cache keeps of a chunk is not said; here it is what attention makes of the outer "
    "exposures' features, found again by content alone, so that no picture depends on another."
)


@dataclass(frozen=True)
class _Way:
    """A row: a method and how it is fed."""

    label: str
    method: type[Method]
    protocol: Literal["paper", "native"]
    printed: PublishedRow | None
    reading: str

    @property
    def name(self) -> str:
        return f"{self.method.info.name}-{self.protocol}"


def reproduce(request: Request) -> Outcome:
    """See `dmef_bench.reproduce.registry.reproduce`."""
    if request.protocol is not None:
        raise UsageError("--protocol: table6 feeds each of its rows as the paper did")
    if other := sorted(set(request.weights) - {_NAME}):
        raise UsageError(f"--weights {other[0]}=...: table6 is about {_NAME} alone")
    on = evaluated(request, "table6")
    there = request.weights.get(_NAME) or AHDRNetMethod.shipped_weights()
    settings = _settings(request, on, there)
    with ledger(
        request.folder("table6"), settings, (_TRAINED, _RUNS), overwrite=request.overwrite
    ) as book:
        weights = there or _trained(request, on, book)
        rows = [_row(way, weights, request, on.dataset, on.scorer, book) for way in _ways()]
    return Outcome(
        table="table6",
        caption=TABLE_6.caption,
        dataset=on.words,
        printed=tuple(_COLUMNS),
        measured=tuple(_COLUMNS),
        digits=_DIGITS,
        rows=tuple(rows),
        notes=(_made(request) if there is None else _loaded(request, there),),
        settings=settings,
        started=book.started,
    )


def _ways() -> Iterator[_Way]:
    small, chunked = TABLE_6.rows
    yield _Way(f"{small.label}, 256×256", AHDRNetMethod, "paper", small, _SMALL)
    yield _Way(f"{small.label}, whole picture", AHDRNetMethod, "native", None, _WHOLE)
    yield _Way("AHDRNet, chunks alone", UncachedChunks, "native", None, _ALONE)
    yield _Way(chunked.label, ChunkedAHDRNet, "native", chunked, _CACHED)


def _settings(request: Request, on: Evaluated, there: Path | None) -> dict[str, str]:
    """All that decides a figure."""
    made = on.settings(request)
    if there is not None:
        return made | {"weights_sha256": sha256_of_file(there)}
    digest = digest_of(training_data(on.budget, on.trains))
    return made | {"trained on": f"digest {digest}", **budget_settings(on.budget)}


def _loaded(request: Request, there: Path) -> str:
    method = AHDRNetMethod()
    method.load(there, chosen_device("cpu"))
    given = there if _NAME in request.weights else None
    return weights_origin(method, given, trained=False).words()


def _made(request: Request) -> str:
    budget = request.budget
    return _MADE.format(
        steps=budget.steps, batch=budget.batch, crop=budget.crop, rate=budget.learning_rate,
        seed=budget.seed,
    )  # fmt: skip


def _trained(request: Request, on: Evaluated, book: Ledger) -> Path:
    """AHDRNet's weights, trained here, or going on where an earlier call was killed."""
    source = training_data(on.budget, on.trains)
    return train_here(find_recipe(_NAME), source, request, book.folder / _TRAINED).weights


def _row(
    way: _Way, weights: Path, request: Request, dataset: Dataset, scorer: Scorer, book: Ledger
) -> OutcomeRow:
    """One row, measured or read from the ledger."""
    printed = {
        heading: None if way.printed is None else getattr(way.printed, column)
        for heading, column in _COLUMNS.items()
    }
    notes: tuple[str, ...] = ()
    if way.printed is not None:
        names = [n for column in _COLUMNS.values() for n in TABLE_6.notes_on(way.printed, column)]
        notes = tuple(NOTES[name] for name in dict.fromkeys(names))
    reasons = (way.reading, *notes)
    if way.name not in book.done:
        failure = _evaluate(way, weights, request, dataset, scorer, book)
        if failure is not None:
            none = dict.fromkeys(_COLUMNS)
            return OutcomeRow(way.label, way.name, "failed", printed, none, (failure, *reasons))
    figures = book.done[way.name]
    measured = {
        heading: None if figures[column] is None else float(figures[column])
        for heading, column in _COLUMNS.items()
    }
    if measured["LPIPS"] is None:
        reasons = (*reasons, f"LPIPS is n/a: {scorer.lpips_unavailable}.")
    return OutcomeRow(way.label, way.name, "measured", printed, measured, reasons)


def _evaluate(
    way: _Way, weights: Path, request: Request, dataset: Dataset, scorer: Scorer, book: Ledger
) -> str | None:
    """Measure a row into the ledger; returns why that failed, which is tried again."""
    options = RunOptions(
        results=book.folder / _RUNS,
        protocol=way.protocol,
        device=chosen_device(request.device),
        weights=weights,
        pictures=0,
        limit=request.limit,
        quiet=request.quiet,
        command=request.command,
    )
    try:
        result = run_method(way.method, dataset, scorer, options)
    except MethodError as error:
        raise UsageError(str(error)) from error
    if result.failed:
        first = result.failed[0]
        return f"{len(result.failed)} of {len(result.samples)} scenes failed: {first.error}"
    figures: dict[str, Any] = {}
    for column in _COLUMNS.values():
        known = [v for sample in result.samples if (v := getattr(sample, column)) is not None]
        mean = math.fsum(known) / len(known) if known else None
        figures[column] = "Infinity" if mean == math.inf else mean
    book.add(way.name, figures)
    return None
