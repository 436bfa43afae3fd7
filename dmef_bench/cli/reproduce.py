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
from dmef_bench.cli.reproduce_options import pairs, refuse_others, table_options
from dmef_bench.errors import ScenesFailedError, UsageError
from dmef_bench.reproduce import TABLES

if TYPE_CHECKING:
    from dmef_bench.reproduce import Budget, CacheOptions, Comparison, Outcome, Request
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
    "tables 4 and 6 4k-dmef, for tables 1, 5, 7 and with --quick generated scenes]",
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
    "--protocol", "protocols", type=click.Choice(["paper", "tiled", "native"]), multiple=True,
    help="How methods are fed; for table 1 may be repeated.  [default: as the table needs it]",
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
    protocols: "tuple[Protocol, ...]",
    size: str | None,
    device: str,
    limit: int | None,
    overwrite: bool,
    output_format: str,
    quiet: bool,
    **chosen: Any,  # noqa: ANN401 - of `table_options`, read by name below
) -> None:
    """Measure a TABLE of the paper and say why the figures differ.

    Table 1 runs every method as the paper did, in tiles and whole, and trains those without weights
    first. Tables 2 and 3 run every method that has weights, table 4 trains IPL's variants and
    measures them, tables 5 and 7 measure the attention cache, table 6 AHDRNet in chunks with it
    (trained where it has no weights). After an interruption the same command goes on. Tables 2
    and 3 end with exit code 3 and the way to the data where that is not here.
    """
    refuse_others(table)
    if table != "table1" and len(protocols) > 1:
        raise UsageError(f"--protocol: {table} takes one")
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
        protocol=protocols[0] if protocols and table != "table1" else None,
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
        comparison=_comparison(chosen, protocols),
        quick=chosen["quick"],
    )
    outcome = reproduce(table, request)
    emit(output_format, as_data(outcome), lambda: _show(outcome, request))
    if outcome.failed:
        raise ScenesFailedError(
            "the rest was measured, but these failed:"
            + "".join(f"\n  {name}: {why}" for name, why in outcome.failed.items())
        )


def _budget(chosen: dict[str, Any]) -> "Budget":
    from dmef_bench.reproduce import Budget, quick

    default = Budget()
    steps, batch, crop = default.steps, default.batch, default.crop
    if chosen["quick"]:
        steps, batch, crop = quick.STEPS, quick.BATCH, quick.CROP
    return Budget(
        steps=chosen["steps"] or steps,
        batch=chosen["batch"] or batch,
        crop=chosen["crop"] or crop,
        learning_rate=chosen["learning_rate"],
        seed=chosen["seed"],
        generated=chosen["train_on"] == "generated",
        photographs=chosen["photos"],
        options=pairs(chosen["options"]),
        workers=chosen["workers"] or (0 if chosen["quick"] else default_workers()),
    )


def _cache(chosen: dict[str, Any]) -> "CacheOptions":
    from dmef_bench.reproduce import CacheOptions

    return CacheOptions(
        tolerance=chosen["tolerance"],
        max_bytes=parse_size("--cache-memory", chosen["cache_memory"]),
        mode=chosen["mode"],
        times=not chosen["no_times"],
    )


def _comparison(chosen: dict[str, Any], protocols: "tuple[Protocol, ...]") -> "Comparison":
    from dmef_bench.reproduce import Comparison

    budget = chosen["memory_budget"]
    return Comparison(
        methods=chosen["methods"],
        protocols=protocols,
        tracks=chosen["tracks"],
        photographs=chosen["test_photos"],
        tile=chosen["tile"],
        memory_budget=None if budget is None else parse_size("--memory-budget", budget),
    )


def _show(outcome: "Outcome", request: "Request") -> None:
    """The table in its parts, then every reason once with a letter that its rows carry."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from dmef_bench.reproduce.quick import SAYS
    from dmef_bench.reproduce.report import letter, marks_of, reasons_of, shown

    console = Console()
    if not console.is_terminal:
        console = Console(width=160 if len(outcome.measured) < 8 else 220)
    reasons = reasons_of(outcome)
    for section in outcome.sections:
        printed, rows = outcome.part(section)
        title = section or f"{outcome.table}: {outcome.caption}\n{outcome.dataset}"
        table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD)
        table.add_column("row", no_wrap=True)
        for heading in printed:
            table.add_column(Text(f"printed {heading}"), justify="right", style="italic")
        for heading in outcome.measured:
            table.add_column(heading, justify="right")
        table.add_column("why")
        for row in rows:
            figures = [
                *(shown(row.printed.get(key), outcome.digits.get(key, 0)) for key in printed),
                *(
                    shown(row.measured.get(key), outcome.digits.get(key, 0))
                    for key in outcome.measured
                ),
            ]
            table.add_row(Text(row.label), *figures, marks_of(row, reasons))
        console.print(table)
    for position, reason in enumerate(reasons):
        console.print(Text(f"{letter(position)}  {reason}"))
    for note in outcome.notes:
        console.print(Text(note))
    if request.quick:
        console.print(Text(SAYS, style="bold"))
    folder, name = request.folder(outcome.table), request.name(outcome.table)
    others = ", ".join([".json", *outcome.pictures])
    console.print(Text(f"{folder / name}.md (also {others})"))
