"""Table 1: every method as the paper fed it, in tiles and whole, beside what the paper prints."""

from typing import Final

from dmef_bench.dataset import Dataset
from dmef_bench.errors import UsageError
from dmef_bench.reproduce.compared_runs import RUNS, ComparedRuns, Measured, Part, parts
from dmef_bench.reproduce.contenders import Contender, contenders, with_weights
from dmef_bench.reproduce.evaluated import Evaluated, budget_settings, evaluated
from dmef_bench.reproduce.ledger import ledger
from dmef_bench.reproduce.outcome import Form, Outcome, OutcomeRow, Request
from dmef_bench.reproduce.own_scenes import Frames, GeneratedFrames, PhotographFrames
from dmef_bench.reproduce.trained import digest_of
from dmef_bench.reproduce.why_differ import notes, reasons, together
from dmef_bench.training import Source, make_source
from dmef_bench.training.samples import Track
from leaderboard import LeaderboardError, Run, build_leaderboard, quality_speed_figure
from leaderboard.pages.cells import published_text
from leaderboard.published import TABLE_1, Column
from leaderboard.wording import amount, size

_PRINTED: Final[dict[str, Column]] = {
    "MR": "resolution", "PSNR": "psnr", "SSIM": "ssim", "LPIPS": "lpips", "s": "seconds",
    "MACs": "macs", "params": "parameters",
}  # fmt: skip
_MEASURED: Final = ("fed", "PSNR", "SSIM", "LPIPS", "s", "total s", "MACs", "params")
_UHD: Final = (2160, 3840)
_SCENES: Final = 8
_TRAINED: Final = "trained"


def reproduce(request: Request) -> Outcome:
    """See `dmef_bench.reproduce.registry.reproduce`."""
    frames = _frames(request)
    on = evaluated(request, "table1", frames)
    lpips = on.scorer.lpips_unavailable
    wanted = parts(request, on.dataset)
    found = contenders(request)
    tracks = tuple(dict.fromkeys(part.track for part in wanted))
    source = _training_data(on, tracks) if any(one.to_train for one in found) else None
    # What else decides a figure is in the names of the runs' and trainings' folders, so that
    # another call may compare more methods or measure more parts.
    settings = on.settings(request)
    with ledger(
        request.folder("table1"), settings, (_TRAINED, RUNS), overwrite=request.overwrite
    ) as book:
        if source is not None:
            found = [
                with_weights(one, source, request, book.folder / _TRAINED) if one.to_train else one
                for one in found
            ]
        runs = ComparedRuns(request, on.dataset, on.scorer, book)
        measured = {part: list(runs.of(part, found)) for part in wanted}
        told = notes(on.dataset, request.limit, frames)
        told += _training_notes(found, request)
        for part, rows in measured.items():
            told += together(part, rows)
        told += [*TABLE_1.remarks, *_time_notes(runs, trained_now=source is not None)]
        pixels = _pixels(on.dataset)
        return Outcome(
            table="table1",
            caption=TABLE_1.caption,
            dataset=on.words,
            printed=tuple(_PRINTED),
            measured=_MEASURED,
            digits=_forms(),
            rows=tuple(
                _row(one, part, pixels, reasons(one, part, pixels, frames, lpips))
                for part, rows in measured.items()
                for one in rows
            ),
            notes=tuple(told),
            settings=settings | _more_settings(request, on, wanted, found, source),
            started=book.started,
            pictures=_figures(runs, tracks, pixels, request),
        )


def _frames(request: Request) -> Frames | None:
    """Of the scenes to be made; None where there is a dataset."""
    photographs, pixels = request.comparison.photographs, request.size or _UHD
    if request.data is not None:
        if photographs is not None:
            raise UsageError("--data and --test-photos: name the one or the other")
        return None
    if photographs is not None:
        return PhotographFrames(photographs, pixels, request.limit)
    return GeneratedFrames(pixels, request.limit or _SCENES)


def _training_data(on: Evaluated, tracks: tuple[str, ...]) -> Source:
    """Generated scenes on the tracks that are measured, or the train split on its first one."""
    budget = on.budget
    if not budget.generated and on.dataset.scenes("train"):
        return make_source(on.trains, budget.photographs, budget.crop)
    if set(tracks) == {"paper", "camera"}:
        return make_source(None, budget.photographs, budget.crop, "both")
    only: Track = "camera" if tracks == ("camera",) else "paper"
    return make_source(None, budget.photographs, budget.crop, only)


