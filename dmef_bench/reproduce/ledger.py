"""What a table has measured so far: a line a figure, safe against kills and mixed settings."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dmef_bench.atomic_write import atomic_write, explained
from dmef_bench.dataset.lock import held
from dmef_bench.errors import IntegrityError, UsageError

SETTINGS_FILE: Final = "settings.json"
LINES_FILE: Final = "measured.jsonl"
_FORMAT: Final = "dmef-bench-table/1"


class Ledger:
    """Finished measurements of one table under one set of settings; see `ledger`.

    Attributes:
        folder: where it lies.
        started: when it was begun, UTC.
        done: figures by the name of the measurement.
    """

    def __init__(self, folder: Path, started: str, done: dict[str, dict[str, Any]]) -> None:
        self.folder = folder
        self.started = started
        self.done = done

    def add(self, name: str, figures: Mapping[str, Any]) -> None:
        """Write a finished measurement down and wait until it is on the disk.

        Raises:
            MissingError: the disk is full.
        """
        path = self.folder / LINES_FILE
        line = json.dumps({"name": name, **figures}) + "\n"
        with explained(path), path.open("ab") as stream:
            stream.write(line.encode())
            stream.flush()
            os.fsync(stream.fileno())
        self.done[name] = dict(figures)


@contextmanager
def ledger(
    folder: Path, settings: Mapping[str, str], parts: tuple[str, ...] = (), *, overwrite: bool
) -> Iterator[Ledger]:
    """Begin a table in a folder, or take up the one that is there; one process at a time.

    Args:
        folder: made where needed.
        settings: everything that decides a figure.
        parts: names of folders in it whose contents belong to these settings as well.
        overwrite: forget what was measured before, and remove the parts.

    Raises:
        UsageError: the folder holds a table with other settings; the message shows the difference.
        IntegrityError: what is there is damaged.
        MissingError: the folder can't be written.
    """
    with held(folder, f"{folder}: another process measures this table; wait for it"):
        lines = folder / LINES_FILE
        if overwrite:
            _empty(folder, parts)
        started = _same_table(folder / SETTINGS_FILE, settings)
        if started is None:
            for left in (lines, *(folder / part for part in parts)):
                if left.exists():
                    raise UsageError(
                        f"{left}: without {SETTINGS_FILE} beside it no one knows whose it is; use "
                        "--overwrite to replace it"
                    )
            started = datetime.now(UTC).isoformat(timespec="seconds")
            content = {"format": _FORMAT, "started": started, "settings": dict(settings)}
            atomic_write(
                folder / SETTINGS_FILE, (json.dumps(content, indent=2) + "\n").encode("ascii")
            )
        yield Ledger(folder, started, _finished(lines))


def _empty(folder: Path, parts: tuple[str, ...]) -> None:
    """The settings go first, so that a kill leaves nothing that could be taken for a table."""
    (folder / SETTINGS_FILE).unlink(missing_ok=True)
    (folder / LINES_FILE).unlink(missing_ok=True)
    for part in parts:
        if (folder / part).is_dir():
            shutil.rmtree(folder / part)


def _same_table(path: Path, wanted: Mapping[str, str]) -> str | None:
    """When the table with these settings was begun; None for an empty folder."""
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_bytes())
        found, started = dict(content["settings"]), str(content["started"])
        known = content["format"] == _FORMAT
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise IntegrityError(
            f"{path}: no settings of a table this version can read; use --overwrite to begin anew"
        )
    differing = [
        f"{name} was {found.get(name, 'not set')!r}, is now {wanted.get(name, 'not set')!r}"
        for name in sorted(found.keys() | wanted.keys())
        if found.get(name) != wanted.get(name)
    ]
    if differing:
        raise UsageError(
            f"{path.parent}: holds this table with other settings ({'; '.join(differing)}); use "
            "--overwrite to replace it, or another -o"
        )
    return started


def _finished(path: Path) -> dict[str, dict[str, Any]]:
    """Figures by name; a last line that a kill cut short is taken away."""
    content = path.read_bytes() if path.exists() else b""
    *lines, rest = content.split(b"\n")
    done: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(lines, start=1):
        try:
            figures = json.loads(line)
            done[figures.pop("name")] = figures
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IntegrityError(
                f"{path}: line {number} is damaged; use --overwrite to begin anew"
            ) from error
    if rest:
        atomic_write(path, b"".join(line + b"\n" for line in lines))
    return done
