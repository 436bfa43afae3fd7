"""`dmef-bench score`: score pictures that were made elsewhere."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from dmef_bench.cli.evaluation_options import (
    as_data,
    command_line,
    evaluation_options,
    print_summary,
)
from dmef_bench.cli.options import (
    cluster_at,
    cluster_option,
    device_option,
    emit,
    format_option,
    limit_option,
    overwrite_option,
    quiet_option,
)
from dmef_bench.errors import ScenesFailedError

if TYPE_CHECKING:
    from dmef_bench.evaluation import LpipsNet, ProtocolName


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--name", required=True, help="Of the method: lower case letters, digits and hyphens."
)
@click.option("--title", default=None, help="As printed in tables.  [default: the name]")
@click.option("--year", type=int, default=None, help="Of publication.  [default: this year]")
@click.option("--paper", default="", help="Citation.")
@click.option("--licence", default="", help="Of the code that made the pictures.")
@click.option(
    "--kind",
    type=click.Choice(["learned", "classical", "bound"]),
    default="learned",
    show_default=True,
)
@click.option(
    "--protocol",
    type=click.Choice(["native", "tiled", "paper"]),
    default="native",
    show_default=True,
    help="How the method was fed, for the record.",
)
@device_option
@evaluation_options
@cluster_option
@limit_option
@overwrite_option
@format_option
@quiet_option
def command(
    folder: Path,
    name: str,
    title: str | None,
    year: int | None,
    paper: str,
    licence: str,
    kind: Literal["learned", "classical", "bound"],
    protocol: "ProtocolName",
    device: str,
    data: Path,
    results: Path,
    split: str,
    track: str | None,
    lpips_net: "LpipsNet",
    lpips_backbone: Path | None,
    no_lpips: bool,
    pictures: int,
    cluster: str | None,
    limit: int | None,
    overwrite: bool,
    output_format: str,
    quiet: bool,
) -> None:
    """Score the pictures in FOLDER against a dataset's ground truth.

    They are named as their scenes: test/0001.png or 0001.png, also .tif or .jpg.
    """
    from dmef_bench.cli.loading import device_on_cluster, torch_device
    from dmef_bench.dataset import open_dataset
    from dmef_bench.evaluation import RunOptions, make_scorer, score_pictures
    from leaderboard.records import MethodRecord

    place = click.get_current_context().with_resource(cluster_at(cluster, quiet=quiet))
    options = RunOptions(
        results=results,
        split=split,
        track=track,
        protocol=protocol,
        device=device_on_cluster(device, place) if place else torch_device(device),
        pictures=pictures,
        limit=limit,
        overwrite=overwrite,
        quiet=quiet,
        command=command_line(),
    )
    method = MethodRecord(
        name=name,
        title=title or name,
        year=year or datetime.now(UTC).year,
        paper=paper,
        licence=licence,
        kind=kind,
    )
    dataset = open_dataset(data)
    scorer_for = partial(
        make_scorer,
        net=lpips_net,
        backbone=lpips_backbone and lpips_backbone.absolute(),
        lpips=not no_lpips,
    )
    result = score_pictures(
        folder, method, dataset, scorer_for(torch_device("cpu") if place else options.device),
        options, cluster=place, make_scorer=scorer_for,
    )  # fmt: skip
    emit(output_format, as_data(result), lambda: print_summary(result))
    if result.failed:
        raise ScenesFailedError(
            "the rest was scored, but these failed:\n  "
            + "\n  ".join(f"{sample.scene}: {sample.error}" for sample in result.failed)
        )
