"""`dmef-bench train`: train a learned method, or go on with a training that was stopped."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
from dmef_bench.cli.train_options import HowToTrain, training_options
from dmef_bench.errors import UsageError

if TYPE_CHECKING:
    from dmef_bench.training import TrainReport

GENERATED = "generated"


@click.command("train")
@click.option(
    "--method", "methods", required=True, multiple=True,
    help="The method to train, for example ipl; repeated, or 'all' for every one: they are "
    "trained one after the other on the same samples, each in OUT/METHOD.",
)  # fmt: skip
@click.option(
    "--data", default=GENERATED, show_default=True,
    help="A built dataset (its train split), or 'generated' for scenes made on the fly.",
)  # fmt: skip
@click.option(
    "--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), default=None,
    help="Also train on the photographs in this folder, set in motion: every other sample.",
)  # fmt: skip
@click.option(
    "--track", type=click.Choice(["paper", "camera", "both"]), default=None,
    help="How brackets are exposed: alike and without noise, by a camera drawn for each sample "
    "with noise, or half of them either way.  [default: paper, or the dataset's first]",
)  # fmt: skip
@click.option("--steps", type=click.IntRange(min=1), required=True, help="Optimiser steps.")
@training_options
@click.option(
    "--context", type=click.Choice(["crop", "whole-picture"]), default="crop", show_default=True,
    help="What a network's global context is made of while training: the crop alone, or a small "
    "copy of the picture around it, which is four times as wide.",
)  # fmt: skip
@click.option(
    "--data-on-device", is_flag=True,
    help="Keep photographs and a stock of generated scenes on the device and make whole batches "
    "there, instead of by --workers on the CPU.",
)  # fmt: skip
@click.option(
    "--device-scenes", type=click.IntRange(min=0), default=128, show_default=True,
    help="How many generated scenes that stock holds.",
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
    "--start-from", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
    help="Weights of the method to begin with instead of random numbers.",
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
    help="Stop with a checkpoint after this time, which several methods share; the same command "
    "goes on from there.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True,
    help="Folder for checkpoint, log.csv, log.png and weights.safetensors; a training found there "
    "is resumed.",
)  # fmt: skip
@seed_option
@device_option
@workers_option
@overwrite_option
@format_option
@quiet_option
def command(
    methods: tuple[str, ...],
    data: str,
    photos: Path | None,
    track: Literal["paper", "camera", "both"] | None,
    steps: int,
    how: HowToTrain,
    context: Literal["crop", "whole-picture"],
    data_on_device: bool,
    device_scenes: int,
    options: tuple[str, ...],
    stage: Literal["s1", "s2"] | None,
    labelled: int | None,
    stage_one: Path | None,
    start_from: Path | None,
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

    Weights are written to OUT/weights.safetensors; use them with `run --weights`. Of several
    methods, one that fails is named at the end and the others are trained. On several GPUs:
    `torchrun --nproc-per-node N -m dmef_bench train ...`.
    """
    from dmef_bench.training import (
        BatchSource,
        Source,
        find_recipe,
        make_device_source,
        make_source,
        staged,
        started_by_torchrun,
        starting_from,
        train,
    )
    from dmef_bench.training.several import methods_named, name_failures, train_several

    with started_by_torchrun() as ranks:
        names = methods_named(methods)
        several = len(names) > 1 or "all" in methods
        if several and (options or stage is not None or start_from is not None):
            raise UsageError(
                "--set, --stage and --start-from belong to one method; name it alone with --method"
            )
        around = context == "whole-picture"
        if around and not all(find_recipe(name).context for name in names):
            raise UsageError(
                f"--context {context} is for methods whose context is global, such as ipl"
            )
        if stage is not None and (around or data_on_device):
            raise UsageError("--context whole-picture and --data-on-device don't go with a --stage")
        if data_on_device and data != GENERATED:
            raise UsageError("--data-on-device is for generated scenes and --photos, not a dataset")
        if stage is not None and start_from is not None:
            raise UsageError("--start-from doesn't go with a --stage; stage s2 has --stage-one")
        if stage is None and (labelled is not None or stage_one is not None):
            raise UsageError("--labelled and --stage-one belong to a --stage")
        with ranks.together():
            place = ranks.own(torch_device(device))
        processes = workers or max(1, default_workers() // ranks.on_machine)

        @functools.cache
        def source_of(crop: int) -> Source | BatchSource:
            if data_on_device:
                return make_device_source(
                    photos, crop, track, place, scenes=device_scenes, seed=seed, context=around,
                    workers=processes, quiet=quiet or not ranks.first,
                )  # fmt: skip
            dataset = None if data == GENERATED else Path(data)
            return make_source(dataset, photos, crop, track, context=around)

        def train_one(name: str, folder: Path, share: float | None) -> "TrainReport":
            with ranks.together():
                recipe, settings, crop = how.of(
                    find_recipe(name), steps=steps, seed=seed, options=_pairs(options),
                    validate_every=validate_every, validation_scenes=validation_scenes,
                )  # fmt: skip
                if start_from is not None:
                    recipe = starting_from(recipe, start_from)
                samples = source_of(crop)
                if stage is not None and not isinstance(samples, BatchSource):
                    part = len(ranks.share(settings.batch))
                    recipe, samples = staged(recipe, samples, stage, labelled, stage_one, part)
            return train(
                recipe, samples, settings, folder,
                device=place, workers=processes, minutes=share, quiet=quiet, curve=True,
                ranks=ranks, overwrite=overwrite,
            )  # fmt: skip

        if not several:
            report = train_one(names[0], out, minutes)
            if ranks.first:
                emit(output_format, _facts(report), lambda: click.echo(_sentence(report)))
            return
        outcomes = train_several(names, train_one, out, minutes)
        facts = [
            {"method": one.method}
            | ({"error": one.error} if one.report is None else _facts(one.report))
            for one in outcomes
        ]

        def human() -> None:
            for one in outcomes:
                if one.report is not None:
                    click.echo(f"{one.method} {_sentence(one.report)}")

        if ranks.first:
            emit(output_format, {"methods": facts}, human)
        name_failures(outcomes)


def _facts(report: "TrainReport") -> dict[str, object]:
    return {
        "step": report.step,
        "finished": report.finished,
        "validation_psnr": report.psnr,
        "validation_ssim": report.ssim,
        "weights": str(report.weights),
    }


def _sentence(report: "TrainReport") -> str:
    state = "finished" if report.finished else f"stopped at step {report.step}; not finished"
    quality = (
        ""
        if report.psnr is None or report.ssim is None
        else f", {report.psnr:.2f} dB and SSIM {report.ssim:.4f} on held-out scenes"
    )
    return f"{state}{quality}: {report.weights}"


def _pairs(options: tuple[str, ...]) -> dict[str, str]:
    pairs = dict(option.partition("=")[::2] for option in options)
    for option in options:
        if "=" not in option:
            raise UsageError(f"--set takes KEY=VALUE, got {option!r}")
    return pairs
