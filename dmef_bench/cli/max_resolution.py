"""`dmef-bench max-resolution`: the largest input a method takes within a memory budget."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dmef_bench.cli.memory_size import parse_size
from dmef_bench.cli.options import (
    device_option,
    emit,
    format_option,
    linear_option,
    precision_option,
    quiet_option,
)
from dmef_bench.errors import ScenesFailedError, UsageError

if TYPE_CHECKING:
    from contextlib import ExitStack

    from baselines import Method
    from baselines.conventions import Linear
    from dmef_bench.evaluation.max_resolution import (
        Aspect,
        Attempt,
        KeptAttempts,
        Probed,
        ProbeRequest,
    )

LARGEST_SIDE = 8192


@click.command("max-resolution")
@click.argument("method", metavar="METHOD")
@click.option(
    "--memory-budget", required=True, metavar="SIZE",
    help="What one call may take beside the program and the weights, for example 4GiB.",
)  # fmt: skip
@click.option(
    "--aspect", type=click.Choice(["square", "16:9"]), default="square", show_default=True
)
@click.option(
    "--largest", type=click.IntRange(min=8, max=65535), default=LARGEST_SIDE, show_default=True,
    help="Longest side to ask about, in pixels.",
)  # fmt: skip
@click.option(
    "--time-limit", type=click.FloatRange(min=0, min_open=True), default=600, show_default=True,
    help="Seconds for one try; one that takes longer does not fit.",
)  # fmt: skip
@click.option(
    "--weights", type=click.Path(path_type=Path), default=None, help="Weights of a learned method."
)
@click.option(
    "--configuration", default=None, metavar="NAME",
    help="Random weights of a learned baseline in named sizes: official or ipl_table1.",
)  # fmt: skip
@precision_option("Of the tensors a network gets.")
@linear_option
@device_option
@click.option(
    "--cache", type=click.Path(path_type=Path, file_okay=False), default=None,
    help="Where tries are kept.  [default: dmef-bench/max-resolution in the user's cache]",
)  # fmt: skip
@click.option("--again", is_flag=True, help="Try anew what was tried already.")
@format_option
@quiet_option
def command(
    method: str,
    memory_budget: str,
    aspect: "Aspect",
    largest: int,
    time_limit: float,
    weights: Path | None,
    configuration: str | None,
    precision: str,
    linear: "Linear | None",
    device: str,
    cache: Path | None,
    again: bool,
    output_format: str,
    quiet: bool,
) -> None:
    """Find the largest input METHOD takes within a memory budget, by bisection.

    Every try is a process of its own. Its outcome is kept, so that an interrupted search goes on
    and a finished one costs nothing. How it is measured: docs/protocol.md.
    """
    from contextlib import ExitStack

    from dmef_bench.cli.loading import load_method, torch_device
    from dmef_bench.evaluation.max_resolution import KeptAttempts, ProbeRequest

    budget = parse_size("--memory-budget", memory_budget)
    if weights is not None and configuration is not None:
        raise UsageError("--configuration makes random weights; leave --weights out")
    with ExitStack() as temporary:
        if configuration is not None:
            weights = _random_weights(method, configuration, temporary)
        chosen = torch_device(device)
        loaded = load_method(method, weights, chosen, linear)
        request = ProbeRequest(
            method=method,
            weights=None if weights is None else weights.absolute(),
            device=str(loaded.device),
            budget=budget,
            precision=precision,
            linear=linear,
            time_limit=time_limit,
        )
        attempts = KeptAttempts(request, loaded, cache, again=again)
        found = _search(attempts, loaded, aspect, largest, quiet=quiet)
    emit(
        output_format,
        _as_data(request, attempts, found, aspect, configuration),
        lambda: _print(loaded.info.name, memory_budget, found),
    )
    if found.size is None:
        reason = found.refused.reason if found.refused else ""
        raise ScenesFailedError(f"{method}: not even its smallest picture fits: {reason}")


def _random_weights(method: str, configuration: str, temporary: "ExitStack") -> Path:
    import tempfile

    import torch
    from safetensors.torch import save_file

    from baselines import MethodError, from_configuration

    torch.manual_seed(0)  # the same weights have the same digest, which tries are kept under
    try:
        network = from_configuration(method, configuration)
    except MethodError as error:
        raise UsageError(f"--configuration: {error}") from error
    folder = Path(temporary.enter_context(tempfile.TemporaryDirectory(prefix="dmef-bench-")))
    path = folder / f"{method}-{configuration}.safetensors"
    save_file(dict(network.state_dict()), path)
    return path


def _search(
    attempts: "KeptAttempts", method: "Method", aspect: "Aspect", largest: int, *, quiet: bool
) -> "Probed":
    from dmef_bench.evaluation.max_resolution import probe

    def attempt(height: int, width: int) -> "Attempt":
        known = attempts.has(height, width)
        tried = attempts(height, width)
        if not quiet:
            peak = "" if tried.peak_bytes is None else f", {tried.peak_bytes / 2**20:,.0f} MiB"
            why = f": {tried.reason}" if tried.reason else ""
            kept = "kept" if known else f"{tried.seconds:.1f} s"
            click.echo(f"{width}×{height} {tried.outcome}{peak} ({kept}){why}", err=True)
        return tried

    return probe(method.info.size, attempts.budget, attempt, aspect=aspect, largest=largest)


def _as_data(
    request: "ProbeRequest",
    attempts: "KeptAttempts",
    found: "Probed",
    aspect: str,
    configuration: str | None,
) -> dict[str, object]:
    from dataclasses import asdict

    return {
        **attempts.identity,
        "configuration": configuration,
        "budget": request.budget,
        "aspect": aspect,
        "size": found.size,
        "refused": None if found.refused is None else asdict(found.refused),
        "attempts": [asdict(one) for one in found.attempts],
        "kept_in": str(attempts.path),
    }


def _print(name: str, budget: str, found: "Probed") -> None:
    if found.size is None:
        return
    height, width = found.size
    click.echo(f"{name}: {width}×{height} within {budget}")
    if found.refused is None:
        click.echo("  larger pictures were not asked about")
    else:
        refused = found.refused
        click.echo(f"  {refused.width}×{refused.height}: {refused.outcome}, {refused.reason}")
