"""The small budget of --quick: all of a table's way, in minutes on two cores; nothing to quote."""

import dataclasses
from typing import Final

from dmef_bench.reproduce.outcome import Request

STEPS: Final = 10
BATCH: Final = 2
CROP: Final = 64
SCENES: Final = 2
# (height, width) of the pictures: of whole ones where they are generated, else of their centre.
SIZE: Final = (180, 320)
# Of the cache tables, whose calls are fast.
CACHE_SIZE: Final = (360, 640)
TILE: Final = 128
SAYS: Final = (
    "Quick: a small budget that shows that the table can be made. Its figures are not to be quoted "
    "nor set against the paper's."
)
_CACHED: Final = frozenset({"table5", "table7"})


def scaled(table: str, request: Request) -> Request:
    """The request with small pictures and few scenes where it does not say how large and many."""
    if not request.quick:
        return request
    size, limit = (CACHE_SIZE, 1) if table in _CACHED else (SIZE, SCENES)
    if table in _CACHED and request.data is not None:
        limit = SCENES  # a scene and the one after it
    return dataclasses.replace(
        request,
        size=request.size or size,
        limit=request.limit or limit,
        comparison=dataclasses.replace(
            request.comparison,
            tile=request.comparison.tile or TILE,
            tracks=request.comparison.tracks or ("paper",),
            protocols=request.comparison.protocols or ("paper", "tiled"),
        ),
    )
