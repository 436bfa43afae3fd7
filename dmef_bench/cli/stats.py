"""`dmef-bench stats`: what the scenes of a dataset are like, in figures, plots and pictures."""

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

if TYPE_CHECKING:
    from dmef_bench.dataset import Dataset
    from dmef_bench.dataset.statistics import SceneFigures


# Wide enough for every column, so that no figure is cut where the output goes to a file.
_PIPE_WIDTH = 120


@click.command("stats")
@click.argument("dataset", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Write a contact sheet of all scenes and the plots into this folder, as PNG.",
)
@workers_option
@format_option
@quiet_option
def command(
    dataset: Path, output: Path | None, workers: int | None, output_format: str, quiet: bool
) -> None:
    """Say how the scenes in the folder DATASET move, clip and are exposed.

    What a dataset of an earlier version does not record is measured from its pictures where they
    show it, and else said to be not recorded.
    """
    from dmef_bench.dataset import open_dataset
    from dmef_bench.dataset.layout import refuse_inside
    from dmef_bench.dataset.statistics import dataset_scenes, look_at

    if output is not None:
        refuse_inside(dataset, output)
    opened = open_dataset(dataset)
    scenes, tiles = look_at(
        dataset_scenes(opened),
        tiles=output is not None,
        workers=workers or default_workers(),
        quiet=quiet,
    )
    files = []
    if output is not None:
        from dmef_bench.dataset.statistics_files import write_statistics

        files = write_statistics(output, scenes, tiles)
    emit(output_format, _data(opened, scenes, files), lambda: _show(opened, scenes, files))


def _data(dataset: "Dataset", scenes: "list[SceneFigures]", files: list[Path]) -> dict[str, object]:
    from dmef_bench.dataset.statistics import FIGURES, spreads

    return {
        "path": str(dataset.path),
        "digest": dataset.digest,
        "scenes": dataset.record.scenes,
        "videos": len({scene.video for scene in scenes}),
        "rejected": len(dataset.record.rejected),
        "figures": {
            name: {"unit": FIGURES[name], **dataclasses.asdict(spread)}
            for name, spread in spreads(scenes).items()
            if spread is not None
        },
        "not_recorded": [name for name, spread in spreads(scenes).items() if spread is None],
        "by_scene": {scene.id: scene.figures for scene in scenes},
        "files": [str(file) for file in files],
    }


def _show(dataset: "Dataset", scenes: "list[SceneFigures]", files: list[Path]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from dmef_bench.dataset.statistics import FIGURES, spreads

    counts = " + ".join(f"{count} {split}" for split, count in dataset.record.scenes.items())
    videos = len({scene.video for scene in scenes})
    click.echo(f"{dataset.path}: {counts} scenes of {videos} videos")
    table = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    for heading in ("", "unit", "scenes", "least", "median", "mean", "95 %", "most"):
        left = heading in ("", "unit")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True)
    found = spreads(scenes)
    for name, spread in found.items():
        if spread is not None:
            values = (spread.least, spread.median, spread.mean, spread.p95, spread.most)
            table.add_row(name, FIGURES[name], str(spread.scenes), *map(_shown, values))
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH)
    console.print(table)
    missing = [name for name in found if found[name] is None and not name.startswith("camera_")]
    if missing:
        click.echo(f"not recorded: {', '.join(missing)}")
    for file in files:
        click.echo(f"wrote {file}")


def _shown(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
