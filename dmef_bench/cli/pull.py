"""`dmef-bench pull`: fetch a dataset from a Hugging Face Hub."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dmef_bench.cli.options import emit, format_option, quiet_option

if TYPE_CHECKING:
    from dmef_bench.dataset.hub import PullReport


@click.command("pull")
@click.argument("repository", metavar="ORG/NAME[@REVISION]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=None,
    help="The dataset's folder.  [default: NAME]",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1, max=64),
    default=8,
    show_default=True,
    help="Connections at a time.",
)
@format_option
@quiet_option
def command(
    repository: str, output: Path | None, workers: int, output_format: str, quiet: bool
) -> None:
    """Fetch a dataset from the Hugging Face Hub; every byte is proved.

    REVISION is a branch, a tag or a commit; the commit it stands for is printed and noted beside
    the dataset. After an interruption the same command goes on where it was, at the same commit.
    """
    from dmef_bench.dataset.hub import pull, silence_library

    silence_library()
    report = pull(repository, output, workers=workers, quiet=quiet)
    emit(output_format, _data(report), lambda: None if quiet else _show(report))


def _data(report: "PullReport") -> dict[str, object]:
    return {
        "output": str(report.output),
        "repository": report.origin.repository,
        "endpoint": report.origin.endpoint,
        "requested": report.origin.requested,
        "revision": report.origin.commit,
        "digest": report.digest,
        "files": report.files,
        "bytes": report.size,
        "fetched": report.fetched,
        "received": report.received,
    }


def _show(report: "PullReport") -> None:
    what = (
        f"{report.fetched} of them fetched, every byte proved"
        if report.fetched
        else "all there already"
    )
    click.echo(f"{report.output}: {report.files} files, {report.size:,} bytes, {what}")
    click.echo(f"revision {report.origin.commit}")
    click.echo(f"digest {report.digest}")
