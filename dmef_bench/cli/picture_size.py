"""Sizes of pictures as people write them: 4k, 1280x720."""

import re

from dmef_bench.errors import UsageError

_NAMED = {"1080p": (1080, 1920), "4k": (2160, 3840), "8k": (4320, 7680)}
_LARGEST_SIDE = 65535


def parse_picture_size(option: str, text: str, smallest_side: int) -> tuple[int, int]:
    """Height and width of "4k" or "3840x2160".

    Args:
        option: its name, for the message.
        text: what was given.
        smallest_side: that is allowed.

    Raises:
        UsageError: no size, or a side out of range.
    """
    if text.lower() in _NAMED:
        return _NAMED[text.lower()]
    found = re.fullmatch(r"([0-9]{1,6})[x×]([0-9]{1,6})", text.lower())
    if found is None:
        raise UsageError(
            f"{option} takes {', '.join(_NAMED)} or WIDTHxHEIGHT such as 1280x720, got {text!r}"
        )
    width, height = int(found[1]), int(found[2])
    if not smallest_side <= min(width, height) <= max(width, height) <= _LARGEST_SIDE:
        raise UsageError(
            f"{option} {text}: both sides are {smallest_side} to {_LARGEST_SIDE} pixels"
        )
    return height, width
