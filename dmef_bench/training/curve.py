"""The log of a training as a picture: loss, quality on held-out scenes and learning rate."""

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dmef_bench.atomic_write import atomic_write
from dmef_bench.training.log import read_rows

_DPI: Final = 110
_RAW, _SMOOTH, _RATE = "#b9cbe0", "#3b6ea5", "#888888"
_PSNR, _SSIM = "#6a9a3b", "#d08a2e"
# The smooth line forgets over this share of the steps there are.
_SPAN: Final = 1 / 50
_DASHES: Final = ("-", "--", ":")
_NAMES: Final = {"validation": "mean"}


def draw_curve(log: Path, picture: Path, title: str) -> None:
    """Write a PNG of a training log.

    Args:
        log: `log.csv`.
        picture: where to.
        title: above it.

    Raises:
        MissingError: the disk is full or can't be written.
    """
    rows = read_rows(log)
    figure = Figure(figsize=(8, 7.5), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1))
    axes[0].set_title(title, loc="left")
    _draw_loss(axes[0], rows)
    _draw_quality(axes[1], rows)
    _draw_rate(axes[2], rows)
    file = BytesIO()
    figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
    atomic_write(picture, file.getvalue())


def smoothed(losses: Sequence[float]) -> list[float]:
    """A running geometric mean that forgets; what is no positive number is passed over."""
    kept = 1 - 1 / max(1.0, len(losses) * _SPAN)
    total = weight = 0.0
    line = []
    for loss in losses:
        if 0 < loss < math.inf:
            total = kept * total + (1 - kept) * math.log(loss)
            weight = kept * weight + (1 - kept)
        line.append(math.exp(total / weight) if weight else math.nan)
    return line


def _draw_loss(axis: Axes, rows: list[dict[str, str]]) -> None:
    steps = [int(row["step"]) for row in rows]
    losses = [float(row["loss"]) for row in rows]
    lines = axis.plot(steps, losses, color=_RAW, linewidth=0.6, label="loss of each step")
    lines += axis.plot(steps, smoothed(losses), color=_SMOOTH, linewidth=1.6, label="smoothed")
    axis.set_yscale("log")
    axis.set_ylabel("loss")
    _legend(axis, lines, 2)


def _draw_quality(axis: Axes, rows: list[dict[str, str]]) -> None:
    other = axis.twinx()
    kinds = [name.removesuffix("_psnr") for name in (rows[0] if rows else ()) if "_psnr" in name]
    lines = []
    for kind, dashes in zip(kinds, _DASHES, strict=False):
        label = f" ({_NAMES.get(kind, kind)})" if len(kinds) > 1 else ""
        for on, figure, colour in ((axis, "psnr", _PSNR), (other, "ssim", _SSIM)):
            measured = [row for row in rows if row.get(f"{kind}_{figure}")]
            if measured:
                lines += on.plot(
                    [int(row["step"]) for row in measured],
                    [float(row[f"{kind}_{figure}"]) for row in measured],
                    color=colour, linestyle=dashes, marker=".", linewidth=1.4,
                    label=f"{figure.upper()}{label}",
                )  # fmt: skip
    axis.set_ylabel("PSNR on held-out scenes, dB", color=_PSNR)
    other.set_ylabel("SSIM", color=_SSIM)
    other.spines["top"].set_visible(False)
    other.set_visible(bool(other.get_lines()))
    _legend(axis, lines, max(1, (len(lines) + 1) // 2) if len(kinds) > 1 else len(lines))


def _draw_rate(axis: Axes, rows: list[dict[str, str]]) -> None:
    steps = [int(row["step"]) for row in rows]
    axis.plot(steps, [float(row["learning_rate"]) for row in rows], color=_RATE, linewidth=1.2)
    axis.set_ylim(bottom=0)
    axis.set_ylabel("learning rate")
    axis.set_xlabel("step")
    axis.spines[["top", "right"]].set_visible(False)


def _legend(axis: Axes, lines: list[Line2D], columns: int) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    if lines:
        axis.legend(
            handles=lines, frameon=False, fontsize="small", loc="lower center",
            bbox_to_anchor=(0.5, 1.0), ncols=columns,
        )  # fmt: skip
