"""`dmef-bench import`: public bracketed datasets into the form that every other verb takes."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from dmef_bench.cli.options import emit, format_option, overwrite_option, quiet_option
from dmef_bench.errors import ScenesFailedError, UsageError

if TYPE_CHECKING:
    from dmef_bench.dataset.importers import Found, ImportReport

_SHARED = (
    click.argument("folder", metavar="DIR", type=click.Path(path_type=Path)),
    click.option(
        "-o", "--output", type=click.Path(path_type=Path), default=None,
        help="The dataset's folder.  [default: named after the dataset]",
    ),
    click.option(
        "--link", is_flag=True,
        help="Hard links to the files in DIR instead of copies, where that is possible.",
    ),
    click.option(
        "--skip-broken", is_flag=True,
        help="Finish the dataset without broken scenes (they are still named, exit code 1).",
    ),
    overwrite_option,
    format_option,
    quiet_option,
)  # fmt: skip


def _import_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_SHARED):
        command = option(command)
    return command


@click.group("import")
def command() -> None:
    """Import a public bracketed dataset, its ground truth being linear light.

    What is expected where, and how such a dataset is measured: docs/public-datasets.md.
    """


@command.command("kalantari")
@_import_options
def kalantari(folder: Path, **options: Any) -> None:  # noqa: ANN401 - see `_run`
    """Kalantari and Ramamoorthi 2017: DIR holds Training/ and Test/ as distributed."""
    from dmef_bench.dataset.importers import find_kalantari

    _run(find_kalantari(folder), "kalantari", **options)


@command.command("mobile-hdr")
@click.option(
    "--planes",
    type=click.Choice(["rggb", "bggr"]),
    default="rggb",
    show_default=True,
    help="Order of the four colour planes; the default is that of the authors' code.",
)
@_import_options
def mobile_hdr(folder: Path, planes: Literal["rggb", "bggr"], **options: Any) -> None:  # noqa: ANN401
    """Mobile-HDR (Liu et al. 2023): DIR holds NPZ_data/ as distributed."""
    from dmef_bench.dataset.importers import find_mobile_hdr

    _run(find_mobile_hdr(folder, planes), "mobile-hdr", **options)


@command.command("folders")
@click.option(
    "--pattern", required=True, help="Of the three exposures' file names in a scene, as '*.tif'."
)
@click.option(
    "--truth", default="HDRImg.hdr", show_default=True,
    help="File name of the ground truth: .hdr or float .tif, linear light.",
)  # fmt: skip
@click.option(
    "--exposure-file", default="exposure.txt", show_default=True,
    help="File name of the three EVs of a scene.",
)  # fmt: skip
@click.option(
    "--ev", default=None, metavar="A,B,C",
    help="EVs of the exposures in order of their names, instead of a file in each scene.",
)  # fmt: skip
@click.option(
    "--fit-scale", is_flag=True,
    help="Scale each ground truth to the brightness that its mid exposure says.",
)  # fmt: skip
@click.option("--name", default="bracketed-folders", show_default=True, help="Of the dataset.")
@click.option("--citation", default="", help="Whose the pictures are.")
@_import_options
def bracketed_folders(
    folder: Path,
    pattern: str,
    truth: str,
    exposure_file: str,
    ev: str | None,
    fit_scale: bool,
    name: str,
    citation: str,
    **options: Any,  # noqa: ANN401
) -> None:
    """Other folders with three exposures and a ground truth each.

    A scene is of the train split where a folder on the way to it says train or training, and of
    the test split otherwise.
    """
    from dmef_bench.dataset.importers import find_bracketed_folders

    found = find_bracketed_folders(
        folder,
        pattern=pattern,
        truth=truth,
        exposure_file=exposure_file,
        evs=None if ev is None else _evs(ev),
        fit_scale=fit_scale,
        name=name,
        citation=citation,
    )
    _run(found, "bracketed-folders", **options)


def _evs(text: str) -> tuple[float, float, float]:
    try:
        low, mid, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--ev takes three numbers such as --ev=-2,0,2, got {text!r}") from None
    return low, mid, high


def _run(
    found: "Found",
    default_output: str,
    *,
    output: Path | None,
    link: bool,
    skip_broken: bool,
    overwrite: bool,
    output_format: str,
    quiet: bool,
) -> None:
    """Import and report.

    Raises:
        ScenesFailedError: scenes are broken; they are named.
    """
    from dmef_bench.dataset.importers import import_dataset

    report = import_dataset(
        found,
        output or Path(default_output),
        link=link,
        skip_broken=skip_broken,
        overwrite=overwrite,
        quiet=quiet,
    )
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    emit(output_format, _data(report), lambda: _show(report))
    if report.broken:
        lines = "".join(f"\n  {name}: {why}" for name, why in report.broken.items())
        kept = (
            "the others are imported"
            if report.digest
            else "mend them and run the same command again, or leave them out with --skip-broken"
        )
        raise ScenesFailedError(f"{len(report.broken)} scenes are broken; {kept}:{lines}")


def _data(report: "ImportReport") -> dict[str, object]:
    return {
        "path": str(report.path),
        "digest": report.digest,
        "scenes": report.scenes,
        "broken": report.broken,
        "notes": list(report.notes),
    }


def _show(report: "ImportReport") -> None:
    if report.digest is not None:
        counts = " + ".join(f"{count} {split}" for split, count in report.scenes.items())
        click.echo(f"{report.path}: {counts} scenes, digest {report.digest}")
