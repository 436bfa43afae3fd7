"""`dmef-bench verify`: is every byte of a dataset what its manifest says?"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dmef_bench.cli.options import (
    default_workers,
    emit,
    format_option,
    quiet_option,
    workers_option,
)
from dmef_bench.errors import IntegrityError

if TYPE_CHECKING:
    from dmef_bench.dataset import VerifyReport


@click.command("verify")
@click.argument("dataset", type=click.Path(exists=True, file_okay=False, path_type=Path))
@workers_option
@format_option
@quiet_option
def command(dataset: Path, workers: int | None, output_format: str, quiet: bool) -> None:
    """Find every missing, extra or altered byte in the folder DATASET.

    Ends with exit code 4 where there is one.
    """
    from dmef_bench.dataset import verify

    report = verify(dataset, workers=workers or default_workers(), quiet=quiet)
    emit(output_format, _data(report), lambda: _show(report, quiet=quiet))
    if not report.ok:
        raise IntegrityError(
            f"{dataset}: {len(report.problems)} of its files are not as its manifest says, or the "
            "manifest is broken; see the list"
        )


def _data(report: "VerifyReport") -> dict[str, object]:
    return {
        "path": str(report.path),
        "ok": report.ok,
        "digest": report.digest,
        "files": report.files,
        "bytes": report.size,
        "problems": [dataclasses.asdict(problem) for problem in report.problems],
    }


def _show(report: "VerifyReport", *, quiet: bool) -> None:
    for problem in report.problems:
        click.echo(f"{problem.kind}  {problem.name}  {problem.detail}")
    if report.ok and not quiet:
        click.echo(f"{report.path}: {report.files} files, {report.size:,} bytes, all as they were")
        click.echo(f"digest {report.digest}")
