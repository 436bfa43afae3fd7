"""What Tables 5 and 7 share: pictures, settings, and rows by kind of cache and state."""

import os
from collections.abc import Mapping
from typing import Final, cast

from baselines import MethodError
from dmef_bench import __version__
from dmef_bench.dataset import open_dataset
from dmef_bench.errors import UsageError
from dmef_bench.evaluation import MethodFailedError, ready_method
from dmef_bench.evaluation.machine import describe_machine, software_versions
from dmef_bench.ipl import IPLMethod
from dmef_bench.reproduce.cache_measures import (
    PLAIN_OFF,
    STATE_WORDS,
    TURNS,
    Measured,
    State,
    Variant,
    highest_load,
    measure_variants,
)
from dmef_bench.reproduce.cache_pictures import (
    DEFAULT_COUNT,
    DEFAULT_SIZE,
    DatasetShots,
    GeneratedShots,
    Shots,
)
from dmef_bench.reproduce.centre import centre_of
from dmef_bench.reproduce.ledger import ledger
from dmef_bench.reproduce.outcome import Outcome, OutcomeRow, Request
from dmef_bench.reproduce.report import chosen_device
from leaderboard.published import NOTES, Column, PublishedRow, PublishedTable

_PRINTED: Final[Mapping[str, Column]] = {"PSNR": "psnr", "SSIM": "ssim", "s": "seconds"}
_MEASURED: Final = ("PSNR", "SSIM", "s", "speed-up", "hits %", "MB held")
_DIGITS: Final = {"PSNR": 2, "SSIM": 4, "s": 4, "speed-up": 2, "hits %": 1, "MB held": 1}
# More than the threads of this process themselves.
_BUSY: Final = 0.5
_NOT_KEPT: Final = (
    "Not every block was there again: the cache holds less than a picture (--cache-memory), or "
    "the tolerance is less than its 16 bits tell apart."
)


def cache_table(
    name: str,
    table: PublishedTable,
    variants: Mapping[Variant, PublishedRow | None],
    reasons: Mapping[Variant, str],
    request: Request,
    notes: tuple[str, ...],
) -> Outcome:
    """Measure variants of the attention cache and set them beside a table of the paper.

    Args:
        name: "table5" or "table7".
        table: the paper's.
        variants: in the order of the rows, each with the printed row it may be compared with.
        reasons: what is to be said of a variant.
        request: what was asked for.
        notes: what holds for the whole table.

    Raises:
        UsageError: an option or data that the table can't use, or other settings before.
    """
    shots = _shots(request)
    method = _method(name, request)
    machine = describe_machine(method.device)
    settings = {
        "pictures": shots.name,
        "next picture": shots.following,
        "weights_sha256": method.weights_sha256 or "none",
        "device": machine.device,
        "threads": str(machine.threads),
        "torch": software_versions()["torch"],
        "tolerance": f"{request.cache.tolerance:g}",
        "max bytes": str(request.cache.max_bytes),
        "times": f"medians of {TURNS} turns" if request.cache.times else "not taken",
        "package": __version__,
    }
    if name == "table7":
        settings["mode"] = request.cache.mode
    with ledger(request.folder(name), settings, overwrite=request.overwrite) as book:
        try:
            measured = measure_variants(
                tuple(variants), shots, method, book,
                times=request.cache.times, quiet=request.quiet,
            )  # fmt: skip
        except MethodFailedError as error:
            raise UsageError(
                f"{name}: ipl {error}; take smaller pictures with --size, or a cache that holds "
                "less with --cache-memory"
            ) from error
        load = highest_load(book)
    columns = [heading for heading, key in _PRINTED.items() if key in table.columns]
    rows = [
        _row(variant, state, printed, measured, columns, table, reasons.get(variant, ""))
        for variant, printed in variants.items()
        for state in variant.states
    ]
    return Outcome(
        table=name,
        caption=table.caption,
        dataset=shots.name,
        printed=tuple(columns),
        measured=_MEASURED,
        digits=_DIGITS,
        rows=tuple(rows),
        notes=(*notes, *_notes(shots, request, load)),
        settings=settings,
        started=book.started,
    )


def _shots(request: Request) -> Shots:
    if request.data is None:
        return GeneratedShots(request.size or DEFAULT_SIZE, request.limit or DEFAULT_COUNT)
    dataset = open_dataset(request.data)
    if request.size is not None:
        dataset = centre_of(dataset, request.size)
    return DatasetShots(dataset, request.limit)


def _method(name: str, request: Request) -> IPLMethod:
    if request.protocol not in (None, "native"):
        raise UsageError(f"--protocol: {name} feeds whole pictures (native)")
    other = sorted(set(request.weights) - {"ipl"})
    if other:
        raise UsageError(f"--weights {other[0]}=...: {name} is about ipl alone")
    try:
        method = ready_method(IPLMethod, request.weights.get("ipl"), chosen_device(request.device))
    except MethodError as error:
        raise UsageError(str(error)) from error
    return cast(IPLMethod, method)


def _row(
    variant: Variant,
    state: State,
    printed: PublishedRow | None,
    measured: Mapping[tuple[str, State], Measured],
    columns: list[str],
    table: PublishedTable,
    reason: str,
) -> OutcomeRow:
    here = measured[variant.name, state]
    off = measured[PLAIN_OFF.name, "next" if state == "next" else "cold"]
    speed_up = off.seconds / here.seconds if off.seconds and here.seconds else None
    keys = [_PRINTED[heading] for heading in columns]
    notes = {} if printed is None else {n: "" for key in keys for n in table.notes_on(printed, key)}
    why = [reason] if reason else []
    if here.seconds is None:
        why.append("The time was not measured.")
    if state == "same" and here.hits is not None and here.hits < 100:
        why.append(_NOT_KEPT)
    words = STATE_WORDS[state]
    if variant.cache is None:
        words = "next picture" if state == "next" else "first picture"
    return OutcomeRow(
        label=f"{variant.label}: {words}",
        method=f"{variant.name}-{state}",
        status="measured",
        printed={
            heading: None if printed is None else getattr(printed, _PRINTED[heading])
            for heading in columns
        },
        measured={
            "PSNR": here.psnr,
            "SSIM": here.ssim,
            "s": here.seconds,
            "speed-up": speed_up,
            "hits %": here.hits,
            "MB held": here.megabytes,
        },
        reasons=(*why, *(NOTES[note] for note in notes)),
    )


def _notes(shots: Shots, request: Request, load: float) -> list[str]:
    notes = [
        f"The next picture is {shots.following}. PSNR and SSIM are means over {shots.count} "
        "pictures. The paper does not say in which of these states it measured: what it prints "
        "stands beside each.",
        "Speed-up is against the network as written, all blocks at once and no cache, on the same "
        "picture.",
    ]
    if "ipl" in request.weights:
        notes.append("The weights are the file given.")
    if request.cache.times:
        notes.append(
            f"Seconds are medians over {TURNS} turns through the states, then over pictures; a "
            "picture is in memory and on the device before the clock starts, and one call was "
            "made before it."
        )
        cores = len(os.sched_getaffinity(0))
        notes.append(f"Load average before a measurement at most {load:.1f} on {cores} cores.")
        if load > cores + _BUSY:
            notes.append(
                "The machine had other work: the seconds are not to be quoted; repeat with "
                "--overwrite when it has none, or leave them out with --no-times."
            )
    return notes
