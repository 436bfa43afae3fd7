"""`dmef-bench push`: share a dataset at a Hugging Face Hub."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dmef_bench.cli.options import (
    default_workers,
    dry_run_option,
    emit,
    format_option,
    quiet_option,
    workers_option,
)

if TYPE_CHECKING:
    from dmef_bench.dataset.hub import PushReport


@click.command("push")
@click.argument("repository", metavar="ORG/NAME")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("4k-dmef"),
    show_default=True,
    help="The dataset to share.",
)
@click.option("--private", is_flag=True, help="Only the owners may see it.")
@click.option(
    "--others-pictures",
    is_flag=True,
    help="Share an imported dataset too: its authors let you.",
)
@click.option("--revision", metavar="BRANCH", help="Branch to push to.  [default: the main branch]")
@workers_option
@dry_run_option
@format_option
@quiet_option
def command(
    repository: str,
    data: Path,
    private: bool,
    others_pictures: bool,
    revision: str | None,
    workers: int | None,
    dry_run: bool,
    output_format: str,
    quiet: bool,
) -> None:
    """Share a dataset at the Hugging Face Hub as ORG/NAME, or bring what is there up to date.

    The dataset is verified first. What the Hub holds already is not sent again, also after an
    interruption. HF_TOKEN or `hf auth login` say who you are, HF_ENDPOINT another Hub.
    """
    from dmef_bench.dataset.hub import push, silence_library

    silence_library()
    report = push(
        repository,
        data,
        private=private,
        others_pictures=others_pictures,
        revision=revision,
        dry_run=dry_run,
        workers=workers or default_workers(),
        quiet=quiet,
    )
    emit(
        output_format,
        _data(report, dry_run),
        lambda: None if quiet else _show(report, dry_run=dry_run),
    )


def _data(report: "PushReport", dry_run: bool) -> dict[str, object]:
    return {
        "repository": report.repository,
        "page": report.page,
        "revision": report.commit,
        "digest": report.digest,
        "files": report.files,
        "added": list(report.added),
        "bytes": report.size,
        "removed": list(report.removed),
        "created": report.created,
        "dry_run": dry_run,
    }


def _show(report: "PushReport", *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    if report.created:
        click.echo(f"{report.repository}: {would}created")
    if report.commit is not None and not report.added and not report.removed:
        click.echo(f"{report.page}: holds all {report.files} files already")
    else:
        removed = f", {len(report.removed)} removed" if report.removed else ""
        click.echo(
            f"{report.page}: {len(report.added)} of {report.files} files, {report.size:,} bytes "
            f"{would}sent{removed}"
        )
    if report.commit is not None:
        click.echo(f"revision {report.commit}")
    click.echo(f"digest {report.digest}")
