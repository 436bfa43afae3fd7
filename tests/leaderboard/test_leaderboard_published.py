import pytest

from leaderboard.pages.cells import published_text
from leaderboard.published import NOTES, TABLE_1, TABLES, table_beside
from leaderboard.roster import ROSTER


def test_table_1_as_printed():
    printed = {
        row.method: [published_text(row, column) for column in TABLE_1.columns]
        for row in TABLE_1.rows
    }
    assert printed["gdc"] == [
        "3840×2160", "16.84", "0.6340", "0.3584", "221.00", "242.20M", "",
    ]  # fmt: skip
    assert printed["bracketire"] == [
        "1024×1024", "27.44", "0.8651", "0.2045", "0.0007", "2.61T", "0.2368M",
    ]  # fmt: skip
    assert printed["ipl"] == [
        "256×256", "33.29", "0.9776", "0.0427", "0.0441", "66.95M", "0.9747M",
    ]  # fmt: skip


def test_every_method_of_the_paper_is_in_the_roster():
    names = {entry.name for entry in ROSTER}
    assert {row.method for table in TABLES for row in table.rows} - {""} <= names


def test_all_seven_tables():
    assert [table.number for table in TABLES] == [1, 2, 3, 4, 5, 6, 7]
    assert [len(table.rows) for table in TABLES] == [7, 6, 6, 9, 2, 2, 3]
    # the figures that several tables repeat agree with each other
    assert TABLES[3].rows[-1].psnr == TABLES[4].rows[0].psnr == 34.78
    assert TABLES[4].rows[1].psnr == TABLE_1.row("ipl").psnr == 33.29
    assert TABLES[5].rows[0].psnr == TABLE_1.row("ahdrnet").psnr == 20.04
    assert TABLES[6].rows[0].seconds == TABLE_1.row("ipl").seconds == 0.0441


def test_every_quality_figure_says_why_it_cannot_be_compared():
    used = set()
    for table in TABLES:
        for row in table.rows:
            for column in table.columns:
                notes = table.notes_on(row, column)
                assert set(notes) <= NOTES.keys()
                used |= set(notes)
                if column in ("psnr", "ssim", "lpips", "macs") and getattr(row, column) is not None:
                    assert notes
    assert used == NOTES.keys() - {"fed-otherwise"}


@pytest.mark.parametrize(
    ("dataset", "number"), [("4K-DMEF", 1), ("my-videos", 1), ("kalantari", 2), ("Mobile_HDR", 3)]
)
def test_table_beside(dataset, number):
    assert table_beside(dataset).number == number
