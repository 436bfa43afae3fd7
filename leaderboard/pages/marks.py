"""Letters for the notes on published figures: a, b, ... in order of first use on a page."""

from collections.abc import Iterable
from dataclasses import dataclass

from leaderboard.published import NOTES, Column, PublishedTable
from leaderboard.table import Leaderboard


@dataclass(frozen=True)
class Marks:
    """The notes a page refers to, in order, without repetition."""

    notes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        boards: Iterable[Leaderboard],
        columns: Iterable[Column],
        tables: Iterable[PublishedTable] = (),
    ) -> "Marks":
        """Notes on the `columns` of the boards' rows, then those of whole published tables."""
        beside = [
            note
            for board in boards
            for column in columns
            for row in board.rows
            for note in row.notes.get(column, ())
        ]
        printed = [
            note
            for table in tables
            for column in table.columns
            for row in table.rows
            for note in table.notes_on(row, column)
        ]
        return cls(tuple(dict.fromkeys(beside + printed)))

    def letter(self, note: str) -> str:
        """The letter of a note."""
        return chr(ord("a") + self.notes.index(note))

    def letters(self, notes: Iterable[str]) -> str:
        """The letters of some notes, in alphabetical order."""
        return " ".join(sorted(self.letter(note) for note in set(notes)))

    def texts(self) -> list[tuple[str, str]]:
        """Letter and sentence of every note."""
        return [(self.letter(note), NOTES[note]) for note in self.notes]
