"""What every kind of fusing on the command line shares: the method, remarks, the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dmef_bench.cli.options import emit
from dmef_bench.errors import UsageError

if TYPE_CHECKING:
    from baselines import CameraResponse, Method
    from baselines.conventions import Linear


@dataclass(frozen=True)
class FuseRequest:
    """The options of `fuse` that count for any kind of input.

    Attributes:
        method: a name or file.py:Class.
        output: what is written.
        ev: as given.
        response: the camera response model, or None.
        weights: of a learned method, or None for the shipped ones.
        device: as given.
        output_format: of stdout.
        quiet: neither progress nor remarks.
        precision: torch's name of the network's tensors.
        linear: as given, or None for what the weights say.
    """

    method: str
    output: Path
    ev: str | None
    response: "CameraResponse | None"
    weights: Path | None
    device: str
    output_format: str
    quiet: bool
    precision: str = "float32"
    linear: "Linear | None" = None

    def remark(self, text: str) -> None:
        """Tell people something on stderr."""
        if not self.quiet:
            click.echo(text, err=True)

    def load(self, device: str | None = None) -> "Method":
        """The method, ready; on `device` where that is given.

        Raises:
            UsageError: no such method, weights or device, or a response is needed.
            MissingError: weights or the device are missing.
        """
        from dmef_bench.cli.loading import load_method, torch_device

        method = load_method(
            self.method, self.weights, torch_device(device or self.device), self.linear
        )
        if self.linear == "response" and self.response is None:
            raise UsageError(
                "--linear response needs to know the camera response model; say it with "
                "--response, for example --response sigmoid"
            )
        if method.info.needs_response and self.response is None:
            raise UsageError(
                f"{self.method} needs to know the camera response model; say it with --response, "
                "for example --response sigmoid"
            )
        return method

    def report(self, facts: Mapping[str, object], method: "Method") -> None:
        """Print the path, or all facts as JSON."""
        whole = {
            "output": str(self.output),
            "method": method.info.name,
            "weights_sha256": method.weights_sha256,
            "device": str(method.device),
            "precision": self.precision,
            "linear": self.linear,
            **facts,
        }
        emit(self.output_format, whole, lambda: click.echo(self.output))
