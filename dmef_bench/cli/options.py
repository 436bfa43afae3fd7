"""Options that several verbs share, so that they mean the same everywhere."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dmef_bench.work import Cluster

format_option = click.option(
    "--format", "output_format", type=click.Choice(["human", "json"]), default="human",
    show_default=True, help="What is printed on stdout.",
)  # fmt: skip
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."
)
PRECISIONS = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


def precision_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--precision, whose values are torch's own names: fp16 arrives as float16.

    Args:
        what: the help's sentence on it.
    """
    return click.option(
        "--precision",
        type=click.Choice([*PRECISIONS, *PRECISIONS.values()]),
        default="fp32",
        show_default=True,
        callback=lambda _context, _parameter, value: PRECISIONS.get(value, value),
        help=what,
    )


linear_option = click.option(
    "--linear", type=click.Choice(["gamma", "response"]), default=None,
    help="How a learned baseline's exposures become linear light: by a gamma of 2.2, or by the "
    "bracket's known camera response.  [default: as the weights say]",
)  # fmt: skip
workers_option = click.option(
    "--workers", type=click.IntRange(min=1), default=None,
    help="Processes at work.  [default: the number of cores, at most 8]",
)  # fmt: skip
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=None, help="Take only the first N."
)
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and stop.")
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace what an earlier run with other settings left."
)
cluster_option = click.option(
    "--cluster", metavar="ADDRESS", default=None,
    help="Work on a Dask cluster: tcp://HOST:PORT, tls://HOST:PORT or the path of a scheduler "
    "file (docs/cluster.md). With --dry-run nothing is sent there.",
)  # fmt: skip
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress bar, errors only.")


def default_workers() -> int:
    """As many processes as this process may use cores, at most 8."""
    return min(8, len(os.sched_getaffinity(0)))


def emit(output_format: str, data: object, human: Callable[[], Any]) -> None:
    """Print `data` as JSON on stdout, or call `human` to print it for people."""
    if output_format == "json":
        json.dump(data, sys.stdout, indent=2, ensure_ascii=True)
        sys.stdout.write("\n")
    else:
        human()


@contextmanager
def cluster_at(address: str | None, *, quiet: bool) -> Iterator["Cluster | None"]:
    """The cluster that --cluster names for as long as the block runs, None where it names none."""
    if address is None:
        yield None
        return
    from dmef_bench.work import connected

    with connected(address, quiet=quiet) as cluster:
        yield cluster
