"""`dmef-bench reproduce`: a table of the paper, printed figures beside measured ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dmef_bench.cli.evaluation_options import command_line
from dmef_bench.cli.memory_size import parse_size
from dmef_bench.cli.options import (
    default_workers,
    device_option,
    emit,
    format_option,
    limit_option,
    overwrite_option,
    quiet_option,
)
from dmef_bench.cli.picture_size import parse_picture_size
from dmef_bench.cli.reproduce_options import QUICK, pairs, refuse_others, table_options
from dmef_bench.errors import ScenesFailedError, UsageError
from dmef_bench.reproduce import TABLES

if TYPE_CHECKING:
    from dmef_bench.reproduce import Budget, CacheOptions, Outcome
    from dmef_bench.reproduce.outcome import Protocol


def _weights(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> dict[str, Path]:
    """METHOD=FILE, each method once."""
    found: dict[str, Path] = {}
    for value in values:
        name, equals, file = value.partition("=")
        if not (name and equals and file):
            raise click.BadParameter(f"{value!r} is not METHOD=FILE", ctx, param)
        if name in found:
            raise click.BadParameter(f"{name} is given twice", ctx, param)
        found[name] = Path(file)
    return found


@click.command("reproduce")
@click.argument("table", type=click.Choice(list(TABLES)))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=None,
    help="The dataset.  [default: for tables 2 and 3 where `dmef-bench import` puts it, for "
    "tables 4 and 6 4k-dmef, for tables 5 and 7 generated scenes]",
)
@click.option(
    "-o", "--results", type=click.Path(path_type=Path), default=Path("results"),
    show_default=True, help="Runs and outcome lie in this folder; TABLE/TABLE.md has the table.",
)  # fmt: skip
@click.option(
    "--weights", metavar="METHOD=FILE", multiple=True, callback=_weights,
    help="Weights of a learned method; may be repeated.",
)  # fmt: skip
@click.option(
    "--protocol", type=click.Choice(["paper", "tiled", "native"]), default=None,
    help="How methods are fed.  [default: as the table needs it]",
)  # fmt: skip
@click.option(
    "--size", default=None, metavar="SIZE",
    help="Cut pictures to their centre of this size, or generate them so: 1080p, 4k or "
    "WIDTHxHEIGHT.",
)  # fmt: skip
@table_options
@device_option
@limit_option
@overwrite_option
@format_option
@quiet_option
def command(
    table: str,
    data: Path | None,
    results: Path,
    weights: dict[str, Path],
    protocol: "Protocol | None",
    size: str | None,
    device: str,
    limit: int | None,
    overwrite: bool,
    output_format: str,
    quiet: bool,
    **chosen: Any,  # noqa: ANN401 - of `table_options`, read by name below
) -> None:
    """Measure a TABLE of the paper and say why the figures differ.

    Tables 2 and 3 run every method that has weights, table 4 trains IPL's variants and measures
    them, tables 5 and 7 measure the attention cache, table 6 AHDRNet in chunks with it (trained
    where no weights are given). After an interruption the same command goes
    on. Tables 2 and 3 end with exit code 3 and the way to the data where that is not here.
    """
    refuse_others(table)
    from dmef_bench.cli.loading import torch_device
    from dmef_bench.evaluation.timing_pictures import SMALLEST_SIDE
    from dmef_bench.reproduce import Request, reproduce
    from dmef_bench.reproduce.report import as_data

    torch_device(device)
    for name, file in weights.items():
        if not file.is_file():
            raise UsageError(f"--weights {name}={file}: there is no such file")
    request = Request(
        data=data,
        results=results,
        weights=weights,
        protocol=protocol,
        device=device,
        limit=limit,
        overwrite=overwrite,
        quiet=quiet,
        command=command_line(),
        size=None if size is None else parse_picture_size("--size", size, SMALLEST_SIDE),
        lpips_net=chosen["lpips_net"],
        lpips_backbone=chosen["lpips_backbone"],
        budget=_budget(chosen),
        cache=_cache(chosen),
    )
    outcome = reproduce(table, request)
    emit(output_format, as_data(outcome), lambda: _show(outcome, results / table))
    if outcome.failed:
        raise ScenesFailedError(
            "the rest was measured, but these failed:"
            + "".join(f"\n  {name}: {why}" for name, why in outcome.failed.items())
        )


def _budget(chosen: dict[str, Any]) -> "Budget":
    from dmef_bench.reproduce import Budget

    default = Budget()
    quick = QUICK if chosen["quick"] else {}
    return Budget(
        steps=chosen["steps"] or quick.get("steps", default.steps),
        batch=chosen["batch"],
        crop=chosen["crop"] or quick.get("crop", default.crop),
        learning_rate=chosen["learning_rate"],
        seed=chosen["seed"],
        generated=chosen["train_on"] == "generated",
        photographs=chosen["photos"],
        options=pairs(chosen["options"]),
        workers=chosen["workers"] or default_workers(),
    )


def _cache(chosen: dict[str, Any]) -> "CacheOptions":
    from dmef_bench.reproduce import CacheOptions

    return CacheOptions(
        tolerance=chosen["tolerance"],
        max_bytes=parse_size("--cache-memory", chosen["cache_memory"]),
        mode=chosen["mode"],
        times=not chosen["no_times"],
    )


def _show(outcome: "Outcome", folder: Path) -> None:
    """The table, then every reason once with a letter that its rows carry."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from dmef_bench.reproduce.report import letter, number

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    reasons = list(dict.fromkeys(reason for row in outcome.rows for reason in row.reasons))
    shown = Table(
        title=Text(f"{outcome.table}: {outcome.caption}\n{outcome.dataset}"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    shown.add_column("row")
    for heading in outcome.printed:
        shown.add_column(Text(f"printed {heading}"), justify="right", style="italic")
    for heading in outcome.measured:
        shown.add_column(heading, justify="right")
    shown.add_column("why")
    for row in outcome.rows:
        numbers = [
            *(number(row.printed.get(key), outcome.digits[key]) for key in outcome.printed),
            *(number(row.measured.get(key), outcome.digits[key]) for key in outcome.measured),
        ]
        letters = " ".join(map(letter, sorted(reasons.index(reason) for reason in row.reasons)))
        shown.add_row(Text(row.label), *numbers, letters)
    console.print(shown)
    for position, reason in enumerate(reasons):
        console.print(Text(f"{letter(position)}  {reason}"))
    for note in outcome.notes:
        console.print(Text(note))
    console.print(Text(f"{folder / outcome.table}.md (also .json)"))
