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
from dmef_bench.reproduce.outcome import Outcome, OutcomeRow, Request
from leaderboard.published import PAPER


def as_data(outcome: Outcome) -> dict[str, Any]:
    """The outcome for JSON; an infinite figure is the string "Infinity"."""
    return {
        "table": outcome.table,
        "caption": outcome.caption,
        "dataset": outcome.dataset,
        "rows": [
            {
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
    """Write <results>/<table>/<table>.json and .md; returns the folder.

    Raises:
        MissingError: the folder can't be written.
    """
    device = chosen_device(request.device)
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {
        "paper": PAPER,
        "command": request.command,
        "started": outcome.started or None,
        "finished": finished,
        "package_version": __version__,
        "machine": describe_machine(device).model_dump(mode="json"),
        "software": software_versions(),
        "settings": dict(outcome.settings),
    }
    folder = request.results / outcome.table
    content = json.dumps({**facts, **as_data(outcome)}, indent=2) + "\n"
    atomic_write(folder / f"{outcome.table}.json", content.encode("ascii"))
    atomic_write(folder / f"{outcome.table}.md", _markdown(outcome, facts).encode())
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


def number(value: float | None, digits: int) -> str:
    """A figure of a table, "–" for none."""
    return "–" if value is None else f"{value:.{digits}f}"


def _markdown(outcome: Outcome, facts: dict[str, Any]) -> str:
    reasons = list(dict.fromkeys(reason for row in outcome.rows for reason in row.reasons))
    head = [
        "row",
        *(f"*printed {heading}*" for heading in outcome.printed),
        *outcome.measured,
        "why they differ",
    ]
    columns = len(outcome.printed) + len(outcome.measured)
    lines = [_line(head), _line([":--", *["--:"] * columns, ":--"])]
    lines += [_line(_cells(row, outcome, reasons)) for row in outcome.rows]
    machine, settings = facts["machine"], facts["settings"]
    about = [
        f"`{facts['command']}`" if facts["command"] else "Called from Python.",
        f"{facts['finished']}, dmef-bench {facts['package_version']}, {machine['device']}, "
        f"{machine['cores']} cores, {machine['threads']} threads, "
        + ", ".join(f"{name} {version}" for name, version in facts["software"].items()),
    ]
    parts = [
        f"# {outcome.table}: {_text(outcome.caption)}",
        f"{_text(outcome.dataset)}. Figures in *italics* are printed in {_text(PAPER)}.",
        "\n".join(lines),
        "\n".join(f"- <sup>{letter(n)}</sup> {_text(why)}" for n, why in enumerate(reasons)),
        "\n".join(f"- {_text(note)}" for note in outcome.notes),
        "## How it was measured",
        "\n".join(f"- {one}" for one in about),
        "\n".join(f"- {_text(name)}: {_text(value)}" for name, value in settings.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _cells(row: OutcomeRow, outcome: Outcome, reasons: list[str]) -> list[str]:
    printed = [number(row.printed.get(one), outcome.digits[one]) for one in outcome.printed]
    measured = [number(row.measured.get(one), outcome.digits[one]) for one in outcome.measured]
    marks = " ".join(map(letter, sorted(reasons.index(reason) for reason in row.reasons)))
    shown = [text if text == "–" else f"*{text}*" for text in printed]
    return [_text(row.label), *shown, *measured, f"<sup>{marks}</sup>" if marks else ""]


def _line(texts: list[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _text(text: str) -> str:
    """One line, with what would end a cell or open a tag disarmed."""
    plain = " ".join(text.split())
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("*", "\\*"), ("`", "'")):
        plain = plain.replace(sign, safe)
    return plain
