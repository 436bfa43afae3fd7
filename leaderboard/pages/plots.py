"""The paired differences as inline SVG; colours come from the page's style sheet."""

import math

from markupsafe import Markup

from leaderboard.pages.axis import Axis, covering
from leaderboard.row import Row
from leaderboard.statistics import Estimate
from leaderboard.table import Leaderboard
from leaderboard.wording import difference

# Small enough that the text stays readable when a phone shows the whole width.
_WIDTH = 420
_ROW = 26


def differences_plot(board: Leaderboard) -> Markup:
    """PSNR of every row less the base's, with 95 % intervals; empty where none can be drawn."""
    shown = [(one.row, found) for one in board.differences if (found := one.by_metric["psnr"])]
    finite = [end for _, found in shown if math.isfinite(found.mean)
              for end in (found.low, found.high)]  # fmt: skip
    if not finite or board.base is None:
        return Markup("")
    left, bottom = 156, 14 + _ROW * len(shown)
    axis = covering([*finite, 0.0], left, _WIDTH - 14)
    parts = [_vertical(axis.at(tick), 8, bottom, _plain(tick)) for tick in axis.ticks()]
    zero = axis.at(0.0)
    parts.append(Markup('<line class="zero" x1="{0}" x2="{0}" y1="4" y2="{1}"/>').format(
        zero, bottom))  # fmt: skip
    for position, (row, found) in enumerate(shown):
        y = 12 + _ROW * (position + 0.5)
        kind = "bound" if row.kind == "bound" else "sure" if found.excludes_zero else "unsure"
        parts.append(Markup(
            '<g class="{kind}"><title>{label}: {text} dB</title>'
            '<text x="{x}" y="{ty}" text-anchor="end">{name}</text>{mark}</g>'
        ).format(
            kind=kind, label=row.label, text=difference(found, board.columns[0].digits),
            x=left - 12, ty=y + 4,
            name=_short(board, row, 22), mark=_mark(found, axis, y),
        ))  # fmt: skip
    caption = f"{board.columns[0].title} less that of {_short(board, board.base, 40)}, dB"
    parts.append(_axis_title((left + _WIDTH) / 2, bottom + 34, caption))
    return _svg(bottom + 42, f"{caption}, with 95 % intervals", parts)


def _mark(found: Estimate, axis: Axis, y: float) -> Markup:
    """A dot with its interval; an arrow out of the plot for an infinite difference."""
    if math.isinf(found.mean):
        end, anchor, text = (
            (axis.end, "end", "∞ →") if found.mean > 0 else (axis.start, "start", "← −∞")
        )
        return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
            end, y + 4, anchor, text
        )
    return Markup(
        '<line class="interval" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
        '<circle cx="{mean}" cy="{y}" r="4.5"/>'
    ).format(low=axis.at(found.low), high=axis.at(found.high), mean=axis.at(found.mean), y=y)


def _short(board: Leaderboard, row: Row, limit: int) -> str:
    """The title, with the protocol where the title alone is not enough."""
    twins = sum(one.title == row.title for one in board.measured) > 1
    text = row.label if twins else row.title
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _plain(tick: float) -> str:
    return f"{tick:g}".replace("-", "−")


def _svg(height: float, label: str, parts: list[Markup]) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, height, label, Markup("").join(parts)
    )


def _vertical(x: float, top: float, bottom: float, text: str) -> Markup:
    return Markup(
        '<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
        '<text class="tick" x="{x}" y="{ty}" text-anchor="middle">{text}</text>'
    ).format(x=x, top=top, bottom=bottom, ty=bottom + 15, text=text)


def _axis_title(x: float, y: float, text: str) -> Markup:
    return Markup('<text class="title" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        x, y, text
    )
