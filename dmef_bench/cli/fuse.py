"""`dmef-bench fuse`: a method on one's own pictures, a folder or a video of exposures."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dmef_bench.cli.fuse_request import FuseRequest
from dmef_bench.cli.options import (
    device_option,
    format_option,
    limit_option,
    linear_option,
    precision_option,
    quiet_option,
)
from dmef_bench.errors import UsageError

if TYPE_CHECKING:
    from baselines import CameraResponse
    from baselines.conventions import Linear

_path = click.Path(path_type=Path)


@click.command()
@click.argument("inputs", type=_path, nargs=-1, metavar="LOW MID HIGH | FOLDER | VIDEO")
@click.option(
    "--method", required=True, help="A name `dmef-bench methods` lists, or file.py:Class."
)
@click.option(
    "-o", "--output", required=True, type=_path,
    help="A .png, .jpg, .tiff or .npy file; of a sequence a folder or a .mp4, .mov or .mkv file.",
)  # fmt: skip
@click.option("--ev", default=None, help="EVs of the three, as --ev=-2,0,2.  [default: from EXIF]")
@click.option("--response", default=None, help="Camera response model, for methods that need one.")
@click.option("--weights", type=_path, default=None, help="Weights of a learned method.")
@precision_option("Of the tensors a network gets.")
@linear_option
@click.option(
    "--max-memory", default=None, metavar="SIZE",
    help="Fuse TIFF or .npy files of any size by strips within this memory (ipl).",
)  # fmt: skip
@click.option(
    "--sliding", is_flag=True, help="Of a sequence: one result a frame, not one of three."
)
@click.option(
    "--cache", default=None, metavar="MODE",
    help="Attention cache of ipl on a sequence: off, exact, approximate[:TOLERANCE] or position.",
)  # fmt: skip
@click.option(
    "--cache-compression", default=None, metavar="KIND",
    help="How it is kept: quantised[:BITS], cnn-width, cnn-channels or none.",
)  # fmt: skip
@click.option("--cache-memory", default=None, metavar="SIZE", help="Its bound.  [default: 2GiB]")
@click.option(
    "--fps", type=click.FloatRange(min=0.001, max=1000), default=None,
    help="Frames a second of a video that is written.  [default: as the frames came]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace a folder's pictures of other settings.")
@limit_option
@device_option
@format_option
@quiet_option
def command(
    inputs: tuple[Path, ...],
    method: str,
    output: Path,
    ev: str | None,
    response: str | None,
    weights: Path | None,
    precision: str,
    linear: "Linear | None",
    max_memory: str | None,
    sliding: bool,
    cache: str | None,
    cache_compression: str | None,
    cache_memory: str | None,
    fps: float | None,
    overwrite: bool,
    limit: int | None,
    device: str,
    output_format: str,
    quiet: bool,
) -> None:
    """Fuse three exposures LOW, MID and HIGH (dark to bright) into one picture.

    PNG, JPEG or TIFF of one size, 8 or 16 bit; the result has 16 bit where one of them has, and
    the geometry and colour profile of MID. With ipl also TIFF and .npy files of any size.

    One FOLDER of pictures or one VIDEO whose exposures alternate (low, mid, high, low, ...) becomes
    a sequence: each three frames are one bracket.
    """
    from dmef_bench.cli import fuse_frames, fuse_rows

    request = FuseRequest(
        method, output, ev, _camera_response(response), weights, device, output_format, quiet,
        precision, linear,
    )  # fmt: skip
    if len(inputs) == 1:
        if max_memory is not None:
            raise UsageError("--max-memory is for three pictures; a sequence has small ones")
        options = fuse_frames.Options(
            sliding, cache, cache_compression, cache_memory, fps, overwrite, limit
        )
        fuse_frames.fuse(request, inputs[0], options)
        return
    if len(inputs) != 3:
        raise UsageError(
            f"fuse takes three pictures, or one folder or video; got {len(inputs)} paths"
        )
    for name, given in {
        "--sliding": sliding, "--cache": cache, "--cache-compression": cache_compression,
        "--cache-memory": cache_memory, "--fps": fps, "--overwrite": overwrite, "--limit": limit,
    }.items():  # fmt: skip
        if given:
            raise UsageError(f"{name} is for a folder or a video, not for three pictures")
    for path in inputs:
        if output.exists() and path.exists() and output.samefile(path):
            raise UsageError(f"{output} is one of the pictures to fuse; choose another output")
    low, mid, high = inputs
    if fuse_rows.wanted(request, inputs, max_memory):
        fuse_rows.fuse(request, (low, mid, high), max_memory)
    else:
        _fuse_whole(request, (low, mid, high))


def _fuse_whole(request: FuseRequest, paths: tuple[Path, Path, Path]) -> None:
    import time

    from dmef_bench import fuse_pictures as pictures_in_hand
    from dmef_bench.atomic_write import atomic_write
    from dmef_bench.exposure_values import ExposureValues, exposure_values, parse_evs
    from dmef_bench.picture_metadata import colour_profile

    output = request.output
    kind = pictures_in_hand.output_format(output)
    values = ExposureValues(parse_evs(request.ev), "--ev") if request.ev is not None else None
    method = request.load()
    pictures = pictures_in_hand.read_exposures(paths)
    values = values or exposure_values(paths)
    low_ev, mid_ev, high_ev = values.evs
    request.remark(f"EVs {low_ev:+g}, {mid_ev:+g}, {high_ev:+g}: {values.source}")
    if warning := pictures_in_hand.order_warning(paths, pictures):
        request.remark(f"warning: {warning}")
    started = time.perf_counter()
    result = pictures_in_hand.fuse_pictures(
        method, pictures, values.evs, request.response, request.precision
    )
    seconds = time.perf_counter() - started
    profile = colour_profile(paths[1])
    bits = 8 * result.itemsize
    if bits == 16 and kind == "JPEG":
        bits = 8
        request.remark("warning: a JPEG holds 8 bit; name the output .png or .tiff to keep 16")
    if bits == 16 and profile is not None:
        request.remark(f"warning: the colour profile of {paths[1]} is left out of 16-bit files")
    atomic_write(output, pictures_in_hand.encode_picture(result, output, profile))
    request.report(
        {
            "width": result.shape[1],
            "height": result.shape[0],
            "bits": bits,
            "evs": values.evs,
            "evs_source": values.source,
            "seconds": round(seconds, 3),
        },
        method,
    )


def _camera_response(name: str | None) -> "CameraResponse | None":
    if name is None:
        return None
    from synth.camera_response import camera_response

    try:
        return camera_response(name)
    except ValueError as error:
        raise UsageError(f"--response: {error}") from error
