"""Under which licences the photographs of a training are."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dmef_bench.errors import UsageError
from dmef_bench.training.shipped.record import Photographs


def photographs_of(data: dict[str, Any], table: Path | None) -> Photographs | None:
    """Count the licences of the photographs that a training's data name by their digests.

    Args:
        data: the description of the training's source.
        table: CSV with at least the columns `sha256` and `licence`, a row a photograph.

    Returns:
        None where the data hold no photographs.

    Raises:
        UsageError: no table, an unreadable one, or one without some photograph.
    """
    digests = sorted(set(_digests(data)))
    if not digests:
        return None
    if table is None:
        raise UsageError(
            f"these weights saw {len(digests)} photographs: give --photographs CSV, a table of "
            "their sha256 and licence"
        )
    licences = read_licences(table)
    if unknown := [digest for digest in digests if digest not in licences]:
        raise UsageError(
            f"{table}: has no licence for {len(unknown)} of the {len(digests)} photographs in the "
            f"training's data, for instance the one of SHA-256 {unknown[0]}"
        )
    counted = Counter(licences[digest] for digest in digests)
    ordered = dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))
    return Photographs(count=len(digests), licences=ordered)


def read_licences(table: Path) -> dict[str, str]:
    """The licence of each photograph in a CSV file, by the SHA-256 of its file.

    Raises:
        UsageError: it can't be read, or lacks a column or a value.
    """
    try:
        with table.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table}: can't be read ({error})") from None
    licences = {row.get("sha256") or "": row.get("licence") or "" for row in rows}
    if not rows or "" in licences or "" in licences.values():
        raise UsageError(f"{table}: a row a photograph, each with a sha256 and a licence")
    return licences


def _digests(data: object) -> Iterator[str]:
    """All photographs' digests, however sources are nested in one another."""
    if isinstance(data, dict):
        if isinstance(found := data.get("sha256"), list):
            yield from found
        for value in data.values():
            yield from _digests(value)
    elif isinstance(data, list):
        for value in data:
            yield from _digests(value)
