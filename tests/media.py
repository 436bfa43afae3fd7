"""Small test videos made by ffmpeg: known moving pictures in any codec, container and geometry.

Every picture carries its number as a strip of black and white blocks, so that a test can tell
which frame it holds, after any lossy codec.
"""

import functools
import hashlib
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dmef_bench.video.ffmpeg import ffmpeg_executable

Picture = NDArray[np.uint8]
_BITS = 8
# Ticks of 1/60000 s at which picture N of a clip of variable frame rate is shown.
VARIABLE = "2000*N+100*N*N"

ENCODERS = {
    "h264": ("libx264", "-preset", "ultrafast", "-crf", "16"),
    "h264-lossless": ("libx264", "-preset", "ultrafast", "-qp", "0"),
    "h264-open-gop": ("libx264", "-preset", "veryfast", "-x264-params", "open-gop=1:bframes=3"),
    "h264-interlaced": ("libx264", "-preset", "ultrafast", "-flags", "+ildct+ilme"),
    "hevc": ("libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:open-gop=1"),
    "vp9": ("libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"),
    "vp8": ("libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"),
    "mpeg4": ("mpeg4", "-q:v", "3"),
    "mjpeg": ("mjpeg", "-q:v", "3"),
    "prores": ("prores_ks",),
    "ffv1": ("ffv1",),
    "huffyuv": ("huffyuv",),
}


@dataclass(frozen=True)
class Spec:
    """A test video.

    Attributes:
        codec: a key of `ENCODERS`; suffix: of the file, which decides the container.
        pictures: what is shown: "pan", "still", "cut", "doubled", "shaken", "fade" or "#rrggbb".
        count: pictures; fps: a second; keyframes: distance between keyframes.
        pixel_format: of the coded video.
        tags: encoder options that state the colour.
        times: setpts expression, in units of 1/60000 s, that makes the frame rate vary.
        output: further options of ffmpeg's output; remux: of a second pass that copies packets.
    """

    codec: str = "h264"
    suffix: str = ".mp4"
    width: int = 320
    height: int = 180
    pictures: str = "pan"
    count: int = 40
    fps: int = 30
    keyframes: int = 12
    pixel_format: str = "yuv420p"
    tags: tuple[str, ...] = ()
    times: str = ""
    output: tuple[str, ...] = ()
    remux: tuple[str, ...] = ()


class Media:
    """Makes each video once, into a folder of the test session."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clip(self, **changes: object) -> Path:
        """The file of `Spec(**changes)`."""
        spec = replace(Spec(), **changes)
        name = hashlib.sha256(repr(spec).encode()).hexdigest()[:12] + spec.suffix
        path = self._folder / name
        if not path.exists():
            _write(spec, path)
        return path


def run_encoder(*arguments: str, data: bytes = b"") -> None:
    """Run ffmpeg as a user would, without any of the package's limits."""
    command = [ffmpeg_executable(), "-v", "error", "-y", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


def picture(number: int, height: int, width: int, *, shift: int | None = None) -> Picture:
    """Picture `number` of the panning scene: (H, W, 3) texture, a moving square, the number."""
    shift = 3 * number if shift is None else shift
    texture = _texture(height, 4 * max(height, width))
    image = texture[:, shift : shift + width].copy()
    side = height // 5
    x = (width // 4 + 5 * number) % (width - side)
    image[height // 3 : height // 3 + side, x : x + side] = (220, 60, 40)
    return with_number(image, number)


def with_number(image: Picture, number: int) -> Picture:
    """The picture with `number` in its strip."""
    block = image.shape[1] // _BITS
    for bit in range(_BITS):
        image[:16, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 20
    return image


def number_of(image: Picture) -> int:
    """The number in the strip of a picture that is upright."""
    block = image.shape[1] // _BITS
    bits = [image[4:12, bit * block + block // 2].mean() > 128 for bit in range(_BITS)]
    return sum(1 << place for place, bit in enumerate(bits) if bit)


def scene(spec: Spec) -> list[Picture]:
    """The pictures of a spec before encoding."""
    size = spec.height, spec.width
    if spec.pictures.startswith("#"):
        colour = np.frombuffer(bytes.fromhex(spec.pictures[1:]), np.uint8)
        return [np.broadcast_to(colour, (*size, 3)).copy()] * spec.count
    images = []
    for number in range(spec.count):
        image = picture(number, *size)
        if spec.pictures == "still":
            image = picture(0, *size)
        elif spec.pictures == "doubled":
            image = picture(number // 2, *size)
        elif spec.pictures == "cut" and number >= spec.count // 2:
            image = with_number(np.ascontiguousarray(255 - image[::-1, ::-1]), number)
        elif spec.pictures == "shaken" and number % 7 in (1, 2):
            shifts = [picture(number, *size, shift=3 * number + by) for by in range(0, 24, 2)]
            image = with_number(np.mean(shifts, axis=0).astype(np.uint8), number)
        elif spec.pictures == "fade":
            image = (picture(0, *size) * ((number + 1) / spec.count)).astype(np.uint8)
        images.append(image)
    return images


@functools.cache
def _texture(height: int, width: int) -> Picture:
    random = np.random.default_rng(7)
    image = np.full((height, width, 3), 90.0)
    for _ in range(height * width // 400):
        y, x, side = random.integers(height), random.integers(width), 2 + random.integers(24)
        image[y : y + side, x : x + side] = random.integers(30, 226, 3)
    return image.astype(np.uint8)


def _write(spec: Spec, path: Path) -> None:
    raw = b"".join(image.tobytes() for image in scene(spec))
    filters = [f"settb=1/60000,setpts={spec.times}"] if spec.times else []
    if spec.codec == "h264-interlaced":
        filters.append("setfield=tff")
    first = path.with_name(f"first-{path.name}") if spec.remux else path
    run_encoder(
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{spec.width}x{spec.height}",
        "-r", str(spec.fps), "-i", "-",
        *(("-vf", ",".join(filters)) if filters else ()), "-fps_mode", "passthrough",
        "-pix_fmt", spec.pixel_format, "-g", str(spec.keyframes),
        "-c:v", *ENCODERS[spec.codec], *(("-enc_time_base", "1:60000") if spec.times else ()),
        *spec.tags, *spec.output, str(first),
        data=raw,
    )  # fmt: skip
    if spec.remux:
        before = spec.remux[: spec.remux.index("-i")]
        after = spec.remux[spec.remux.index("-i") + 1 :]
        run_encoder(*before, "-i", str(first), "-c", "copy", *after, str(path))
