"""`dmef-bench build-dataset`: a folder of videos in, a dataset out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from dmef_bench.cli.options import (
    cluster_at,
    cluster_option,
    default_workers,
    dry_run_option,
    emit,
    format_option,
    limit_option,
    overwrite_option,
    quiet_option,
    seed_option,
    workers_option,
)
from dmef_bench.errors import ScenesFailedError, UsageError

if TYPE_CHECKING:
    from dmef_bench.dataset import BuildPlan, BuildReport, RejectionRecord


def _evs(_: click.Context, __: click.Parameter, text: str) -> tuple[float, float, float]:
    try:
        low, mid, high = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r}: three numbers with commas, as -1.5,0.5,2.5") from None
    return low, mid, high


def _range(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[float, float] | Literal["none"] | None:
    if text is None:
        return None
    if text == "none":
        return "none"
    try:
        least, most = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r}: two numbers with a comma, or none") from None
    return least, most


@click.command("build-dataset")
@click.argument("videos", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("4k-dmef"),
    show_default=True,
    help="The dataset's folder; one built with the same settings is extended.",
)
@click.option(
    "--min-height",
    type=click.IntRange(min=1),
    default=2160,
    show_default=True,
    help="Turn down videos whose shorter side has fewer pixels.",
)
@click.option(
    "--hdr",
    type=click.Choice(["reject", "tonemap"]),
    default="reject",
    show_default=True,
    help="What to do with HLG and PQ videos.",
)
@click.option(
    "--spacing",
    type=float,
    default=None,
    metavar="SECONDS",
    help="Time between the three frames.  [default: chosen by the motion seen]",
)
@click.option(
    "--scenes-per-video",
    type=click.IntRange(1, 50),
    default=1,
    show_default=True,
    help="The most scenes one video gives, in different shots or at least 2 s apart.",
)
@click.option(
    "--near-duplicates",
    type=click.Choice(["refuse", "keep"]),
    default="refuse",
    show_default=True,
    help="What to do with scenes that look like another one.",
)
@click.option(
    "--model",
    default="sigmoid",
    show_default=True,
    help="Camera response: sigmoid, beta, betagamma, gamma or preferred; with parameters as in "
    "sigmoid:n=0.85,sigma=0.6.",
)
@click.option(
    "--evs",
    default="-1.5,0.5,2.5",
    show_default=True,
    callback=_evs,
    help="Exposure values of low, mid and high relative to the ground truth.",
)
@click.option(
    "--all-exposures", is_flag=True, help="Write all nine pictures: three frames, three exposures."
)
@click.option(
    "--track",
    type=click.Choice(["paper", "camera", "both"]),
    default="paper",
    show_default=True,
    help="How exposures are made: alike in all scenes and without noise; by a camera drawn for "
    "each scene, with noise; or both over the same frames.",
)
@click.option(
    "--ev-jitter",
    type=click.FloatRange(min=0),
    default=None,
    metavar="STOPS",
    help="Camera track: each EV is moved by up to so much.  [default: 0.3]",
)
@click.option(
    "--noise",
    callback=_range,
    default=None,
    metavar="LEAST,MOST|none",
    help="Camera track: shot noise, the variance per unit of light.  [default: 0.0001,0.012]",
)
@click.option(
    "--jpeg",
    callback=_range,
    default=None,
    metavar="LEAST,BEST|none",
    help="Camera track: quality of a JPEG round trip.  [default: none]",
)
@click.option("--name", default="4K-DMEF", show_default=True, help="The dataset's name.")
@click.option(
    "--license",
    "licence",
    default="other",
    show_default=True,
    help="Licence of the pictures, as the Hugging Face Hub spells it.",
)
@seed_option
@limit_option
@workers_option
@cluster_option
@dry_run_option
@overwrite_option
@format_option
@quiet_option
def command(
    videos: Path,
    output: Path,
    min_height: int,
    hdr: Literal["reject", "tonemap"],
    spacing: float | None,
    scenes_per_video: int,
    near_duplicates: Literal["refuse", "keep"],
    model: str,
    evs: tuple[float, float, float],
    all_exposures: bool,
    track: Literal["paper", "camera", "both"],
    ev_jitter: float | None,
    noise: tuple[float, float] | Literal["none"] | None,
    jpeg: tuple[float, float] | Literal["none"] | None,
    name: str,
    licence: str,
    seed: int,
    limit: int | None,
    workers: int | None,
    cluster: str | None,
    dry_run: bool,
    overwrite: bool,
    output_format: str,
    quiet: bool,
) -> None:
    """Turn the videos in the folder VIDEOS into a 4K-DMEF dataset.

    Videos that can't be used are listed with the reason, at the end and in dataset.json. After an
    interruption the same command goes on where it was; with more videos in the folder it extends
    the dataset.
    """
    from dmef_bench.work import prepare

    if cluster is None and not dry_run:
        prepare("dmef_bench.dataset.make_scene")  # while this process imports the same

    from dmef_bench.dataset import (
        BuildSettings,
        NoUsableVideosError,
        build_dataset,
        plan_build,
    )

    settings = BuildSettings(
        name=name,
        min_height=min_height,
        hdr=hdr,
        spacing=spacing,
        scenes_per_video=scenes_per_video,
        near_duplicates=near_duplicates,
        model=model,
        evs=evs,
        all_exposures=all_exposures,
        track=track,
        **_camera_settings(ev_jitter, noise, jpeg),
        seed=seed,
        licence=licence,
    )
    workers = workers or default_workers()
    if dry_run:
        plan = plan_build(
            videos, output, settings,
            workers=workers, limit=limit, overwrite=overwrite, quiet=quiet,
        )  # fmt: skip
        emit(output_format, _plan_data(plan), lambda: _show_plan(plan))
        return
    try:
        with cluster_at(cluster, quiet=quiet) as place:
            report = build_dataset(
                videos, output, settings,
                workers=workers, cluster=place, limit=limit, overwrite=overwrite, quiet=quiet,
            )  # fmt: skip
    except NoUsableVideosError as error:
        rejected = error.rejected
        emit(
            output_format,
            {"rejected": [rejection.model_dump() for rejection in rejected]},
            lambda: _show_rejected(rejected),
        )
        raise
    emit(output_format, _report_data(report), lambda: None if quiet else _show_report(report))
    if report.failed:
        raise ScenesFailedError(
            "; ".join(f"{name}: {reason}" for name, reason in report.failed.items())
            + ". The other videos are finished and kept. Run the same command again, or move "
            "these videos out of the folder to build without them."
        )


def _camera_settings(
    ev_jitter: float | None,
    noise: tuple[float, float] | Literal["none"] | None,
    jpeg: tuple[float, float] | Literal["none"] | None,
) -> dict[str, Any]:
    """What was given of the camera track's options."""
    given: dict[str, Any] = {} if ev_jitter is None else {"ev_jitter": ev_jitter}
    if noise is not None:
        given["noise"] = None if noise == "none" else noise
    if jpeg is not None:
        given["jpeg"] = None if jpeg == "none" else _qualities(*jpeg)
    return given


