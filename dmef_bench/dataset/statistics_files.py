"""Write the contact sheet and the plots of a dataset's statistics into a folder."""

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from dmef_bench.atomic_write import atomic_write, explained
from dmef_bench.dataset.contact_sheet import Tile, render_pages
from dmef_bench.dataset.statistics import SceneFigures
from dmef_bench.dataset.statistics_plots import render_plots

_PAGE = re.compile(r"contact-sheet-([0-9]+)\.png")


def write_statistics(
    folder: Path, scenes: Sequence[SceneFigures], tiles: Sequence[Tile]
) -> list[Path]:
    """Write `contact-sheet-1.png` and so on, `motion.png`, `clipping.png` and `evs.png`.

    Sheets that an earlier call wrote and that have no page now are removed.

    Returns:
        The files.

    Raises:
        MissingError: the disk is full or read-only.
    """
    pages = (
        (f"contact-sheet-{number}.png", page) for number, page in enumerate(render_pages(tiles), 1)
    )
    files = []
    for name, content in chain(pages, render_plots(scenes)):
        atomic_write(folder / name, content)
        files.append(folder / name)
    with explained(folder):
        for path in folder.iterdir():
            if _PAGE.fullmatch(path.name) and path not in files:
                path.unlink()
    return files
