"""All scenes of a dataset on a page: ground truth, the three exposures, and what was measured."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

SCENES_A_PAGE = 100
_WIDTH, _HEIGHT = 320, 180
_GAP = 4
_SMALL = (_WIDTH - 2 * _GAP) // 3, 58
_LINE, _FONT_SIZE, _MARGIN = 17, 12, 12
_TILE = _WIDTH, _HEIGHT + _GAP + _SMALL[1] + 2 * _LINE + _GAP
_BACKGROUND, _FRAME, _INK = (24, 24, 26), (40, 40, 44), (225, 225, 225)
# No name is longer on a sheet; a manifest may hold one of any length.
_LONGEST = 200


@dataclass(frozen=True)
class Tile:
    """One scene on a sheet: its picture, (h, w, 3) uint8 RGB, and two lines of text below it."""

    pixels: Pixels
    lines: tuple[str, str]


def make_tile(
    scene: str, video: str, pictures: Mapping[str, Pixels], figures: Mapping[str, float | None]
) -> Tile:
    """What a sheet shows of a scene.

    Args:
        scene: its id.
        video: name of the video it came from; what can't be printed is replaced.
        pictures: "low", "mid", "high" and "gt", (H, W, 3) uint8 RGB.
        figures: as in `dataset.statistics`.
    """
    canvas = np.full((_HEIGHT + _GAP + _SMALL[1], _WIDTH, 3), _FRAME, np.uint8)
    canvas[:_HEIGHT] = _fitted(pictures["gt"], _WIDTH, _HEIGHT)
    for place, exposure in enumerate(("low", "mid", "high")):
        left = place * (_SMALL[0] + _GAP)
        canvas[_HEIGHT + _GAP :, left : left + _SMALL[0]] = _fitted(pictures[exposure], *_SMALL)
    return Tile(canvas, (f"{scene}  {_printable(video)}", _summary(figures)))


def render_pages(tiles: Sequence[Tile]) -> Iterator[bytes]:
    """PNG files of at most `SCENES_A_PAGE` scenes each, one after the other."""
    for start in range(0, len(tiles), SCENES_A_PAGE):
        yield _page(tiles[start : start + SCENES_A_PAGE])


def _page(tiles: Sequence[Tile]) -> bytes:
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    width, height = _TILE[0] + _MARGIN, _TILE[1] + _MARGIN
    page = Image.new("RGB", (columns * width + _MARGIN, rows * height + _MARGIN), _BACKGROUND)
    pen = ImageDraw.Draw(page)
    # Matplotlib brings a font that has Latin, Greek and Cyrillic letters.
    font = ImageFont.truetype(
        Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), _FONT_SIZE
    )
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        left, top = _MARGIN + column * width, _MARGIN + row * height
        page.paste(Image.fromarray(tile.pixels), (left, top))
        for number, line in enumerate(tile.lines):
            below = top + tile.pixels.shape[0] + _GAP + number * _LINE
            pen.text((left, below), _shortened(line, font), font=font, fill=_INK)
    file = BytesIO()
    page.save(file, "PNG")
    return file.getvalue()


def _fitted(picture: Pixels, width: int, height: int) -> Pixels:
    """The whole picture in the middle of (height, width, 3)."""
    share = min(width / picture.shape[1], height / picture.shape[0])
    size = max(1, round(picture.shape[1] * share)), max(1, round(picture.shape[0] * share))
    method = cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, size, interpolation=method)
    fitted = np.full((height, width, 3), _FRAME, np.uint8)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    fitted[top : top + size[1], left : left + size[0]] = small
    return fitted


def _summary(figures: Mapping[str, float | None]) -> str:
    parts = (
        ("flow_p95", "flow {:.0f} px"),
        ("moving", "moves {:.0%}"),
        ("blur", "blur {:.2f}"),
        ("white_high", "white {:.0%}"),
    )
    known = ((figures[name], text) for name, text in parts)
    return " · ".join(text.format(value) for value, text in known if value is not None)


def _printable(name: str) -> str:
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for letter in name[:_LONGEST]
    )


def _shortened(line: str, font: ImageFont.FreeTypeFont) -> str:
    if font.getlength(line) <= _WIDTH:
        return line
    while font.getlength(line + "…") > _WIDTH:
        line = line[:-1]
    return line + "…"
