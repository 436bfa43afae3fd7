from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from media import Media, Picture, picture, run_encoder

from dmef_bench.dataset.records import ColourRecord
from dmef_bench.video import Choice, Colour, extract_frames, probe
from dmef_bench.video.clip import Window
from dmef_bench.video.colour import resolve_colour
from dmef_bench.video.showinfo import FrameInfo

# Kr and Kb of each matrix: BT.709, BT.601, BT.2020, SMPTE 240M, FCC.
WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),
    "bt470bg": (0.299, 0.114),
    "bt2020nc": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}
COLOURS = [
    (29, 188, 59), (200, 30, 40), (128, 128, 128), (250, 250, 250),
    (3, 5, 9), (20, 60, 220), (255, 255, 255), (0, 0, 0),
]  # fmt: skip
PATCH = 32


def to_yuv(rgb: tuple[int, int, int], matrix: str, full: bool, bits: int) -> list[int]:
    """Y, Cb, Cr code values by the formulae of ITU-R BT.709 and BT.2020."""
    red_weight, blue_weight = WEIGHTS[matrix]
    red, green, blue = (value / 255 for value in rgb)
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    cb, cr = (blue - luma) / (2 * (1 - blue_weight)), (red - luma) / (2 * (1 - red_weight))
    unit, top = 2 ** (bits - 8), 2**bits - 1
    if full:
        values = luma * top, cb * top + 128 * unit, cr * top + 128 * unit
    else:
        values = (219 * luma + 16) * unit, (224 * cb + 128) * unit, (224 * cr + 128) * unit
    return [min(max(round(value), 0), top) for value in values]


