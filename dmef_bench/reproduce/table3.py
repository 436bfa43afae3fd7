"""Table 3: methods on Mobile-HDR."""

from pathlib import Path
from typing import Final

from dmef_bench.dataset.importers import find_mobile_hdr
from dmef_bench.dataset.importers.mobile_hdr import CITATION, DISTRIBUTED, LAYOUT_WORDS
from dmef_bench.reproduce.outcome import Outcome, Request
from dmef_bench.reproduce.public_dataset import PublicDataset, measure
from leaderboard.published import TABLE_3

MOBILE_HDR: Final = PublicDataset(
    table=TABLE_3,
    default=Path("mobile-hdr"),
    importer="mobile-hdr",
    find=find_mobile_hdr,
    how_to_get=(
        f"{CITATION}; the download is linked from the authors' page "
        "https://github.com/shuaizhengliu/Joint-HDRDN."
    ),
    layout=LAYOUT_WORDS,
    scenes=DISTRIBUTED["test"],
    remarks=(
        "Mobile-HDR holds raw planes; the paper does not say how it made three-channel pictures "
        "of them. Here the two greens of a cell are averaged and nothing else is done.",
    ),
)


def reproduce(request: Request) -> Outcome:
    """See `dmef_bench.reproduce.registry.reproduce`."""
    return measure("table3", MOBILE_HDR, request)
