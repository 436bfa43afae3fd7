"""What `run` and `score` share: options, the command line for the record, and the summary."""

import math
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dmef_bench.evaluation import RunResult

_SHARED = (
    click.option(
        "--data", type=click.Path(path_type=Path), default=Path("4k-dmef"), show_default=True,
        help="A dataset that build-dataset made.",
    ),
    click.option(
        "-o", "--results", type=click.Path(path_type=Path), default=Path("results"),
        show_default=True, help="Every run gets a folder of its own in this one.",
    ),
    click.option(
        "--split", type=click.Choice(["test", "train"]), default="test", show_default=True
    ),
    click.option(
        "--track", type=click.Choice(["paper", "camera"]), default=None,
        help="Which exposures, where the dataset has both.  [default: the dataset's first]",
    ),
    click.option(
        "--lpips-net", type=click.Choice(["alex", "vgg", "squeeze"]), default="alex",
        show_default=True,
    ),
    click.option(
        "--lpips-backbone", type=click.Path(path_type=Path), default=None,
        help="State dict of the LPIPS backbone.  [default: torch hub's cache; never downloaded]",
    ),
    click.option("--no-lpips", is_flag=True, help="Leave LPIPS out."),
    click.option(
        "--pictures", type=click.IntRange(min=0), default=2, show_default=True,
        help="Scenes that leave pictures for the leaderboard's page.",
    ),
)  # fmt: skip


def evaluation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that mean the same for `run` and `score`."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


def command_line() -> str:
    """This call as it can be repeated, for the record."""
    return shlex.join(["dmef-bench", *sys.argv[1:]])


def mean(values: list[float | None]) -> float | None:
    """Mean of the figures there are; None where there are none."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def as_data(result: "RunResult") -> dict[str, object]:
    """A run for `--format json`; an infinite mean is the string "Infinity", as in the records."""
    record = result.record
    psnr = mean([sample.psnr for sample in result.samples])
    return {
        "method": record.method.name,
        "folder": str(result.folder),
        "outcome": record.outcome,
        "scenes": len(result.samples),
        "psnr": _finite(psnr),
        "ssim": mean([sample.ssim for sample in result.samples]),
        "lpips": mean([sample.lpips for sample in result.samples]),
        **{name: _finite(value) for name, value in _of_light(result).items()},
        "lpips_unavailable": record.lpips_unavailable,
        "cost": record.cost.model_dump(mode="json"),
        "failed": {sample.scene: sample.error for sample in result.failed},
        "notes": list(result.notes),
    }


def print_summary(result: "RunResult") -> None:
    """A run on stdout, three lines."""
    record = result.record
    samples, cost = result.samples, record.cost
    finished = len(samples) - len(result.failed)
    click.echo(f"{record.method.name}: {record.outcome}, {finished} of {len(samples)} scenes")
    light = _of_light(result)
    of = "-l" if light else ""
    quality = [
        f"PSNR{of} {_figure(mean([s.psnr for s in samples]), '.2f')} dB",
        f"SSIM{of} {_figure(mean([s.ssim for s in samples]), '.4f')}",
    ]
    if light:
        quality += [
            f"PSNR-μ {_figure(light['psnr_mu'], '.2f')} dB",
            f"SSIM-μ {_figure(light['ssim_mu'], '.4f')}",
            f"PU21-PSNR {_figure(light['psnr_pu21'], '.2f')} dB",
        ]
    else:
        quality.append(f"LPIPS {_figure(mean([s.lpips for s in samples]), '.4f')}")
    if cost.inference_seconds is not None and cost.total_seconds is not None:
        quality.append(
            f"{cost.inference_seconds.median:.4g} s a picture "
            f"({cost.total_seconds.median:.4g} s with resizing or tiling)"
        )
    click.echo("  " + ", ".join(quality))
    click.echo(f"  {result.folder}")


def _of_light(result: "RunResult") -> dict[str, float | None]:
    """Means of the figures that only linear light has; empty for display-referred pictures."""
    if not result.record.metrics.of_light:
        return {}
    names = ("psnr_mu", "ssim_mu", "psnr_pu21")
    return {name: mean([getattr(one, name) for one in result.samples]) for name in names}


def _finite(value: float | None) -> float | str | None:
    return "Infinity" if value == math.inf else value


def _figure(value: float | None, form: str) -> str:
    return "n/a" if value is None else format(value, form)
