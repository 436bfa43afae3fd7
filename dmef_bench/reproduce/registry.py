"""Table name -> the module that makes it; a new table is a line here and a file beside it."""

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from dmef_bench.reproduce.outcome import Outcome, Request

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "table1": "dmef_bench.reproduce.table1",
        "table2": "dmef_bench.reproduce.table2",
        "table3": "dmef_bench.reproduce.table3",
        "table4": "dmef_bench.reproduce.table4",
        "table5": "dmef_bench.reproduce.table5",
        "table6": "dmef_bench.reproduce.table6",
        "table7": "dmef_bench.reproduce.table7",
    }
)
"""Each module has a function `reproduce(request: Request) -> Outcome`."""


def reproduce(table: str, request: Request) -> Outcome:
    """Measure a table of the paper and write <results>/<table>/<table>.json and .md.

    A quick one goes to <results>/<table>-quick/<table>-quick.json and .md.

    Args:
        table: a key of `TABLES`.
        request: data, weights and everything else that was asked for.

    Raises:
        MissingError: the data is not here; the message says how to get it.
        UsageError: an option that the table can't use.
    """
    made: Callable[[Request], Outcome] = importlib.import_module(TABLES[table]).reproduce
    from dmef_bench.reproduce.quick import scaled

    request = scaled(table, request)
    outcome = made(request)
    from dmef_bench.reproduce.report import write_outcome  # which imports torch

    write_outcome(outcome, request)
    return outcome
