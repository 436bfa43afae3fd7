"""`dmef-bench time`: how long a method takes on a picture of a given size."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dmef_bench.cli.memory_size import parse_size
from dmef_bench.cli.options import (
    device_option,
    emit,
    format_option,
    precision_option,
    quiet_option,
)
from dmef_bench.cli.picture_size import parse_picture_size
from dmef_bench.errors import ScenesFailedError

if TYPE_CHECKING:
    from dmef_bench.evaluation.call_times import CallTimes
    from leaderboard.records import Spread

CACHES = ("off", "exact", "approximate", "position")


@click.command("time")
@click.option("--method", default="ipl", show_default=True, help="Name, or FILE.py:Class.")
@click.option(
    "--size", "sizes", multiple=True, default=("1080p", "4k"), show_default=True,
    metavar="SIZE", help="1080p, 4k, 8k or WIDTHxHEIGHT; may be given again.",
)  # fmt: skip
@precision_option("Tensors of the network; the error against fp32 is told.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--cache", "caches", type=click.Choice(CACHES), multiple=True,
    help="Also time IPL with this mode of its attention cache; may be given again.",
)  # fmt: skip
@click.option(
    "--tolerance", type=click.FloatRange(min=0), default=0.05, show_default=True,
    help="Of --cache approximate.",
)  # fmt: skip
@click.option(
    "--max-memory", default="1GiB", show_default=True, metavar="SIZE",
    help="Bound of the streaming figure (IPL on a CPU).",
)  # fmt: skip
@click.option("--weights", type=click.Path(path_type=Path), default=None)
@click.option("--results", type=click.Path(path_type=Path), help="Write the figures as JSON.")
@device_option
@format_option
@quiet_option
def command(
    method: str,
    sizes: tuple[str, ...],
    precision: str,
    repeats: int,
    caches: tuple[Any, ...],
    tolerance: float,
    max_memory: str,
    weights: Path | None,
    results: Path | None,
    device: str,
    output_format: str,
    quiet: bool,
) -> None:
    """Time a method on generated pictures: cold, warm, streaming, and all around it.

    Each size has a process of its own. Cold is its first call, warm are later calls, both of the
    method alone; decoding, conversion and transfers are told apart.
    """
    import json
    from dataclasses import asdict

    from dmef_bench.atomic_write import atomic_write
    from dmef_bench.cli.loading import method_class, torch_device
    from dmef_bench.evaluation.call_times import TimeOptions, time_alone
    from dmef_bench.evaluation.method_call import MethodFailedError
    from dmef_bench.evaluation.timing_pictures import SMALLEST_SIDE
    from dmef_bench.progress import progress_bar

    wanted = {name: parse_picture_size("--size", name, SMALLEST_SIDE) for name in sizes}
    method_class(method)
    options = TimeOptions(
        method=method,
        weights=weights,
        device=str(torch_device(device)),
        precision=precision,
        repeats=repeats,
        caches=caches,
        tolerance=tolerance,
        stream_bytes=parse_size("--max-memory", max_memory),
    )
    times: dict[str, CallTimes] = {}
    failed: dict[str, str] = {}
    with progress_bar(quiet=quiet) as bar:
        for name, size in bar.track(wanted.items(), description=f"time {method}"):
            try:
                times[name] = time_alone(options, *size)
            except MethodFailedError as error:
                failed[name] = str(error)
    settings = {key: value for key, value in asdict(options).items() if key != "weights"}
    data = {
        **settings,
        "sizes": {name: asdict(one) for name, one in times.items()},
        "failed": failed,
    }
    data = json.loads(json.dumps(data, default=lambda record: record.model_dump()))
    if results is not None:
        atomic_write(results, (json.dumps(data, indent=2) + "\n").encode("ascii"))
    emit(output_format, data, lambda: _show(times))
    if failed:
        raise ScenesFailedError(
            "; ".join(f"{method} at {name}: {reason}" for name, reason in failed.items())
        )


def _show(times: "dict[str, CallTimes]") -> None:
    from rich.console import Console
    from rich.table import Table

    if not times:
        return
    console = Console()
    first = next(iter(times.values()))
    console.print(first.machine["device"], markup=False, highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("seconds", no_wrap=True)
    for name in times:
        table.add_column(name, justify="right", no_wrap=True)
    for title, cells in _rows(list(times.values())):
        if any(cell != "-" for cell in cells):
            table.add_row(title, *cells)
    console.print(table)


def _rows(times: "list[CallTimes]") -> list[tuple[str, list[str]]]:
    rows = [
        ("decode three PNG", [_median(one.decode) for one in times]),
        ("8 bit to float32", [_median(one.to_float) for one in times]),
        ("host to device", [_median(one.upload) for one in times]),
        ("load the method", [f"{one.load:.4g}" for one in times]),
        ("cold, first call", [f"{one.cold:.4g}" for one in times]),
        ("warm, same picture", [_median(one.warm) for one in times]),
        ("warm, processor", [f"{one.warm_processor:.4g}" for one in times]),
        ("warm, next picture", [_median(one.next_picture) for one in times]),
        ("device to host", [_median(one.download) for one in times]),
        ("clip and round", [_median(one.to_eight_bit) for one in times]),
    ]
    for place, cache in enumerate(times[0].caches):
        kept = [one.caches[place] for one in times]
        rows += [
            (f"cache {cache.mode}, first", [f"{one.first_seconds:.4g}" for one in kept]),
            (f"cache {cache.mode}, same", [f"{one.same_picture_seconds:.4g}" for one in kept]),
            (
                f"cache {cache.mode}, next (hits)",
                [
                    f"{one.next_picture_seconds:.4g} ({one.next_picture_hits}/{one.blocks})"
                    for one in kept
                ],
            ),
        ]
    streams = [one.streaming for one in times]
    rows += [
        ("streaming", [f"{one.seconds:.4g}" if one else "-" for one in streams]),
        ("streaming, peak MB", [_megabytes(one.peak_bytes if one else None) for one in streams]),
        ("peak MB, first call", [_megabytes(one.peak_bytes) for one in times]),
        ("load average", [f"{one.load_average:.1f}" for one in times]),
        ("relative error", [_number(one.relative_error) for one in times]),
        ("largest error", [_number(one.largest_error) for one in times]),
    ]
    return rows


def _median(spread: "Spread | None") -> str:
    return f"{spread.median:.4g}" if spread else "-"


def _megabytes(count: int | None) -> str:
    return "-" if count is None else f"{count / 1e6:,.0f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"
