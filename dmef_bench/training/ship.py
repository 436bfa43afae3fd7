"""Make a training's weights ready to be shipped: smaller, measured anew, and with their story.

Run as `python -m dmef_bench.training.ship OUT/weights.safetensors --to FILE --half --hours H`.
"""

import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from baselines import Method, MethodError, resolve
from dmef_bench import __version__
from dmef_bench.atomic_write import atomic_write
from dmef_bench.errors import DmefError, UsageError
from dmef_bench.evaluation import ready_method
from dmef_bench.evaluation.machine import describe_machine
from dmef_bench.training.recipes import find_recipe
from dmef_bench.training.shipped import (
    FORMAT,
    ShippedRecord,
    ShippedWeights,
    measure,
    read_weights,
)
from dmef_bench.training.shipped.data_words import whole_data
from dmef_bench.training.shipped.photographs import photographs_of
from dmef_bench.training.shipped.record import FORMAT_KEY, RECORD_KEY
from dmef_bench.training.tensor_file import tensor_file

_CPU: Final = torch.device("cpu")


@dataclass(frozen=True)
class Story:
    """What a weights file can't know of itself; None keeps what it states already.

    Attributes:
        hours: the training took, on the clock.
        processor: it ran on; this machine's by default.
        commit: of the code that trained; the one checked out by default.
        photographs: table of the licences of the photographs in its data.
    """

    hours: float | None = None
    processor: str | None = None
    commit: str | None = None
    photographs: Path | None = None


@dataclass(frozen=True)
class Scenes:
    """Held-out scenes to measure on: how many, and their side in pixels."""

    count: int
    side: int


VALIDATION: Final = Scenes(8, 384)
CHECK: Final = Scenes(1, 128)


def ship(
    source: Path,
    to: Path,
    story: Story,
    *,
    half: bool,
    validation: Scenes = VALIDATION,
    check: Scenes = CHECK,
    quiet: bool = True,
) -> ShippedWeights:
    """Write a shippable file of a training's weights; of a shipped one, the same measured anew.

    Args:
        source: what the training left, or a file made here before.
        to: the new file; may be `source`.
        story: what the file doesn't know.
        half: store floating point tensors in 16 bits; loading brings them back to 32.
        validation: scenes of the figures shown to people, on each track.
        check: scenes of the figures that are measured again and again.
        quiet: no progress bar.

    Raises:
        UsageError: unreadable, without its story, of no method here, or too large for 16 bits.
        IntegrityError: what it states about itself is damaged.
        MissingError: the disk is full.
    """
    weights = read_weights(source)
    before = weights.record
    tensors = _stored(weights, half)
    told = _told(weights, story)
    network = find_recipe(weights.method).build(weights.training["options"])
    metadata = dict(weights.metadata)
    config = getattr(network, "config", None)
    if "config" not in metadata and dataclasses.is_dataclass(config):
        metadata["config"] = json.dumps(dataclasses.asdict(config))  # type: ignore[arg-type]
    metadata[FORMAT_KEY] = FORMAT
    metadata.pop(RECORD_KEY, None)
    with tempfile.TemporaryDirectory() as folder:
        as_stored = Path(folder) / "weights.safetensors"
        atomic_write(as_stored, tensor_file(tensors, metadata))
        method = ready_method(_class(weights.method), as_stored, _CPU)
        figures = [measure(method, one.count, one.side, quiet=quiet) for one in (validation, check)]
    copied = ready_method(_class("copy-reference"), None, _CPU)
    stored = any(one.dtype == torch.float16 for one in tensors.values())
    record = ShippedRecord(
        parameters=sum(one.numel() for one in network.parameters()),
        storage="float16" if stored else "float32",
        trained_sha256=weights.sha256 if before is None else before.trained_sha256,
        **told,
        package_version=__version__,
        validation=figures[0],
        copy_of_reference=measure(copied, validation.count, validation.side),
        check=figures[1],
    )
    metadata[RECORD_KEY] = record.model_dump_json()
    atomic_write(to, tensor_file(tensors, metadata))
    return read_weights(to)


def _told(weights: ShippedWeights, story: Story) -> dict[str, Any]:
    """The fields of the record that come from the story or, failing that, from the file."""
    before = weights.record
    hours = story.hours if story.hours is not None or before is None else before.hours
    if hours is None or hours <= 0:
        raise UsageError(f"{weights.path}: say with --hours how long the training took")
    return {
        "hours": hours,
        "processor": story.processor or (before.processor if before else _processor()),
        "commit": story.commit or (before.commit if before else _commit()),
        "photographs": (
            before.photographs
            if before is not None and story.photographs is None
            else photographs_of(whole_data(weights.training), story.photographs)
        ),
    }


def _stored(weights: ShippedWeights, half: bool) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = dict(weights.content)
    if not half:
        return tensors
    rounded = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }
    for name, tensor in rounded.items():
        if not bool(torch.isfinite(tensor).all()):
            raise UsageError(f"{weights.path}: {name} does not fit in 16 bits; leave --half out")
    return rounded


def _class(name: str) -> type[Method]:
    try:
        return resolve(name)
    except MethodError as error:
        raise UsageError(str(error)) from error


def _processor() -> str:
    machine = describe_machine(_CPU)
    return f"{machine.processor}, {machine.cores} cores"


def _commit() -> str:
    git = shutil.which("git")
    asked = None
    if git is not None:
        asked = subprocess.run(
            [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=Path(__file__).parent, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if asked is None or asked.returncode != 0:
        raise UsageError("this code is in no Git repository: say with --commit which it is")
    return asked.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command; prints where the file is and how good its weights are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path, help="weights.safetensors of a training")
    parser.add_argument("--to", type=Path, required=True, help="the file to write")
    parser.add_argument("--half", action="store_true", help="store in 16 bits")
    parser.add_argument("--hours", type=float, help="that the training took, on the clock")
    parser.add_argument("--processor", help="that it ran on  [default: this machine's]")
    parser.add_argument("--commit", help="of the code that trained  [default: this code's]")
    parser.add_argument("--photographs", type=Path, help="CSV: sha256 and licence of each")
    parser.add_argument("--scenes", type=int, default=VALIDATION.count, help="to measure on")
    parser.add_argument("--side", type=int, default=VALIDATION.side, help="of these scenes")
    options = parser.parse_args(arguments)
    story = Story(options.hours, options.processor, options.commit, options.photographs)
    try:
        shipped = ship(
            options.weights, options.to, story, half=options.half,
            validation=Scenes(options.scenes, options.side), quiet=False,
        )  # fmt: skip
    except DmefError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    print(f"{shipped.path}: {shipped.size:,} bytes, SHA-256 {shipped.sha256}")
    if shipped.record is not None:
        for track, figure in shipped.record.validation.tracks.items():
            print(f"{track}: {figure.psnr:.2f} dB, SSIM {figure.ssim:.4f}")


if __name__ == "__main__":
    main()
