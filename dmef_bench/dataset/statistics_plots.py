"""Histograms of a dataset's scenes: motion, clipping and exposure values."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dmef_bench.dataset.records import PICTURES
from dmef_bench.dataset.statistics import EXPOSURES, SceneFigures

_BINS: Final = 20
_DPI: Final = 110
# One shape for all bars; a shape for each takes several times as long to draw.
_OUTLINE: Final = "stepfilled"
_COLOURS: Final = {"low": "#3b6ea5", "mid": "#6a9a3b", "high": "#d08a2e", "gt": "#555555"}
_NAMES: Final = {"low": "low", "mid": "mid", "high": "high", "gt": "ground truth"}


def render_plots(scenes: Sequence[SceneFigures]) -> Iterator[tuple[str, bytes]]:
    """File name and PNG bytes of each plot."""
    yield "motion.png", _motion(scenes)
    yield "clipping.png", _clipping(scenes)
    yield "evs.png", _evs(scenes)


def _motion(scenes: Sequence[SceneFigures]) -> bytes:
    figure, (magnitude, share) = _figure(1, 2, (9, 3.4))
    _histogram(magnitude, _values(scenes, "flow_p95"), _COLOURS["low"], None)
    magnitude.set_xlabel("95th percentile of the optical flow, pixels at 4K")
    _histogram(share, _values(scenes, "moving"), _COLOURS["mid"], (0.0, 1.0))
    share.set_xlabel("share of the picture that moves")
    return _png(figure)


def _clipping(scenes: Sequence[SceneFigures]) -> bytes:
    figure, axes = _figure(2, len(PICTURES), (12, 5))
    for row, end, level in ((0, "white", 255), (1, "black", 0)):
        for place, picture in enumerate(PICTURES):
            axis = axes[row * len(PICTURES) + place]
            values = [100 * value for value in _values(scenes, f"{end}_{picture}")]
            _histogram(axis, values, _COLOURS[picture], (0.0, max([1.0, *values])))
            axis.set_xlabel(f"{_NAMES[picture]}: % of pixels at {level}")
    return _png(figure)


def _evs(scenes: Sequence[SceneFigures]) -> bytes:
    tracks = [
        (prefix, title)
        for prefix, title in (("", "low, mid and high"), ("camera_", "camera track beside them"))
        if _values(scenes, f"{prefix}ev_mid")
    ]
    figure, axes = _figure(1, len(tracks), (5.5 * len(tracks), 3.4))
    for axis, (prefix, title) in zip(axes, tracks, strict=True):
        values = {each: _values(scenes, f"{prefix}ev_{each}") for each in EXPOSURES}
        everything = [value for each in values.values() for value in each]
        ends = min(everything) - 0.5, max(everything) + 0.5
        for exposure, of_it in values.items():
            axis.hist(
                of_it, bins=2 * _BINS, range=ends, color=_COLOURS[exposure], label=exposure,
                histtype=_OUTLINE,
            )  # fmt: skip
        axis.set_xlabel(f"EV relative to the ground truth: {title}")
        axis.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return _png(figure)


def _figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=size, layout="constrained")
    axes = [figure.add_subplot(rows, columns, place + 1) for place in range(rows * columns)]
    for place, axis in enumerate(axes):
        axis.spines[["top", "right"]].set_visible(False)
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        if place % columns == 0:
            axis.set_ylabel("scenes")
    return figure, axes


def _histogram(
    axis: Axes, values: list[float], colour: str, ends: tuple[float, float] | None
) -> None:
    if values:
        span = ends or (0.0, max([1.0, *values]))
        axis.hist(values, bins=_BINS, range=span, color=colour, histtype=_OUTLINE)
    else:
        axis.text(0.5, 0.5, "not recorded", ha="center", va="center", transform=axis.transAxes)


def _values(scenes: Sequence[SceneFigures], name: str) -> list[float]:
    return [value for scene in scenes if (value := scene.figures[name]) is not None]


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
    return file.getvalue()
