"""Tables 2 and 3: methods on a public dataset whose ground truth is linear light."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from baselines import MethodError, resolve
from dmef_bench.dataset import Dataset, open_dataset
from dmef_bench.dataset.importers import Found, import_dataset
from dmef_bench.dataset.records import DATASET_FILE
from dmef_bench.errors import MissingError, ScenesFailedError, UsageError
from dmef_bench.evaluation import RunOptions, RunResult, Scorer, WeightsMissingError, run_method
from dmef_bench.reproduce.outcome import Outcome, OutcomeRow, Request
from dmef_bench.reproduce.report import chosen_device
from leaderboard.metric import METRICS_OF_LIGHT
from leaderboard.published import NOTES, PublishedRow, PublishedTable

_PRINTED: Final = {"PSNR": "psnr", "SSIM": "ssim"}
_NO_LPIPS: Final = "the paper prints none here"
_TRAINED_ELSEWHERE: Final = (
    "The weights are those shipped with this package, trained on generated brackets (EV -1.5, "
    "+0.5, +2.5, ground truth display-referred), not on {dataset} as the paper's were."
)
_GIVEN: Final = "The weights are the file given, not the paper's, which were never published."
_NO_RADIANCE: Final = (
    "It gives a display-referred picture and knows no exposure values: read as light by ^2.2, its "
    "brightness is not the ground truth's. How the paper read it is not said."
)
_DISPLAY_METHODS: Final = frozenset({"gdc", "mertens", "ipl"})


@dataclass(frozen=True)
class PublicDataset:
    """A dataset a user has to get.

    Attributes:
        table: the paper's figures.
        default: where `dmef-bench import` puts it.
        importer: name of `dmef-bench import`'s sub-command; find: its function.
        how_to_get: who has it and where; layout: what lies in it as distributed.
        scenes: test scenes as distributed.
        remarks: what keeps any measurement from being the paper's, a sentence each.
    """

    table: PublishedTable
    default: Path
    importer: str
    find: Callable[[Path], Found]
    how_to_get: str
    layout: str
    scenes: int
    remarks: tuple[str, ...] = ()


def measure(name: str, public: PublicDataset, request: Request) -> Outcome:
    """Run every method of the table that has weights over the test split.

    Raises:
        MissingError: the data is not here; the message says how to get it.
        UsageError: weights for a method the table does not have.
    """
    rows = [row for row in public.table.rows if row.method]
    unknown = sorted(set(request.weights) - {row.method for row in rows})
    if unknown:
        raise UsageError(
            f"--weights {unknown[0]}=...: {name} has no such method; it has "
            + ", ".join(row.method for row in rows)
        )
    dataset = _dataset(name, public, request)
    made = [_row(row, public, dataset, request) for row in rows]
    scenes = len(dataset.scenes("test"))
    notes = [
        "Printed as PSNR and SSIM alone. Measured are those of linear light (-l) and of light "
        "compressed by the μ-law with μ = 5000 (-μ).",
        *public.remarks,
    ]
    if scenes != public.scenes:
        notes.append(f"{scenes} test scenes are here; the paper has {public.scenes}.")
    if request.limit is not None and request.limit < scenes:
        notes.append(f"Only the first {request.limit} of {scenes} scenes were measured.")
    return Outcome(
        table=name,
        caption=public.table.caption,
        dataset=f"{dataset.record.name}, test split, {scenes} scenes, digest {dataset.digest[:8]}",
        printed=tuple(_PRINTED),
        measured=tuple(metric.title for metric in METRICS_OF_LIGHT),
        digits={
            "PSNR": 2, "SSIM": 4, **{metric.title: metric.digits for metric in METRICS_OF_LIGHT}
        },
        rows=tuple(made),
        notes=tuple(notes),
    )  # fmt: skip


def _dataset(name: str, public: PublicDataset, request: Request) -> Dataset:
    """The imported dataset; imported first where the folder is as distributed.

    Raises:
        MissingError: it is not here.
        UsageError: another dataset is.
    """
    folder = request.data or public.default
    if not folder.is_dir():
        raise MissingError(
            f"{name} needs {public.table.dataset}, which this package can't ship, and there is no "
            f"folder {folder}.\n"
            f"  1. Get it: {public.how_to_get}\n"
            f"  2. Unpack it, so that a folder DIR holds {public.layout}.\n"
            f"  3. dmef-bench import {public.importer} DIR\n"
            f"  4. dmef-bench reproduce {name} --data {public.default}"
        )
    if not (folder / DATASET_FILE).is_file() and folder != public.default:
        report = import_dataset(public.find(folder), public.default, quiet=request.quiet)
        if report.digest is None:
            lines = "".join(f"\n  {scene}: {why}" for scene, why in report.broken.items())
            raise ScenesFailedError(
                f"{len(report.broken)} scenes below {folder} are broken; mend them, or import the "
                f"others with `dmef-bench import {public.importer} {folder} --skip-broken`:{lines}"
            )
        folder = public.default
    dataset = open_dataset(folder)
    found = getattr(dataset.record, "importer", "")
    if found != public.importer:
        raise UsageError(
            f"{folder}: {dataset.record.name}, but {name} is about {public.table.dataset}; "
            "give its folder with --data"
        )
    return dataset


def _row(
    printed: PublishedRow, public: PublicDataset, dataset: Dataset, request: Request
) -> OutcomeRow:
    name = printed.method
    notes = [
        NOTES[note]
        for column in ("psnr", "ssim")
        for note in public.table.notes_on(printed, column)
    ]
    figures = {heading: getattr(printed, column) for heading, column in _PRINTED.items()}
    none = {metric.title: None for metric in METRICS_OF_LIGHT}
    try:
        result = _run(name, dataset, request)
    except WeightsMissingError as error:
        said = str(error).replace("--weights FILE", f"--weights {name}=FILE")
        why = f"Not measured: {said}."
        return OutcomeRow(printed.label, name, "not measured", figures, none, (why, *notes))
    except (UsageError, MethodError) as error:
        return OutcomeRow(printed.label, name, "failed", figures, none, (str(error), *notes))
    if result.failed:
        first = result.failed[0]
        why = f"{len(result.failed)} of {len(result.samples)} scenes failed: {first.error}"
        return OutcomeRow(printed.label, name, "failed", figures, none, (why, *notes))
    measured = {
        metric.title: _mean([getattr(sample, metric.name) for sample in result.samples])
        for metric in METRICS_OF_LIGHT
    }
    reasons = (*_reasons(name, public, request, result), *notes)
    return OutcomeRow(printed.label, name, "measured", figures, measured, reasons)


def _run(name: str, dataset: Dataset, request: Request) -> RunResult:
    options = RunOptions(
        results=request.results,
        protocol=request.protocol or "native",
        device=chosen_device(request.device),
        weights=request.weights.get(name),
        limit=request.limit,
        overwrite=request.overwrite,
        quiet=request.quiet,
        command=request.command,
    )
    return run_method(resolve(name), dataset, Scorer(None, _NO_LPIPS), options)


def _reasons(
    name: str, public: PublicDataset, request: Request, result: RunResult
) -> tuple[str, ...]:
    """Why a measured figure isn't the printed one, besides what holds for the whole column."""
    reasons = []
    if name in request.weights:
        reasons.append(_GIVEN)
    elif result.record.method.weights_sha256 is not None:
        reasons.append(_TRAINED_ELSEWHERE.format(dataset=public.table.dataset))
    if name in _DISPLAY_METHODS:
        reasons.append(_NO_RADIANCE)
    if result.record.protocol.name != "native":
        reasons.append(f"Fed under protocol {result.record.protocol.name}, not the whole picture.")
    return tuple(reasons)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
