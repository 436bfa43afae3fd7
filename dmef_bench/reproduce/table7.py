"""Table 7: how cached blocks are compressed: not at all, quantised, CNN-W, CNN-C."""

from functools import partial
from typing import Final

from dmef_bench.ipl import AttentionCache
from dmef_bench.ipl.attention_cache import Compression
from dmef_bench.reproduce.cache_measures import PLAIN_OFF, Variant
from dmef_bench.reproduce.cache_table import cache_table
from dmef_bench.reproduce.outcome import Outcome, Request
from leaderboard.published import TABLE_7, PublishedRow

_CODERS: Final = (
    "The paper names the kind and its time alone. Here it is one convolution there and one back, "
    "fitted to the shipped weights; the authors' coder is not known."
)
_KINDS: Final[dict[Compression, str]] = {
    "none": "not compressed",
    "quantised": "quantised, 8 bit",
    "cnn-width": "CNN on width",
    "cnn-channels": "CNN on channels",
}


def reproduce(request: Request) -> Outcome:
    """See `dmef_bench.reproduce.registry.reproduce`."""
    options = request.cache
    made = {
        kind: Variant(
            kind,
            label,
            partial(
                AttentionCache,
                options.mode,
                tolerance=options.tolerance,
                max_bytes=options.max_bytes,
                compression=kind,
            ),
        )
        for kind, label in _KINDS.items()
    }
    quantised, on_width, on_channels = TABLE_7.rows
    variants: dict[Variant, PublishedRow | None] = {
        PLAIN_OFF: None,
        made["none"]: None,
        made["quantised"]: quantised,
        made["cnn-width"]: on_width,
        made["cnn-channels"]: on_channels,
    }
    reasons = {made["cnn-width"]: _CODERS, made["cnn-channels"]: _CODERS}
    return cache_table(
        "table7",
        TABLE_7,
        variants,
        reasons,
        request,
        (
            f"The cache's mode is {options.mode}; which one the paper used is not said, but its "
            "time with quantisation is that of Table 5 with the cache on.",
        ),
    )
