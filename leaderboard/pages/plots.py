"""The two plots of the page as inline SVG; colours come from the page's style sheet."""

import math

from markupsafe import Markup

from leaderboard.pages.axis import Axis, covering, covering_log
from leaderboard.row import Row
from leaderboard.statistics import Estimate
from leaderboard.table import Leaderboard
from leaderboard.wording import difference, number, seconds

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


def time_plot(board: Leaderboard) -> Markup:
    """PSNR against total seconds a picture, logarithmic; empty where nothing has both."""
    shown = [(row, found.mean, spread.median) for row in board.measured
             if (found := row.quality["psnr"]) and math.isfinite(found.mean)
             and (spread := row.total or row.inference) and spread.median > 0]  # fmt: skip
    if not shown:
        return Markup("")
    bottom, left = 262, 40
    across = covering_log([time for _, _, time in shown], left, _WIDTH - 14)
    up = covering([mean for _, mean, _ in shown], bottom, 10)
    parts = [_vertical(across.at(tick), 10, bottom, seconds(tick)) for tick in across.ticks()]
    parts += [_horizontal(up.at(tick), left, _WIDTH - 14, _plain(tick)) for tick in up.ticks()]
    taken = [(x - 7, y - 7, x + 7, y + 7) for _, mean, time in shown
             for x, y in ((across.at(time), up.at(mean)),)]  # fmt: skip
    for row, mean, time in shown:
        x, y, name = across.at(time), up.at(mean), _short(board, row, 30)
        label = _free_label(x, y, name, (left, 10, _WIDTH, bottom), taken)
        parts.append(Markup(
            '<g class="{kind}"><title>{label}: {psnr} dB, {time}</title>'
            '<circle cx="{x}" cy="{y}" r="5"/>{text}</g>'
        ).format(
            kind="bound" if row.kind == "bound" else "sure", label=row.label, x=x, y=y,
            psnr=number(mean, board.columns[0].digits), time=seconds(time), text=label,
        ))  # fmt: skip
    parts.append(_axis_title((left + _WIDTH) / 2, bottom + 34, "total seconds a picture"))
    parts.append(_axis_title(left - 34, 22, "dB", "start"))
    return _svg(bottom + 42, f"Mean {board.columns[0].title} against seconds a picture", parts)


Box = tuple[float, float, float, float]


def _free_label(x: float, y: float, name: str, frame: Box, taken: list[Box]) -> Markup:
    """A label that overlaps nothing: right, left, above or below; `taken` gets its box."""
    width = 6.2 * len(name)
    places = [(x + 10, y + 4, "start"), (x - 10, y + 4, "end")]
    places += [(x, y + step, "middle") for base in (18, 32, 46) for step in (4 - base, base)]

    def box(place: tuple[float, float, str]) -> Box:
        left = place[0] - {"start": 0.0, "middle": width / 2, "end": width}[place[2]]
        return left, place[1] - 11, left + width, place[1] + 3

    def free(one: Box) -> bool:
        inside = frame[0] <= one[0] and one[2] <= frame[2] and frame[1] <= one[1] <= frame[3]
        return inside and not any(
            one[0] < o[2] and o[0] < one[2] and one[1] < o[3] and o[1] < one[3] for o in taken
        )

    chosen = next((place for place in places if free(box(place))), places[0])
    taken.append(box(chosen))
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        round(chosen[0], 1), round(chosen[1], 1), chosen[2], name
    )


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


def _horizontal(y: float, left: float, right: float, text: str) -> Markup:
    return Markup(
        '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
        '<text class="tick" x="{tx}" y="{ty}" text-anchor="end">{text}</text>'
    ).format(y=y, left=left, right=right, tx=left - 6, ty=y + 4, text=text)


def _axis_title(x: float, y: float, text: str, anchor: str = "middle") -> Markup:
    return Markup('<text class="title" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        x, y, anchor, text
    )
