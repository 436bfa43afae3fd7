"""Figure 1 of the paper from our own records: quality against speed, a bubble a method.

Its area is the number of parameters; a method without any is a small diamond. The colours are
Okabe and Ito's, which people with any colour vision tell apart.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from leaderboard.pages.axis import Axis, covering, covering_log
from leaderboard.pages.label_places import Bubble, Label, place_labels, text_width
from leaderboard.row import Row
from leaderboard.table import Leaderboard
from leaderboard.wording import amount, number, printable, seconds, size

Fed = Literal["whole", "small", "tiles"]

_WIDTH, _HEAD, _PLOT = 960, 78, 430
_LEFT, _RIGHT = 62, _WIDTH - 26
_TEXT: Final = 13.0
_LARGEST: Final = 25.0
_DIAMOND: Final = 5.5
_FED: Final[dict[Fed, str]] = {
    "whole": "whole picture",
    "small": "scaled down to the method’s size and up again",
    "tiles": "in blended tiles",
}
_RULERS: Final = (1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8)
_REAL_TIME: Final = 1 / 30
_STYLE: Final = Markup(
    'text { font: 13px ui-sans-serif, system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; '
    "fill: #1d1c1a; } "
    '.heading { font: 600 21px ui-serif, Charter, Georgia, "Noto Serif", serif; } '
    ".tick, .title, .legend { fill: #68645d; font-size: 12px; } "
    ".grid { stroke: #e9e5dd; } .mark { stroke: #8d867a; stroke-dasharray: 3 4; } "
    ".name { paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-linejoin: round; } "
    ".leader { stroke-width: .8; stroke-opacity: .65; } .ruler { fill: none; stroke: #8d867a; } "
)
_FED_STYLE: Final = Markup(
    ".{0} .dot {{ fill: {1}; }} .{0} .dot, .{0} .leader {{ stroke: {1}; }} "
    ".{0} .name {{ fill: {2}; }} "
)
_FED_COLOURS: Final = (
    ("whole", "#0072b2", "#004f7d"),
    ("small", "#d55e00", "#96400a"),
    ("tiles", "#009e73", "#006b4e"),
    ("bound", "#77726a", "#68645d"),
)
_DOT_STYLE: Final = Markup(
    ".dot { fill-opacity: .32; stroke-width: 1.4; } "
    "g .dot.diamond, g .dot.heart { fill-opacity: 1; stroke: none; }"
)


@dataclass(frozen=True)
class _Point:
    row: Row
    seconds: float
    psnr: float
    parameters: int | None
    fed: Fed


def quality_speed_figure(
    board: Leaderboard,
    *,
    alone: bool,
    pixels: tuple[int, int] | None = None,
    remark: str = "",
) -> Markup:
    """The figure as SVG; empty where no row has both a finite PSNR and a time.

    Args:
        board: the rows.
        alone: a file of its own, with heading and colours, instead of a part of the page, whose
            style sheet has the colours.
        pixels: (height, width) of every picture, where they are known: for the axis, and to tell
            what was scaled down from what was fed whole.
        remark: ends the line below the heading.
    """
    points = [point for row in board.measured if (point := _point(row, pixels)) is not None]
    if not points:
        return Markup("")
    top = _HEAD if alone else 14
    bottom = top + _PLOT
    across = _decades([point.seconds for point in points])
    up = covering([point.psnr for point in points], bottom - 8, top + 8)
    most = max((point.parameters or 0 for point in points), default=0)
    parts = [*_grid(across, up, top, bottom), *_bubbles(points, across, up, most, (top, bottom))]
    picture = "picture" if pixels is None else f"{size(pixels)} picture"
    title = f"seconds a {picture}, with resizing or tiling"
    parts.append(_text("title", (_LEFT + _RIGHT) / 2, bottom + 40, title, "middle"))
    parts.append(_text("title", _LEFT - 48, top - 2 if alone else 12, "PSNR, dB", "start"))
    parts += _legend(points, most, bottom + 70)
    label = f"Mean {board.columns[0].title} against seconds a {picture}; area: parameters"
    height = bottom + 100
    if not alone:
        return Markup(
            '<svg class="speed" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
        ).format(_WIDTH, height, label, Markup("").join(parts))
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
        'role="img" aria-label="{label}"><style>{style}</style>'
        '<rect width="{w}" height="{h}" fill="#ffffff"/>{head}{parts}</svg>\n'
    ).format(
        w=_WIDTH, h=height, label=label, style=_style(), head=_heading(board, remark),
        parts=Markup("").join(parts),
    )  # fmt: skip


def _point(row: Row, pixels: tuple[int, int] | None) -> _Point | None:
    quality, spread = row.quality.get("psnr"), row.total or row.inference
    if row.run is None or quality is None or spread is None:
        return None
    if not math.isfinite(quality.mean) or spread.median <= 0:
        return None
    protocol = row.run.record.protocol
    room = protocol.resolution
    whole = room is None or (pixels is not None and room[0] >= pixels[0] and room[1] >= pixels[1])
    fed: Fed = "whole" if whole else "small"
    fed = "tiles" if protocol.name == "tiled" else fed
    return _Point(row, spread.median, quality.mean, row.run.record.method.parameters, fed)


def _decades(times: list[float]) -> Axis:
    """A logarithmic axis that reaches from one mark to another, so that decades are seen."""
    inner = covering_log(times, _LEFT, _RIGHT)
    return Axis(inner.low / 1.15, inner.high * 1.6, _LEFT + 6, _RIGHT - 6, logarithmic=True)


def _grid(across: Axis, up: Axis, top: float, bottom: float) -> list[Markup]:
    line = Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>')
    parts = []
    for tick in across.ticks():
        x = across.at(tick)
        parts.append(line.format("grid", x, top, x, bottom))
        parts.append(_text("tick", x, bottom + 18, _duration(tick), "middle"))
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(line.format("grid", _LEFT, y, _RIGHT, y))
        parts.append(_text("tick", _LEFT - 8, y + 4, f"{tick:g}".replace("-", "−"), "end"))
    if across.low < _REAL_TIME < across.high:
        x = across.at(_REAL_TIME)
        parts.append(line.format("mark", x, top, x, bottom))
        parts.append(_text("tick", x + 5, bottom - 6, "30 pictures a second", "start"))
    return parts


def _bubbles(
    points: list[_Point], across: Axis, up: Axis, most: int, rows: tuple[float, float]
) -> list[Markup]:
    placed = [
        Bubble(
            across.at(one.seconds),
            up.at(one.psnr),
            _radius(one.parameters, most),
            # What a title says in brackets is in the table.
            one.row.title.partition(" (")[0],
        )
        for one in points
    ]
    labels = place_labels(placed, (_LEFT + 4, rows[0] + 2, _RIGHT, rows[1] - 18), _TEXT)
    # The large ones first, so that a small one on them is seen.
    order = sorted(range(len(points)), key=lambda n: -placed[n].radius)
    parts = [_dot(points[n], placed[n]) for n in order]
    return parts + [
        _name(point, bubble, label)
        for point, bubble, label in zip(points, placed, labels, strict=True)
    ]


def _radius(parameters: int | None, most: float) -> float:
    return _DIAMOND if not parameters else _LARGEST * math.sqrt(parameters / most)


def _kind(point: _Point) -> str:
    return "bound" if point.row.kind == "bound" else point.fed


def _dot(point: _Point, bubble: Bubble) -> Markup:
    told = f"{point.row.label}: {number(point.psnr, 2)} dB, {seconds(point.seconds)}"
    if point.parameters:
        told += f", {amount(point.parameters)} parameters"
        shape = Markup(
            '<circle class="dot" cx="{x}" cy="{y}" r="{r}"/>'
            '<circle class="dot heart" cx="{x}" cy="{y}" r="2"/>'
        ).format(x=bubble.x, y=bubble.y, r=round(bubble.radius, 2))
    else:
        shape = _diamond(bubble.x, bubble.y)
    return Markup('<g class="{}"><title>{}</title>{}</g>').format(_kind(point), told, shape)


def _diamond(x: float, y: float) -> Markup:
    side = _DIAMOND
    path = f"M{x:g} {y - side:g} L{x + side:g} {y:g} L{x:g} {y + side:g} L{x - side:g} {y:g} Z"
    return Markup('<path class="dot diamond" d="{}"/>').format(path)


def _name(point: _Point, bubble: Bubble, label: Label) -> Markup:
    leader = Markup("")
    if label.line is not None:
        leader = Markup('<line class="leader" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
            *(round(value, 1) for value in label.line)
        )
    name = _text("name", label.x, label.y, bubble.text, label.anchor)
    return Markup('<g class="{}">{}{}</g>').format(_kind(point), leader, name)


def _legend(points: list[_Point], most: int, y: float) -> list[Markup]:
    """Colours from the left, sizes from the right."""
    parts, x = [], float(_LEFT)
    for fed in (one for one in _FED if any(_kind(point) == one for point in points)):
        parts.append(Markup(
            '<g class="{}"><circle class="dot" cx="{}" cy="{}" r="6"/></g>'
        ).format(fed, x + 6, y))  # fmt: skip
        parts.append(_text("legend", x + 17, y + 4, _FED[fed], "start"))
        x += 36 + text_width(_FED[fed], 11.3)
    if any(_kind(point) == "bound" for point in points):
        parts.append(Markup('<g class="bound">{}</g>').format(_diamond(x + 6, y)))
        parts.append(_text("legend", x + 17, y + 4, "bound", "start"))
    right = float(_RIGHT)
    for count in [ruler for ruler in _RULERS if 0.02 * most <= ruler <= 1.3 * most][-3:][::-1]:
        text = amount(count)
        radius = _radius(int(count), most)
        parts.append(_text("legend", right, y + 4, text, "end"))
        right -= text_width(text, 12) + 5 + radius
        parts.append(Markup('<circle class="ruler" cx="{}" cy="{}" r="{}"/>').format(
            round(right, 2), y, round(radius, 2)))  # fmt: skip
        right -= radius + 16
    return parts


def _style() -> Markup:
    """Literal colours: other viewers than browsers know no custom properties."""
    fed = (_FED_STYLE.format(*colours) for colours in _FED_COLOURS)
    return _STYLE + Markup("").join(fed) + _DOT_STYLE


def _heading(board: Leaderboard, remark: str) -> Markup:
    data = board.dataset
    device = ", ".join(dict.fromkeys(machine.device for machine in board.machines))
    count = f"{len(board.scenes)} scene{'' if len(board.scenes) == 1 else 's'}"
    below = f"{data.name}, {count}, track {data.track}, {device}"
    below += f"; {remark}" if remark else ""
    return _text("heading", _LEFT - 48, 32, "Quality against speed", "start") + _text(
        "legend", _LEFT - 48, 53, printable(below, 130), "start"
    )


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, round(x, 1), round(y, 1), anchor, text
    )


def _duration(value: float) -> str:
    """A mark of the axis: "20 ms", "0.1 s"."""
    return f"{value * 1000:g} ms" if value < 0.1 else f"{value:g} s"
