"""The leaderboard for a README or an issue: compact Markdown tables."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from leaderboard import wording
from leaderboard.loading import Skipped
from leaderboard.pages import cells
from leaderboard.pages.definitions import INTERVALS, ORDER, PROTOCOLS
from leaderboard.pages.marks import Marks
from leaderboard.published import PAPER, Column
from leaderboard.row import Row
from leaderboard.table import Leaderboard

_PRINTED: tuple[Column, ...] = ("psnr", "ssim", "lpips", "seconds")


def as_markdown(
    boards: Sequence[Leaderboard],
    title: str = "Leaderboard",
    skipped: Sequence[Skipped] = (),
    figures: Mapping[int, str] = MappingProxyType({}),
) -> str:
    """GitHub-flavoured Markdown: a section a board; every foreign word is escaped.

    Args:
        boards: the tables.
        title: of the whole.
        skipped: runs that could not be read.
        figures: place of a board, from 0 -> name of the file beside this one with its figure.
    """
    parts = [f"# {_text(title)}"]
    for place, board in enumerate(boards):
        parts += _section(board, figures.get(place, ""))
    if skipped:
        parts.append("## Skipped")
        parts.append("\n".join(f"- {_text(one.reason, 400)}" for one in skipped))
    return "\n\n".join(parts) + "\n"


def _section(board: Leaderboard, figure: str) -> list[str]:
    data, marks = board.dataset, Marks.of([board], _PRINTED)
    parts = [
        f"## {_text(data.name)}, {_text(data.split)} split, track {_text(data.track)}",
        f"{len(board.scenes)} of {data.scenes} scenes; dataset `{_code(data.digest[:8])}`. {ORDER}",
        _main_table(board, marks),
    ]
    if figure:
        parts.append(f"![Quality against speed]({figure})")
    if marks.notes:
        parts.append(
            f"Figures in *italics* are printed in {_text(PAPER, 300)}. The letters say why they "
            "can't be set against those measured here:"
        )
        parts.append("\n".join(f"- <sup>{mark}</sup> {text}" for mark, text in marks.texts()))
    unusual = [row for row in board.measured if row.why]
    if unusual:
        parts.append("\n".join(f"- {_name(row)}: {_text(row.why, 400)}" for row in unusual))
    if board.base is not None and board.differences:
        parts.append(f"### Paired differences to {_name(board.base)}")
        parts.append(_difference_table(board))
        parts.append(INTERVALS)
    parts.append("### How it was measured")
    parts.append("\n".join(_definitions(board)))
    return parts


def _main_table(board: Leaderboard, marks: Marks) -> str:
    head = ["#", "method", "protocol", *(metric.heading for metric in board.columns), "inference",
            "total", "peak memory", "MACs", "params", "scenes",
            "*printed: PSNR / SSIM / LPIPS / s*"]  # fmt: skip
    lines = [_line(head), _line(["--:", ":--", ":--", *["--:"] * (len(head) - 4), ":--"])]
    lines += [_line(_cells(board, row, marks)) for row in board.rows]
    return "\n".join(lines)


def _cells(board: Leaderboard, row: Row, marks: Marks) -> list[str]:
    rank = "bound" if row.kind == "bound" else str(row.rank or cells.NOTHING)
    figures = [
        f"**{text}**" if cells.best(board, row, metric) else text
        for metric in board.columns
        for text in (cells.quality(row, metric),)
    ]
    machine = cells.machine(board, row)
    times = [
        f"{text} ({machine})" if machine and text != cells.NOTHING else text
        for text in (cells.inference(row), cells.total(row))
    ]
    fed = _text(row.protocol) if row.status == "complete" else (
        f"{_text(row.protocol)} **{row.status}**".strip()
    )  # fmt: skip
    return [
        rank, _text(row.title), fed, *figures, *times, cells.memory(row),
        f"{cells.macs(row)} {cells.macs_size(row)}".strip(),
        cells.parameters(row), cells.scenes(row), _printed(row, marks),
    ]  # fmt: skip


def _printed(row: Row, marks: Marks) -> str:
    if row.published is None:
        return cells.NOTHING
    figures = [cells.published_text(row.published, column) or "–" for column in _PRINTED]
    letters = marks.letters(note for column in _PRINTED for note in row.notes.get(column, ()))
    return f"*{' / '.join(figures)}*" + (f" <sup>{letters}</sup>" if letters else "")


def _difference_table(board: Leaderboard) -> str:
    head = ["method", *(metric.heading for metric in board.columns), "scenes"]
    lines = [_line(head), _line([":--", *["--:"] * (len(head) - 1)])]
    for one in board.differences:
        figures = [
            wording.difference(one.by_metric.get(metric.name), metric.digits)
            for metric in board.columns
        ]
        psnr = one.by_metric.get("psnr")
        lines.append(_line([_name(one.row), *figures, str(psnr.count if psnr else 0)]))
    return "\n".join(lines)


def _definitions(board: Leaderboard) -> list[str]:
    lines = [f"- {name}: {_text(text, 400)}" for name, text in cells.definitions(board).items()]
    used = {row.run.record.protocol.name for row in board.rows if row.run is not None}
    lines += [f"- Protocol `{name}`: {text}" for name, text in PROTOCOLS.items() if name in used]
    for position, machine in enumerate(board.machines, start=1):
        lines.append(f"- M{position}: {_text(cells.machine_text(machine), 300)}")
    for row in board.measured:
        if row.run is not None and row.run.record.times_unavailable:
            reason = _text(row.run.record.times_unavailable, 300)
            lines.append(f"- Times of {_name(row)}: n/a, {reason}")
    return lines


def _name(row: Row) -> str:
    return _text(row.label)


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _text(text: str, limit: int = 160) -> str:
    """Foreign text with everything Markdown or HTML would act on disarmed."""
    plain = wording.printable(text, limit).replace("&", "&amp;").replace("<", "&lt;")
    plain = re.sub(r"([\\`*_\[\]|>~$])", r"\\\1", plain)
    # GitHub makes links of bare addresses, @names and #numbers; an empty comment, which shows
    # nothing, keeps it from seeing them.
    return re.sub(r"(?i)((?:https?|ftp|mailto|www)(?=[:.])|[@#])", r"\1<!-- -->", plain)


def _code(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", text)
