"""Amounts of memory as people write them: 512MiB, 2GB, 1.5 GiB."""

import re

from dmef_bench.errors import UsageError

_UNITS = {
    "": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip


def parse_size(option: str, text: str) -> int:
    """Bytes of a number with a unit.

    Args:
        option: its name, for the message.
        text: what was given.

    Raises:
        UsageError: no amount of memory.
    """
    found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]{0,3})\s*", text.lower())
    if found is None or found[2] not in _UNITS:
        raise UsageError(f"{option} takes an amount of memory such as 512MiB or 2GB, got {text!r}")
    return int(float(found[1]) * _UNITS[found[2]])