def write_patches(
    path: Path, codes: list[list[int]], pixel_format: str, size: tuple[int, int], tags: str
) -> None:
    """Three equal lossless pictures of vertical patches with these Y, Cb, Cr codes."""
    height, width = size
    kind = "<u2" if "10" in pixel_format else np.uint8
    columns = np.array([codes[min(x // PATCH, len(codes) - 1)] for x in range(width)], kind)
    luma = np.broadcast_to(columns[:, 0], (height, width))
    chroma = [np.broadcast_to(columns[::2, c], (height // 2, width // 2)) for c in (1, 2)]
    frame = b"".join(plane.tobytes() for plane in (luma, *chroma))
    run_encoder(
        "-f", "rawvideo", "-pix_fmt", pixel_format, "-s", f"{width}x{height}", "-r", "30",
        "-i", "-", *(("-vf", f"setparams={tags}") if tags else ()),
        "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", str(path), data=frame * 3,
    )  # fmt: skip


def extract_first(path: Path) -> tuple[Picture, Colour]:
    clip = probe(path)
    first, second, third = clip.container_ticks[:3]
    choice = Choice((first, second, third), (0, 0, 0), (0, 1, 2), 0, 1, Window())
    return extract_frames(clip, choice)[0], clip.colour


def patches(image: Picture) -> list[tuple[int, ...]]:
    row = image[image.shape[0] // 2].astype(int)
    return [tuple(row[PATCH * place + PATCH // 2]) for place in range(len(COLOURS))]


def worst(found: list[tuple[int, ...]]) -> int:
    return int(np.abs(np.subtract(found, COLOURS)).max())


@pytest.mark.parametrize(
    ("matrix", "bits", "full"),
    [
        *((matrix, 8, False) for matrix in sorted(WEIGHTS)),
        ("bt709", 8, True),
        ("smpte170m", 8, True),
        ("bt709", 10, False),
        ("bt709", 10, True),
        ("bt2020nc", 10, False),
    ],
)
def test_tagged_colours_come_back(tmp_path: Path, matrix: str, bits: int, full: bool) -> None:
    path = tmp_path / "a.mp4"
    codes = [to_yuv(rgb, matrix, full, bits) for rgb in COLOURS]
    pixel_format = "yuv420p" if bits == 8 else "yuv420p10le"
    tags = f"range={'full' if full else 'limited'}:colorspace={matrix}:color_primaries=bt709"
    write_patches(path, codes, pixel_format, (48, 256), f"{tags}:color_trc=bt709")
    image, colour = extract_first(path)
    assert worst(patches(image)) <= 1
    assert (colour.matrix, colour.range, colour.assumed) == (
        matrix, "full" if full else "limited", (),
    )  # fmt: skip
    assert colour.policy == ("none" if bits == 8 else "10 bit rounded to 8 bit, no dither")


@pytest.mark.parametrize(
    ("size", "matrix"), [((720, 1280), "bt709"), ((580, 320), "bt709"), ((240, 320), "smpte170m")]
)
def test_untagged_colours_follow_the_size(
    tmp_path: Path, size: tuple[int, int], matrix: str
) -> None:
    path = tmp_path / "a.mp4"
    write_patches(path, [to_yuv(rgb, matrix, False, 8) for rgb in COLOURS], "yuv420p", size, "")
    image, colour = extract_first(path)
    assert worst(patches(image)) <= 1
    assert colour == Colour(
        matrix, "limited", "bt709", "bt709", ("matrix", "range", "transfer", "primaries")
    )


def test_a_full_range_video_read_as_limited_would_be_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    codes = [to_yuv(rgb, "bt709", True, 8) for rgb in COLOURS]
    write_patches(path, codes, "yuv420p", (48, 256), "range=limited:colorspace=bt709")
    assert worst(patches(extract_first(path)[0])) > 8


def test_rgb_video_comes_back_bit_for_bit(media: Media) -> None:
    path = media.clip(codec="ffv1", suffix=".mkv", pixel_format="bgr0", width=321, height=181)
    image, colour = extract_first(path)
    assert np.array_equal(image, picture(0, 181, 321))
    assert (colour.matrix, colour.range) == ("gbr", "full")


def _linear(kind: str, signal: float) -> float:
    """Display luminance in cd/m² of a grey signal (ITU-R BT.2100, tables 4 and 5)."""
    if kind == "smpte2084":
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        power = signal ** (1 / m2)
        return 10000 * (max(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = signal**2 / 3 if signal <= 0.5 else (np.exp((signal - c) / a) + b) / 12
    return 1000 * scene**1.2


def _hable(x: float) -> float:
    return (x * (0.15 * x + 0.05) + 0.004) / (x * (0.15 * x + 0.5) + 0.06) - 0.02 / 0.3


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_greys_follow_the_stated_curve(tmp_path: Path, transfer: str) -> None:
    path = tmp_path / "a.mp4"
    levels = [64, 200, 400, 502, 560, 600, 660, 721]
    tags = f"range=limited:colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"
    write_patches(path, [[y, 512, 512] for y in levels], "yuv420p10le", (48, 256), tags)
    image, colour = extract_first(path)
    found = np.array(patches(image))
    light = [_linear(transfer, (y - 64) / 876) / 100 for y in levels]
    expected = [255 * (_hable(x) / _hable(10)) ** (1 / 2.4) for x in light]
    assert np.abs(found - np.array(expected)[:, None]).max() <= 1
    assert "tone-mapped" in colour.policy
    assert "hable" in colour.policy


UNTAGGED = FrameInfo(
    0, "yuv420p", 3840, 2160, (1, 1), False, "unknown", "unknown", "unknown", "unknown", None, False
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "matrix", "range_", "transfer"),
    [
        ({}, "bt709", "limited", "bt709"),
        ({"matrix": "reserved"}, "bt709", "limited", "bt709"),
        ({"range": "pc"}, "bt709", "full", "bt709"),
        ({"pixel_format": "yuvj420p"}, "bt709", "full", "bt709"),
        ({"pixel_format": "gbrp"}, "gbr", "full", "bt709"),
        ({"width": 720, "height": 576}, "smpte170m", "limited", "bt709"),
        ({"matrix": "bt2020nc"}, "bt2020nc", "limited", "unknown"),
        ({"primaries": "bt2020"}, "bt709", "limited", "unknown"),
        ({"matrix": "ictcp"}, "ictcp", "limited", "bt709"),
    ],
)
def test_what_tags_leave_open(
    changes: dict[str, object], matrix: str, range_: str, transfer: str
) -> None:
    colour = resolve_colour(replace(UNTAGGED, **changes))
    assert (colour.matrix, colour.range, colour.transfer) == (matrix, range_, transfer)
    said = {name for name, value in changes.items() if value != "reserved"}
    assert not set(colour.assumed) & said


def test_the_colour_fits_the_dataset_record() -> None:
    colour = resolve_colour(UNTAGGED)
    record = ColourRecord(**vars(colour))
    assert {name: getattr(record, name) for name in vars(colour)} == vars(colour)
