"""`dmef-bench export`: a dataset or a network in other packages' formats."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dmef_bench.cli.memory_size import parse_size
from dmef_bench.cli.options import emit, format_option, quiet_option
from dmef_bench.errors import UsageError

if TYPE_CHECKING:
    from dmef_bench.dataset.shards import ExportReport


@click.group("export")
def command() -> None:
    """Write a dataset or a network in the format of another package."""


@command.command("webdataset")
@click.argument("dataset", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the shards: new, empty, or an interrupted export of the same dataset.",
)
@click.option(
    "--shard-size",
    default="1GiB",
    show_default=True,
    metavar="SIZE",
    help="Bytes a shard may have, as 500MB or 1GiB.",
)
@format_option
@quiet_option
def webdataset(
    dataset: Path, output: Path, shard_size: str, output_format: str, quiet: bool
) -> None:
    """Write the dataset in the folder DATASET as WebDataset shards (tar files).

    Every picture is proved on its way. After an interruption the same command goes on.
    """
    from dmef_bench.dataset.shards import export_shards

    report = export_shards(
        dataset, output, shard_size=parse_size("--shard-size", shard_size), quiet=quiet
    )
    emit(output_format, _data(report), lambda: None if quiet else _show(report))


@command.command("onnx")
@click.option("--method", type=click.Choice(["ipl"]), default="ipl", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True,
    help="The ONNX file; replaced whole.",
)  # fmt: skip
@click.option("--weights", type=click.Path(path_type=Path), default=None)
@click.option("--precision", type=click.Choice(["fp32", "fp16"]), default="fp32", show_default=True)
@click.option(
    "--size", default=None, metavar="WIDTHxHEIGHT",
    help="One size alone; without it a file serves every size from 16x16 on.",
)  # fmt: skip
@format_option
def onnx(
    method: str,
    output: Path,
    weights: Path | None,
    precision: str,
    size: str | None,
    output_format: str,
) -> None:
    """Write IPL as an ONNX file (opset 18).

    Its input `images` is (batch, 3, 3, height, width) in [0, 1]: low, mid and high exposure, RGB;
    its output `fused` (batch, 3, height, width) in [0, 1].
    """
    from baselines import WeightsError
    from dmef_bench.cli.picture_size import parse_picture_size
    from dmef_bench.ipl.export import OPSET, export_onnx
    from dmef_bench.ipl.weights_file import SHIPPED, load_network

    try:
        network, sha256 = load_network(SHIPPED if weights is None else weights)
    except WeightsError as error:
        raise UsageError(str(error)) from error
    if precision == "fp16":
        network.half()
    fixed = None if size is None else parse_picture_size("--size", size, 16)
    export_onnx(network, output, size=fixed, metadata={"weights_sha256": sha256})
    facts = {
        "output": str(output),
        "method": method,
        "weights_sha256": sha256,
        "opset": OPSET,
        "precision": precision,
        "size": fixed,
        "bytes": output.stat().st_size,
    }
    emit(output_format, facts, lambda: click.echo(output))


def _data(report: "ExportReport") -> dict[str, object]:
    return {
        "output": str(report.output),
        **report.listed.model_dump(),
        "written": report.written,
    }


def _show(report: "ExportReport") -> None:
    for shard in report.listed.shards:
        scenes = "1 scene" if shard.scenes == 1 else f"{shard.scenes} scenes"
        click.echo(f"{shard.sha256}  {shard.name}  {scenes}, {shard.size:,} bytes")
    click.echo(
        f"{report.output}: {len(report.listed.shards)} shards, {report.written} of them written"
    )
