"""`dmef-bench fuse`: a method on one's own three pictures."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dmef_bench.cli.options import device_option, emit, format_option, quiet_option
from dmef_bench.errors import UsageError

if TYPE_CHECKING:
    from baselines import CameraResponse

_picture = click.Path(path_type=Path)


@click.command()
@click.argument("low", type=_picture)
@click.argument("mid", type=_picture)
@click.argument("high", type=_picture)
@click.option(
    "--method", required=True, help="A name `dmef-bench methods` lists, or file.py:Class."
)
@click.option("-o", "--output", required=True, type=_picture, help="A .png, .jpg or .tiff file.")
@click.option("--ev", default=None, help="EVs of the three, as --ev=-2,0,2.  [default: from EXIF]")
@click.option("--response", default=None, help="Camera response model, for methods that need one.")
@click.option("--weights", type=_picture, default=None, help="Weights of a learned method.")
@device_option
@format_option
@quiet_option
def command(
    low: Path,
    mid: Path,
    high: Path,
    method: str,
    output: Path,
    ev: str | None,
    response: str | None,
    weights: Path | None,
    device: str,
    output_format: str,
    quiet: bool,
) -> None:
    """Fuse three exposures LOW, MID and HIGH (dark to bright) into one picture.

    PNG, JPEG or TIFF of one size, 8 or 16 bit; the result has 16 bit where one of them has, and
    the geometry and colour profile of MID.
    """
    from dmef_bench import fuse_pictures as pictures_in_hand
    from dmef_bench.atomic_write import atomic_write
    from dmef_bench.cli.loading import load_method, torch_device
    from dmef_bench.exposure_values import ExposureValues, exposure_values, parse_evs
    from dmef_bench.picture_metadata import colour_profile

    paths = (low, mid, high)
    kind = pictures_in_hand.output_format(output)
    for path in paths:
        if output.exists() and path.exists() and output.samefile(path):
            raise UsageError(f"{output} is one of the pictures to fuse; choose another output")

    def remark(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    values = ExposureValues(parse_evs(ev), "--ev") if ev else None
    camera = _camera_response(response)
    fusing = load_method(method, weights, torch_device(device))
    if fusing.info.needs_response and camera is None:
        raise UsageError(
            f"{method} needs to know the camera response model; say it with --response, "
            "for example --response sigmoid"
        )
    pictures = pictures_in_hand.read_exposures(paths)
    values = values or exposure_values(paths)
    low_ev, mid_ev, high_ev = values.evs
    remark(f"EVs {low_ev:+g}, {mid_ev:+g}, {high_ev:+g}: {values.source}")
    if warning := pictures_in_hand.order_warning(paths, pictures):
        remark(f"warning: {warning}")
    started = time.perf_counter()
    result = pictures_in_hand.fuse_pictures(fusing, pictures, values.evs, camera)
    seconds = time.perf_counter() - started
    profile = colour_profile(mid)
    bits = 8 * result.itemsize
    if bits == 16 and kind == "JPEG":
        bits = 8
        remark("warning: a JPEG holds 8 bit; name the output .png or .tiff to keep 16")
    if bits == 16 and profile is not None:
        remark(f"warning: the colour profile of {mid} is left out of 16-bit files")
    atomic_write(output, pictures_in_hand.encode_picture(result, output, profile))
    facts = {
        "output": str(output),
        "width": result.shape[1],
        "height": result.shape[0],
        "bits": bits,
        "method": fusing.info.name,
        "weights_sha256": fusing.weights_sha256,
        "evs": values.evs,
        "evs_source": values.source,
        "device": str(fusing.device),
        "seconds": round(seconds, 3),
    }
    emit(output_format, facts, lambda: click.echo(output))


def _camera_response(name: str | None) -> "CameraResponse | None":
    if name is None:
        return None
    from synth.camera_response import camera_response

    try:
        return camera_response(name)
    except ValueError as error:
        raise UsageError(f"--response: {error}") from error
