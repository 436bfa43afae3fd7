"""Table 4: IPL's parts, each variant trained alike and measured on a dataset's test split."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from baselines import resolve
from dmef_bench.dataset import Dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import RunOptions, RunResult, Scorer, run_method
from dmef_bench.reproduce.ablation import (
    ABLATIONS,
    Ablation,
    check_options,
    training_data,
)
from dmef_bench.reproduce.evaluated import Evaluated, budget_settings, evaluated
from dmef_bench.reproduce.ledger import Ledger, ledger
from dmef_bench.reproduce.outcome import Budget, Outcome, OutcomeRow, Request
from dmef_bench.reproduce.report import chosen_device, tell
from dmef_bench.reproduce.trained import PAPER_STEPS, digest_of, train_here
from dmef_bench.training import DivergedError, Source, find_recipe
from leaderboard.published import NOTES, TABLE_4

_COLUMNS: Final = {"PSNR": "psnr", "SSIM": "ssim", "LPIPS": "lpips"}
_DIGITS: Final = {"PSNR": 2, "SSIM": 4, "LPIPS": 4}
_COPY: Final = "copy-reference"
_COPY_SAYS: Final = (
    "Not in the paper. An untrained IPL here is this copy, so a row below it has lost by training."
)
_OPEN: Final = (
    "Sampling factor, block sizes, order of the layers and the reading of eq. 3 are not the "
    "authors' but those of docs/fidelity.md. In the prose reading of eq. 3 width and height are "
    "gates of one form: from one seed (c) and (d), and (e) and (f), are the same network; "
    "--set lfe=equation tells them apart."
)
_SHORT: Final = 0.5
_TRAINED: Final = "trained"
_RUNS: Final = "runs"


def reproduce(request: Request) -> Outcome:
    """See `dmef_bench.reproduce.registry.reproduce`."""
    if request.weights:
        raise UsageError("--weights: table4 trains its networks itself")
    if request.protocol not in (None, "native"):
        raise UsageError("--protocol: table4 feeds whole pictures (native), as the paper's text")
    check_options(request.budget)
    on = evaluated(request, "table4")
    source = training_data(on.budget, on.trains)
    settings = _settings(request, on, source)
    folder = request.folder("table4")
    parts = (_TRAINED, _RUNS)
    with ledger(folder, settings, parts, overwrite=request.overwrite) as book:
        work = _Work(request, on.dataset, source, on.scorer, book)
        rows = [work.copy(), *(work.row(ablation) for ablation in ABLATIONS)]
    return Outcome(
        table="table4",
        caption=TABLE_4.caption,
        dataset=on.words,
        printed=tuple(_COLUMNS),
        measured=tuple(_COLUMNS),
        digits=_DIGITS,
        rows=tuple(rows),
        notes=tuple(_notes(request, settings["trained on"], on.count)),
        settings=settings,
        started=book.started,
    )


def _settings(request: Request, on: Evaluated, source: Source) -> dict[str, str]:
    """All that decides a figure."""
    return {
        "trained on": f"{_trained_on(on.budget)}, digest {digest_of(source)}",
        **budget_settings(request.budget),
        "protocol": "native",
        **on.settings(request),
    }


def _trained_on(budget: Budget) -> str:
    first = "generated scenes" if budget.generated else "the dataset's train split"
    return first if budget.photographs is None else f"{first} and photographs in motion in turn"


def _notes(request: Request, trained_on: str, scenes: int) -> list[str]:
    budget = request.budget
    share = budget.steps * budget.batch * budget.crop**2
    short = budget.steps < _SHORT * PAPER_STEPS
    return [
        f"Every row was trained for {budget.steps} steps of {budget.batch} crops of "
        f"{budget.crop}×{budget.crop} ({share / 1e6:.3g} million pixels) at rate "
        f"{budget.learning_rate:g}, on {trained_on}, from seed {budget.seed}; the paper for "
        f"{PAPER_STEPS} steps of 4 at rate 0.0002 on 80 scenes, its crops are not said."
        + (" The networks have not converged: another budget may order them otherwise." * short),
        f"One training a row and {scenes} scenes: differences of a few tenths of a dB may be "
        "those of the seed.",
    ]  # fmt: skip


class _Work:
    """The rows of one table."""

    def __init__(
        self, request: Request, dataset: Dataset, source: Source, scorer: Scorer, book: Ledger
    ) -> None:
        self._request = request
        self._dataset = dataset
        self._source = source
        self._scorer = scorer
        self._book = book
        self._device = chosen_device(request.device)

    def copy(self) -> OutcomeRow:
        """The reference itself as the result."""
        row = _Row("copy of the reference", _COPY, {}, (_COPY_SAYS,))
        if _COPY not in self._book.done:
            tell(row.label, quiet=self._request.quiet)
            failure = self._evaluate(row, None)
            if failure is not None:
                return row.without_figures(failure)
        return self._measured(row)

    def row(self, ablation: Ablation) -> OutcomeRow:
        """One variant of IPL, trained and measured, or read from the ledger."""
        printed = {heading: getattr(ablation.printed, key) for heading, key in _COLUMNS.items()}
        notes = dict.fromkeys(
            NOTES[note]
            for key in ("psnr", "ssim", "lpips")
            for note in TABLE_4.notes_on(ablation.printed, key)
        )
        row = _Row(ablation.label, ablation.name, printed, (*ablation.reading, _OPEN, *notes))
        if ablation.name not in self._book.done:
            tell(f"{ablation.label} ({ABLATIONS.index(ablation) + 1} of {len(ABLATIONS)})",
                 quiet=self._request.quiet)  # fmt: skip
            try:
                weights = self._trained(ablation)
            except DivergedError as error:
                return row.without_figures(f"Its training diverged: {error}")
            failure = self._evaluate(row, weights)
            if failure is not None:
                return row.without_figures(failure)
        return self._measured(row)

    def _trained(self, ablation: Ablation) -> Path:
        folder = self._book.folder / _TRAINED / ablation.name
        return train_here(
            find_recipe("ipl"), self._source, self._request, folder, ablation.options
        ).weights

    def _evaluate(self, row: "_Row", weights: Path | None) -> str | None:
        """Measure a method into the ledger; returns why that failed, which is tried again."""
        options = RunOptions(
            results=self._book.folder / _RUNS,
            protocol="native",
            device=self._device,
            weights=weights,
            pictures=0,
            limit=self._request.limit,
            quiet=self._request.quiet,
            command=self._request.command,
        )
        method = resolve(_COPY if weights is None else "ipl")
        result = run_method(method, self._dataset, self._scorer, options)
        if result.failed:
            count, first = len(result.failed), result.failed[0]
            return f"{count} of {len(result.samples)} scenes failed: {first.error}"
        self._book.add(row.name, _means(result))
        return None

    def _measured(self, row: "_Row") -> OutcomeRow:
        figures = self._book.done[row.name]
        measured = {heading: _value(figures[key]) for heading, key in _COLUMNS.items()}
        reasons = row.reasons
        if measured["LPIPS"] is None:
            reasons = (*reasons, f"LPIPS is n/a: {self._scorer.lpips_unavailable}.")
        return OutcomeRow(row.label, row.name, "measured", row.printed, measured, reasons)


@dataclass(frozen=True)
class _Row:
    """What is known of a row before it is measured; as in `OutcomeRow`."""

    label: str
    name: str
    printed: Mapping[str, float | None]
    reasons: tuple[str, ...]

    def without_figures(self, why: str) -> OutcomeRow:
        none = dict.fromkeys(_COLUMNS)
        return OutcomeRow(self.label, self.name, "failed", self.printed, none, (why, *self.reasons))


def _means(result: RunResult) -> dict[str, Any]:
    """Means over the scenes."""
    figures: dict[str, Any] = {"weights_sha256": result.record.method.weights_sha256}
    for key in _COLUMNS.values():
        known = [v for s in result.samples if (v := getattr(s, key)) is not None]
        mean = math.fsum(known) / len(known) if known else None
        figures[key] = "Infinity" if mean == math.inf else mean
    return figures


def _value(kept: float | str | None) -> float | None:
    return None if kept is None else float(kept)
