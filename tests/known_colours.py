"""Moving pictures of known colours in any sampling, range and bit depth, and what must come back.

The way from colour signals to code values and back, and from HDR signals to SDR, is written here
from the standards (ITU-R BT.601, BT.709, BT.1886, BT.2020, BT.2100) and shares nothing with the
package: pictures that a decoder gives are compared with these.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from media import Picture, run_encoder
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

Signal = NDArray[np.float64]
PATCH, STRIP, STEP = 32, 16, 8
# Kr and Kb of each matrix.
WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "smpte170m": (0.299, 0.114),
    "bt2020nc": (0.2627, 0.0593),
}
# Linear light of these primaries, white D65, to that of BT.709.
_TO_BT709 = {
    "bt2020": [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349],
               [-0.018151, -0.100579, 1.118730]],
    "smpte432": [[1.224940, -0.224940, 0], [-0.042057, 1.042057, 0],
                 [-0.019638, -0.078636, 1.098274]],
}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A clip of moving patches.

    Attributes:
        pixel_format: planar YUV, perhaps with alpha ("yuv420p10le", "yuva444p10le").
        matrix: key of `WEIGHTS`; full: whether the range is.
        transfer: ffmpeg's name; primaries likewise.
        encoder: options of ffmpeg's output; suffix decides the container.
        times: setpts expression in units of 1/60000 s; empty for 30 frames a second.
    """

    encoder: tuple[str, ...]
    suffix: str
    pixel_format: str = "yuv420p"
    matrix: str = "bt709"
    full: bool = False
    transfer: str = "bt709"
    primaries: str = "bt709"
    width: int = 320
    height: int = 180
    count: int = 24
    times: str = ""

    @property
    def bits(self) -> int:
        """A sample has this many."""
        return 10 if "10" in self.pixel_format else 8

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of pixels that share a colour sample."""
        return {"420": (2, 2), "422": (1, 2), "444": (1, 1)}[self.pixel_format.split("p")[0][-3:]]


def write(known: Known, path: Path) -> Path:
    """Encode the clip; the code values reach the encoder as computed here."""
    kind = "<u2" if known.bits > 8 else np.uint8
    raw = []
    for number in range(known.count):
        planes = codes(known, number)
        if "yuva" in known.pixel_format:
            planes.append(np.full_like(planes[0], 2**known.bits - 1))
        raw += [plane.astype(kind).tobytes() for plane in planes]
    tags = (
        f"setparams=range={'full' if known.full else 'limited'}:colorspace={known.matrix}"
        f":color_primaries={known.primaries}:color_trc={known.transfer}"
    )
    times = f",settb=1/60000,setpts={known.times}" if known.times else ""
    run_encoder(
        "-f", "rawvideo", "-pix_fmt", known.pixel_format,
        "-s", f"{known.width}x{known.height}", "-r", "30", "-i", "-",
        "-vf", tags + times, "-fps_mode", "passthrough", "-g", "12",
        *(("-enc_time_base", "1:60000") if known.times else ()), *known.encoder, str(path),
        data=b"".join(raw),
    )  # fmt: skip
    return path


@functools.cache
def _patches(columns: int, rows: int) -> Signal:
    return np.random.default_rng(3).uniform(0, 1, (rows, columns, 3))


def signal(known: Known, number: int) -> Signal:
    """(H, W, 3) red, green and blue signals in [0, 1]: patches that move left, and the number."""
    across = _patches(4 * known.width // PATCH, known.height // PATCH + 1)
    wide = np.repeat(np.repeat(across, PATCH, 0), PATCH, 1)
    start = STEP * number
    image = wide[: known.height, start : start + known.width].copy()
    block = known.width // 8 // 2 * 2
    image[:STRIP] = 0.0
    for bit in range(8):
        image[:STRIP, bit * block : (bit + 1) * block] = number >> bit & 1
    return image


def codes(known: Known, number: int) -> list[NDArray[np.int64]]:
    """Planes of Y, Cb and Cr code values; a colour sample is the mean of its block."""
    red, blue = WEIGHTS[known.matrix]
    image = signal(known, number)
    luma = image @ (red, 1 - red - blue, blue)
    chroma = (image[..., 2] - luma) / (2 - 2 * blue), (image[..., 0] - luma) / (2 - 2 * red)
    high, wide = known.blocks
    planes = [luma]
    for plane in chroma:
        padded = np.pad(plane, ((0, -plane.shape[0] % high), (0, -plane.shape[1] % wide)), "edge")
        rows, columns = padded.shape
        planes.append(padded.reshape(rows // high, high, columns // wide, wide).mean((1, 3)))
    unit, top = 2 ** (known.bits - 8), 2**known.bits - 1
    if known.full:
        values = planes[0] * top, *(plane * top + 128 * unit for plane in planes[1:])
    else:
        values = (
            (219 * planes[0] + 16) * unit,
            *((224 * plane + 128) * unit for plane in planes[1:]),
        )
    return [np.clip(np.rint(value), 0, top).astype(np.int64) for value in values]


def decoded(known: Known, number: int) -> Signal:
    """(H, W, 3) signals that the rounded code values stand for; colour samples are repeated."""
    red, blue = WEIGHTS[known.matrix]
    unit, top = 2 ** (known.bits - 8), 2**known.bits - 1
    luma, cb, cr = (plane.astype(np.float64) for plane in codes(known, number))
    high, wide = known.blocks
    cb, cr = (
        np.repeat(np.repeat(plane, high, 0), wide, 1)[: known.height, : known.width]
        for plane in (cb, cr)
    )
    if known.full:
        luma, cb, cr = luma / top, (cb - 128 * unit) / top, (cr - 128 * unit) / top
    else:
        luma = (luma / unit - 16) / 219
        cb, cr = (cb / unit - 128) / 224, (cr / unit - 128) / 224
    r, b = luma + (2 - 2 * red) * cr, luma + (2 - 2 * blue) * cb
    return np.stack([r, (luma - red * r - blue * b) / (1 - red - blue), b], axis=-1)


def wanted(known: Known, number: int) -> Picture:
    """(H, W, 3) uint8: picture `number` as it must be extracted, where colours are even."""
    image = decoded(known, number)
    if known.transfer in ("smpte2084", "arib-std-b67"):
        image = tone_mapped(light(known.transfer, image), known.primaries)
    return np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)


def light(transfer: str, image: Signal) -> Signal:
    """Display light in cd/m² by BT.2100: table 4 for PQ, table 5 for HLG at 1000 cd/m²."""
    image = np.maximum(image, 0)
    if transfer == "smpte2084":
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = image ** (1 / m2)
        return 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(image <= 0.5, image**2 / 3, (np.exp((image - c) / a) + b) / 12)
    luminance = scene @ (0.2627, 0.6780, 0.0593)
    return 1000 * np.maximum(luminance, 1e-12)[..., None] ** 0.2 * scene


def tone_mapped(display_light: Signal, primaries: str) -> Signal:
    """SDR signals: to BT.709, Hable's curve on the largest component, inverse of BT.1886."""
    linear = display_light / 100 @ np.array(_TO_BT709[primaries]).T
    largest = np.maximum(linear.max(-1, keepdims=True), 1e-6)
    mapped = linear * (_hable(largest) / _hable(np.float64(10)) / largest)
    return np.clip(mapped, 0, 1) ** (1 / 2.4)


def _hable(x: Signal | np.float64) -> Signal:
    return (x * (0.15 * x + 0.05) + 0.004) / (x * (0.15 * x + 0.5) + 0.06) - 0.02 / 0.3


def even(known: Known, number: int, radius: int = 8) -> NDArray[np.bool_]:
    """(H, W) where no edge is within `radius` pixels, so that no filter mixes colours."""
    image, size = signal(known, number), (2 * radius + 1, 2 * radius + 1, 1)
    return (maximum_filter(image, size) == minimum_filter(image, size)).all(-1)


def number_of(known: Known, image: Picture) -> int:
    """The number in the strip of an extracted picture."""
    block = known.width // 8 // 2 * 2
    middle = image[4:12, block // 2 : 8 * block : block].mean((0, 2)) > 128
    return sum(1 << place for place, bit in enumerate(middle) if bit)
