"""An outcome as JSON and as Markdown, with what is needed to judge and to repeat it."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from dmef_bench import __version__
from dmef_bench.atomic_write import atomic_write
from dmef_bench.evaluation.machine import describe_machine, software_versions
from dmef_bench.reproduce.outcome import Figure, Form, Outcome, OutcomeRow, Request
from dmef_bench.reproduce.quick import SAYS
from leaderboard.published import PAPER


def as_data(outcome: Outcome) -> dict[str, Any]:
    """The outcome for JSON; an infinite figure is the string "Infinity"."""
    return {
        "table": outcome.table,
        "caption": outcome.caption,
        "dataset": outcome.dataset,
        "rows": [
            {
                **({"section": row.section} if row.section else {}),
                "label": row.label,
                "method": row.method,
                "status": row.status,
                "printed": dict(row.printed),
                "measured": {
                    heading: "Infinity" if value == math.inf else value
                    for heading, value in row.measured.items()
                },
                "reasons": list(row.reasons),
            }
            for row in outcome.rows
        ],
        "notes": list(outcome.notes),
    }


def write_outcome(outcome: Outcome, request: Request) -> Path:
    """Write <results>/<table>/<table>.json and .md, and the pictures; returns the folder.

    A quick outcome gets names of its own.

    Raises:
        MissingError: the folder can't be written.
    """
    device = chosen_device(request.device)
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    facts: dict[str, Any] = {
        "paper": PAPER,
        "command": request.command,
        "started": outcome.started or None,
        "finished": finished,
        "package_version": __version__,
        "machine": describe_machine(device).model_dump(mode="json"),
        "software": software_versions(),
        "settings": dict(outcome.settings),
    }
    if request.quick:
        facts["quick"] = True
    folder, name = request.folder(outcome.table), request.name(outcome.table)
    content = json.dumps({**facts, **as_data(outcome)}, indent=2) + "\n"
    for picture, svg in outcome.pictures.items():
        atomic_write(folder / picture, svg.encode())
    atomic_write(folder / f"{name}.json", content.encode("ascii"))
    atomic_write(folder / f"{name}.md", _markdown(outcome, facts).encode())
    return folder


def chosen_device(name: str) -> torch.device:
    """The device --device names; "auto" is the first GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def tell(text: str, *, quiet: bool) -> None:
    """A line on stderr between the progress bars of a table's parts."""
    if not quiet:
        Console(stderr=True, markup=False, highlight=False).print(text)


def letter(position: int) -> str:
    """Marks of reasons in order: a, b, ... z, aa, bb."""
    return chr(ord("a") + position % 26) * (1 + position // 26)


def shown(value: Figure, form: Form) -> str:
    """A cell of a table, "–" for nothing."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return f"{value:.{form}f}" if isinstance(form, int) else form(value)


def reasons_of(outcome: Outcome) -> list[str]:
    """Every reason once, in the order of the rows."""
    return list(dict.fromkeys(reason for row in outcome.rows for reason in row.reasons))


def marks_of(row: OutcomeRow, reasons: list[str]) -> str:
    """The letters of a row's reasons."""
    return " ".join(map(letter, sorted(reasons.index(reason) for reason in row.reasons)))


def _markdown(outcome: Outcome, facts: dict[str, Any]) -> str:
    reasons = reasons_of(outcome)
    machine, settings = facts["machine"], facts["settings"]
    about = [
        f"`{facts['command']}`" if facts["command"] else "Called from Python.",
        f"{facts['finished']}, dmef-bench {facts['package_version']}, {machine['device']}, "
        f"{machine['cores']} cores, {machine['threads']} threads, "
        + ", ".join(f"{name} {version}" for name, version in facts["software"].items()),
    ]
    quick = "quick" in facts
    parts = [
        f"# {outcome.table}{', quick' if quick else ''}: {_text(outcome.caption)}",
        f"**{SAYS}**" if quick else "",
        f"{_text(outcome.dataset)}. Figures in *italics* are printed in {_text(PAPER)}.",
        *(part for section in outcome.sections for part in _section(outcome, section, reasons)),
        *(f"![Quality against speed]({picture})" for picture in outcome.pictures),
        "\n".join(f"- <sup>{letter(n)}</sup> {_text(why)}" for n, why in enumerate(reasons)),
        "\n".join(f"- {_text(note)}" for note in outcome.notes),
        "## How it was measured",
        "\n".join(f"- {one}" for one in about),
        "\n".join(f"- {_text(name)}: {_text(value)}" for name, value in settings.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(outcome: Outcome, section: str, reasons: list[str]) -> list[str]:
    printed, rows = outcome.part(section)
    columns = len(printed) + len(outcome.measured)
    head = ["row", *(f"*printed {one}*" for one in printed), *outcome.measured, "why they differ"]
    lines = [_line(head), _line([":--", *["--:"] * columns, ":--"])]
    lines += [_line(_cells(row, outcome, printed, reasons)) for row in rows]
    return [f"## {_text(section)}" if section else "", "\n".join(lines)]


def _cells(
    row: OutcomeRow, outcome: Outcome, headings: tuple[str, ...], reasons: list[str]
) -> list[str]:
    printed = [shown(row.printed.get(one), outcome.digits.get(one, 0)) for one in headings]
    measured = [
        shown(row.measured.get(one), outcome.digits.get(one, 0)) for one in outcome.measured
    ]
    marks = marks_of(row, reasons)
    italic = [text if text == "–" else f"*{text}*" for text in printed]
    return [_text(row.label), *italic, *measured, f"<sup>{marks}</sup>" if marks else ""]


def _line(texts: list[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _text(text: str) -> str:
    """One line, with what would end a cell or open a tag disarmed."""
    plain = " ".join(text.split())
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("*", "\\*"), ("`", "'")):
        plain = plain.replace(sign, safe)
    return plain
