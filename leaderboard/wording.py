"""How numbers and foreign text look in a table."""

import math
import unicodedata

from leaderboard.statistics import Estimate

NOT_AVAILABLE = "n/a"


def printable(text: str, limit: int = 160) -> str:
    """One line of visible characters, at most `limit` of them.

    Control characters, line breaks and the marks that reverse the direction of writing become
    blanks, so that a record's text can't reach outside its own cell.
    """
    seen = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text[: 8 * limit])
    seen = " ".join(seen.split())
    return seen if len(seen) <= limit else f"{seen[: limit - 1]}…"


def number(value: float, digits: int) -> str:
    """A figure with a fixed number of decimals; ∞ for infinity."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def estimate(value: Estimate | None, digits: int) -> str:
    """Mean with half the width of its interval: "33.29 ± 0.42"; the mean alone where n/a."""
    if value is None:
        return NOT_AVAILABLE
    if value.half_width is None:
        return number(value.mean, digits)
    return f"{number(value.mean, digits)} ± {number(value.half_width, digits)}"


def difference(value: Estimate | None, digits: int) -> str:
    """A signed mean with its interval: "+1.20 [+0.80, +1.60]"."""
    if value is None:
        return NOT_AVAILABLE
    if value.half_width is None:
        return f"{_signed(value.mean, digits)} [n/a]"
    low, high = _signed(value.low, digits), _signed(value.high, digits)
    return f"{_signed(value.mean, digits)} [{low}, {high}]"


def seconds(value: float) -> str:
    """Three significant digits, in seconds: "0.0441 s", "221 s"."""
    return f"{value:.0f} s" if value >= 100 else f"{value:.3g} s"


def amount(value: float) -> str:
    """A large count with its SI prefix: "1.24 M", "162.8 G"."""
    for limit, prefix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:.4g}{prefix}"
    return f"{value:g}"


def memory(value: int) -> str:
    """Bytes as MiB or GiB: "1.25 GiB"."""
    return f"{value / 2**30:.3g} GiB" if value >= 2**30 else f"{value / 2**20:.3g} MiB"


def size(height_width: tuple[int, int]) -> str:
    """(height, width) the way the field prints it, width first: "3840×2160"."""
    return f"{height_width[1]}×{height_width[0]}"


def _signed(value: float, digits: int) -> str:
    return ("+" if value >= 0 else "") + number(value, digits)
