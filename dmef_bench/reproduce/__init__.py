"""The paper's tables again: printed figures beside measured ones, with the reasons between them.

Light to import: a table's module is imported when it is asked for.
"""

from dmef_bench.reproduce.outcome import (
    Budget,
    CacheOptions,
    Comparison,
    Outcome,
    OutcomeRow,
    Request,
)
from dmef_bench.reproduce.registry import TABLES, reproduce

__all__ = [
    "TABLES",
    "Budget",
    "CacheOptions",
    "Comparison",
    "Outcome",
    "OutcomeRow",
    "Request",
    "reproduce",
]