def _more_settings(
    request: Request,
    on: Evaluated,
    wanted: list[Part],
    found: list[Contender],
    source: Source | None,
) -> dict[str, str]:
    weights = [f"{one.name} {one.origin.sha256[:16]}" for one in found if one.origin.sha256]
    more = {
        "parts": "; ".join(part.heading for part in wanted),
        "methods": ", ".join(one.name for one in found),
        "weights": ", ".join(weights) or "none",
    }
    if source is None:
        return more
    return more | {"trained on": f"digest {digest_of(source)}", **budget_settings(on.budget)}


def _training_notes(found: list[Contender], request: Request) -> list[str]:
    names = [one.title for one in found if one.origin.origin == "trained"]
    if not names:
        return []
    budget = request.budget
    return [
        f"Without weights, so trained for this table: {', '.join(names)}; {budget.steps} steps of "
        f"{budget.batch} crops of {budget.crop}×{budget.crop} at rate {budget.learning_rate:g}, "
        f"from seed {budget.seed}."
    ]


def _time_notes(runs: ComparedRuns, *, trained_now: bool) -> list[str]:
    told = [
        "s is the method alone, total s with resizing or tiling; medians over scenes, the picture "
        "in memory and on the device. MACs are of one picture, all tiles. Methods without a size "
        "of their own take the whole picture under every protocol."
    ]
    if runs.busy() and trained_now:
        told.append(
            "Methods were trained by the same command, so the load average does not tell whether "
            "the machine had other work."
        )
    elif runs.busy():
        told.append(
            "The machine had other work: the seconds are not to be quoted; repeat with "
            "--overwrite when it has none."
        )
    return told


def _row(one: Measured, part: Part, pixels: tuple[int, int], why: tuple[str, ...]) -> OutcomeRow:
    printed = one.contender.printed if part.printed else None
    cost = one.cost if one.status == "measured" else None
    count = None if one.result is None else one.result.record.method.parameters
    return OutcomeRow(
        label=one.contender.title if printed is None else printed.label,
        method=one.contender.name,
        status=one.status,
        printed={} if printed is None else {
            heading: getattr(printed, column)
            if column in ("psnr", "ssim", "lpips", "seconds")
            else published_text(printed, column) or None
            for heading, column in _PRINTED.items()
        },
        measured={
            "fed": _fed(one, pixels),
            "PSNR": one.mean("psnr"),
            "SSIM": one.mean("ssim"),
            "LPIPS": one.mean("lpips"),
            "s": cost.inference_seconds.median if cost and cost.inference_seconds else None,
            "total s": cost.total_seconds.median if cost and cost.total_seconds else None,
            "MACs": cost.macs if cost else None,
            "params": count,
        },
        reasons=why,
        section=part.heading,
    )  # fmt: skip


def _fed(one: Measured, pixels: tuple[int, int]) -> str | None:
    """What a call saw, before any rule of the method's about sizes."""
    if one.fed is None:
        return None
    height, width = one.fed.resolution or pixels
    return size((min(height, pixels[0]), min(width, pixels[1])))


def _forms() -> dict[str, Form]:
    return {
        "PSNR": 2, "SSIM": 4, "LPIPS": 4, "s": _seconds, "total s": _seconds, "MACs": amount,
        "params": lambda count: f"{count / 1e6:.4f}M",
    }  # fmt: skip


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value >= 1 else f"{value:.4f}"


def _pixels(dataset: Dataset) -> tuple[int, int]:
    """(height, width) of the first scene's pictures, as they are measured."""
    truth = dataset.scenes("test")[0].load_ground_truth()
    return truth.shape[0], truth.shape[1]


def _figures(
    runs: ComparedRuns, tracks: tuple[str, ...], pixels: tuple[int, int], request: Request
) -> dict[str, str]:
    """The paper's Figure 1 of each track."""
    made = {}
    for track in tracks:
        results = [Run(one.record, one.samples, one.folder) for one in runs.results(track)]
        try:
            board = build_leaderboard(results)
        except LeaderboardError:
            continue
        figure = quality_speed_figure(
            board,
            alone=True,
            pixels=pixels,
            remark="quick, not to be quoted" if request.quick else "",
        )
        if figure:
            made["figure1.svg" if track == tracks[0] else f"figure1-{track}.svg"] = str(figure)
    return made
