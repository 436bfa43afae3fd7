"""Table 2: methods on the dataset of Kalantari and Ramamoorthi."""

from pathlib import Path
from typing import Final

from dmef_bench.dataset.importers import find_kalantari
from dmef_bench.dataset.importers.kalantari import CITATION, DISTRIBUTED, LAYOUT_WORDS
from dmef_bench.reproduce.outcome import Outcome, Request
from dmef_bench.reproduce.public_dataset import PublicDataset, measure
from leaderboard.published import TABLE_2

KALANTARI: Final = PublicDataset(
    table=TABLE_2,
    default=Path("kalantari"),
    importer="kalantari",
    find=find_kalantari,
    how_to_get=(
        f"{CITATION}; training and test set are linked from the authors' project page "
        "http://cseweb.ucsd.edu/~viscomp/projects/SIG17HDR/."
    ),
    layout=LAYOUT_WORDS,
    scenes=DISTRIBUTED["test"],
)


def reproduce(request: Request) -> Outcome:
    """See `dmef_bench.reproduce.registry.reproduce`."""
    return measure("table2", KALANTARI, request)
