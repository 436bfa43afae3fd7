"""Options that several verbs share, so that they mean the same everywhere."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import click

format_option = click.option(
    "--format", "output_format", type=click.Choice(["human", "json"]), default="human",
    show_default=True, help="What is printed on stdout.",
)  # fmt: skip
device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."
)
workers_option = click.option(
    "--workers", type=click.IntRange(min=1), default=None,
    help="Processes at work.  [default: the number of cores, at most 8]",
)  # fmt: skip
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=None, help="Take only the first N."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True)
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and stop.")
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace what an earlier run with other settings left."
)
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