def _qualities(least: float, best: float) -> tuple[int, int]:
    if not (least.is_integer() and best.is_integer()):
        raise UsageError(f"--jpeg {least:g},{best:g}: qualities are whole numbers")
    return int(least), int(best)


def _report_data(report: "BuildReport") -> dict[str, object]:
    return {
        "output": str(report.output),
        "digest": report.digest,
        "scenes": report.scenes,
        "added": report.added,
        "rejected": [rejection.model_dump() for rejection in report.rejected],
        "failed": report.failed,
    }


def _plan_data(plan: "BuildPlan") -> dict[str, object]:
    return {
        "kept": plan.kept,
        "taken": plan.taken,
        "rejected": [rejection.model_dump() for rejection in plan.rejected],
        "failed": plan.failed,
    }


def _show_report(report: "BuildReport") -> None:
    _show_rejected(report.rejected)
    if report.digest is not None:
        counts = " + ".join(f"{count} {split}" for split, count in report.scenes.items())
        click.echo(f"{report.output}: {counts} scenes, {report.added} of them new")
        click.echo(f"digest {report.digest}")


def _show_plan(plan: "BuildPlan") -> None:
    for name in plan.kept:
        click.echo(f"keep  {name}")
    for name in plan.taken:
        click.echo(f"take  {name}")
    for name, reason in plan.failed.items():
        click.echo(f"fail  {name}: {reason}")
    _show_rejected(plan.rejected)


def _show_rejected(rejected: "tuple[RejectionRecord, ...]") -> None:
    if not rejected:
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Not taken", title_justify="left", box=box.SIMPLE)
    for column in ("video", "why", "in words"):
        table.add_column(column, overflow="fold")
    for rejection in rejected:
        table.add_row(Text(rejection.name), rejection.code, Text(rejection.reason))
    Console().print(table)
