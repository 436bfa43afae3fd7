"""The figures the paper prints, as data, with the reasons why they can't be compared."""

from leaderboard.published.notes import NOTES
from leaderboard.published.row import HEADINGS, Column, PublishedRow, PublishedTable
from leaderboard.published.tables import (
    PAPER,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_5,
    TABLE_6,
    TABLE_7,
    TABLES,
    table_beside,
)

__all__ = [
    "HEADINGS",
    "NOTES",
    "PAPER",
    "TABLES",
    "TABLE_1",
    "TABLE_2",
    "TABLE_3",
    "TABLE_4",
    "TABLE_5",
    "TABLE_6",
    "TABLE_7",
    "Column",
    "PublishedRow",
    "PublishedTable",
    "table_beside",
]
