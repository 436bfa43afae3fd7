"""`dmef-bench train`: train a learned method, or go on with a training that was stopped."""

from pathlib import Path
from typing import Literal

import click

from dmef_bench.cli.loading import torch_device
from dmef_bench.cli.options import (
    default_workers,
    device_option,
    emit,
    format_option,
    overwrite_option,
    quiet_option,
    seed_option,
    workers_option,
)
from dmef_bench.errors import UsageError

GENERATED = "generated"


@click.command("train")
@click.option("--method", required=True, help="The method to train, for example ipl.")
@click.option(
    "--data", default=GENERATED, show_default=True,
    help="A built dataset (its train split), or 'generated' for scenes made on the fly.",
)  # fmt: skip
@click.option(
    "--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), default=None,
    help="Also train on the photographs in this folder, set in motion: every other sample.",
)  # fmt: skip
@click.option(
    "--track", type=click.Choice(["paper", "camera"]), default=None,
    help="How brackets are exposed: alike and without noise, or by a camera drawn for each "
    "sample, with noise.  [default: paper, or the dataset's first]",
)  # fmt: skip
@click.option("--steps", type=click.IntRange(min=1), required=True, help="Optimiser steps.")
@click.option("--batch", type=click.IntRange(min=1), default=4, show_default=True)
@click.option(
    "--crop", type=click.IntRange(min=32), default=192, show_default=True,
    help="Side of the training crops in pixels.",
)  # fmt: skip
@click.option(
    "--learning-rate", type=click.FloatRange(min=0, min_open=True), default=2e-4,
    show_default=True, help="Peak of the cosine schedule.",
)  # fmt: skip
@click.option(
    "--set", "options", multiple=True, metavar="KEY=VALUE",
    help="A field of the method's configuration, for example lfe=equation, or for a baseline "
    "configuration=ipl_table1; may be repeated.",
)  # fmt: skip
@click.option(
    "--stage", type=click.Choice(["s1", "s2"]), default=None,
    help="Train FSHDR by its own stages: s1 on few labelled and many unlabelled scenes, then s2 "
    "also on pairs synthesised with s1's weights.",
)  # fmt: skip
@click.option(
    "--labelled", type=click.IntRange(min=0), default=None,
    help="How many scenes of a stage have a ground truth.  [default: 5]",
)  # fmt: skip
@click.option(
    "--stage-one", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
    help="Weights of stage s1, for stage s2.",
)  # fmt: skip
@click.option(
    "--validate-every", type=click.IntRange(min=1), default=500, show_default=True,
    help="Steps between validations on held-out generated scenes.",
)  # fmt: skip
@click.option(
    "--validation-scenes", type=click.IntRange(min=1), default=8, show_default=True,
    help="How many held-out scenes.",
)  # fmt: skip
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=None,
    help="Stop with a checkpoint after this time; the same command goes on from there.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True,
    help="Folder for checkpoint, log.csv and weights.safetensors; a training found there is "
    "resumed.",
)  # fmt: skip
@seed_option
@device_option
@workers_option
@overwrite_option
@format_option
@quiet_option
def command(
    method: str,
    data: str,
    photos: Path | None,
    track: Literal["paper", "camera"] | None,
    steps: int,
    batch: int,
    crop: int,
    learning_rate: float,
    options: tuple[str, ...],
    stage: Literal["s1", "s2"] | None,
    labelled: int | None,
    stage_one: Path | None,
    validate_every: int,
    validation_scenes: int,
    minutes: float | None,
    out: Path,
    seed: int,
    device: str,
    workers: int | None,
    overwrite: bool,
    output_format: str,
    quiet: bool,
) -> None:
    """Train a learned method on generated scenes, photographs in motion or a dataset.

    Weights are written to OUT/weights.safetensors; use them with `run --weights`.
    """
    from dmef_bench.training import TrainSettings, find_recipe, forget, make_source, staged, train

    recipe = find_recipe(method)
    settings = TrainSettings(
        steps=steps, batch=batch, seed=seed, learning_rate=learning_rate,
        options=_pairs(options), validate_every=validate_every,
        validation_scenes=validation_scenes,
    )  # fmt: skip
    source = make_source(None if data == GENERATED else Path(data), photos, crop, track)
    if stage is not None:
        recipe, source = staged(recipe, source, stage, labelled, stage_one, batch)
    elif labelled is not None or stage_one is not None:
        raise UsageError("--labelled and --stage-one belong to a --stage")
    if overwrite:
        forget(out)
    report = train(
        recipe, source, settings, out,
        device=torch_device(device), workers=workers or default_workers(), minutes=minutes,
        quiet=quiet,
    )  # fmt: skip
    facts = {
        "step": report.step,
        "finished": report.finished,
        "validation_psnr": report.psnr,
        "weights": str(report.weights),
    }

    def human() -> None:
        state = "finished" if report.finished else f"stopped at step {report.step}; not finished"
        quality = "" if report.psnr is None else f", {report.psnr:.2f} dB on held-out scenes"
        click.echo(f"{state}{quality}: {report.weights}")

    emit(output_format, facts, human)


def _pairs(options: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(option.partition("=")[::2] for option in options)
    for option in options:
        if "=" not in option:
            raise UsageError(f"--set takes KEY=VALUE, got {option!r}")
    return pairs
