"""Where the labels of a scatter of bubbles go, so that none lies on another or on a bubble."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# Of an average letter and of a capital, as a share of the size of the text; most sans-serif faces
# are narrower.
_LETTER, _CAPITAL = 0.57, 0.7
_ABOVE, _BELOW = 0.82, 0.26
_GAP: Final = 4.0
_APART: Final = 2.5
_RINGS: Final = (0.0, 10.0, 20.0, 32.0, 46.0, 62.0, 80.0, 100.0, 122.0)
_ANGLES: Final = (0, 180, -90, 90, -35, 35, -145, 145, -65, 65, -115, 115)
# A label on another text can't be read, one on a bubble can.
_ON_LABEL, _ON_BUBBLE = 8.0, 1.0

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Bubble:
    """A disc in the picture and the text that belongs to it."""

    x: float
    y: float
    radius: float
    text: str


@dataclass(frozen=True)
class Label:
    """Where a text stands.

    Attributes:
        x, y: of its base line at the anchor.
        anchor: "start", "middle" or "end".
        line: (x1, y1, x2, y2) from the bubble's centre to a text that is not next to it, or None.
    """

    x: float
    y: float
    anchor: str
    line: tuple[float, float, float, float] | None


def place_labels(bubbles: Sequence[Bubble], frame: Box, size: float) -> list[Label]:
    """A place for each bubble's text, the first bubbles choosing first.

    Args:
        bubbles: all that is drawn.
        frame: (left, top, right, bottom) that no text leaves.
        size: of the text, in picture units.
    """
    discs = [(b.x - b.radius, b.y - b.radius, b.x + b.radius, b.y + b.radius) for b in bubbles]
    texts: list[Box] = []
    found = []
    for bubble in bubbles:
        label, box = min(
            _places(bubble, frame, size),
            key=lambda place: _cost(place[1], texts, discs) + 0.02 * place[2],
        )[:2]
        texts.append(box)
        found.append(label)
    return found


def text_width(text: str, size: float) -> float:
    """A width that the text hardly exceeds, in the units of its size."""
    return size * sum(_CAPITAL if letter.isupper() else _LETTER for letter in text)


def _places(bubble: Bubble, frame: Box, size: float) -> Iterator[tuple[Label, Box, float]]:
    """Every place tried: the label, its box, and how far it is from where it is best."""
    width = text_width(bubble.text, size)
    for ring in _RINGS:
        for rank, degrees in enumerate(_ANGLES):
            angle = math.radians(degrees)
            across, down = math.cos(angle), math.sin(angle)
            reach = bubble.radius + _GAP + ring
            x, y = bubble.x + reach * across, bubble.y + reach * down
            anchor = "middle" if abs(across) < 0.2 else "start" if across > 0 else "end"
            base = y + size * (0.35 + 0.47 * down)
            left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
            # What is pushed out of the frame sideways comes back into it.
            shift = max(frame[0] - left, 0.0) - max(left + width - frame[2], 0.0)
            left, x = left + shift, x + shift
            box = (left - _APART, base - _ABOVE * size, left + width + _APART, base + _BELOW * size)
            if box[1] < frame[1] or box[3] > frame[3] or width > frame[2] - frame[0]:
                continue
            line = (bubble.x, bubble.y, x, y) if ring > 0 else None
            yield (
                Label(round(x, 1), round(base, 1), anchor, line),
                box,
                3 * ring + rank + abs(shift),
            )


def _cost(box: Box, texts: Sequence[Box], discs: Sequence[Box]) -> float:
    on_texts = sum(_shared(box, other) > 0 for other in texts)
    on_texts_area = sum(_shared(box, other) for other in texts)
    on_discs = sum(_shared(box, disc) for disc in discs)
    return 1000 * on_texts + _ON_LABEL * on_texts_area + _ON_BUBBLE * on_discs


def _shared(one: Box, other: Box) -> float:
    """Area that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across * down if across > 0 and down > 0 else 0.0
