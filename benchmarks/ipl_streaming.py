"""Memory and time of IPL by strips: `python benchmarks/ipl_streaming.py [--sizes 4K,8K]`.

Brackets of growing size on disk, as TIFFs that are not compressed (and one in compressed tiles),
are fused into a TIFF with `fuse_by_strips` under one bound, each in a process of its own; noted is
the peak of that process above what it holds before it begins. 4K and 8K are fused whole as well,
in another process, and the two results compared. The pictures are a generated moving scene,
repeated with mirrored edges and sheared. Needs 8 GB of disk and some minutes; writes
benchmarks/results/ipl_streaming.json after each size, where other sizes stay as they are.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray
from report import RESULTS, write

from dmef_bench.fuse_by_strips import fuse_by_strips, open_bracket
from dmef_bench.fuse_pictures import fuse_pictures, read_exposures
from dmef_bench.ipl import IPLMethod
from dmef_bench.ipl.weights_file import SHIPPED, load_network
from synth.camera_response import Sigmoid
from synth.exposure import DEFAULT_EVS, synthesise_bracket
from synth.moving_scenes import MovingScene

SIZES = {
    "4K": (2160, 3840),
    "8K": (4320, 7680),
    "8K in Deflate tiles": (4320, 7680),
    "16K": (8640, 15360),
    "30000 x 20000": (20000, 30000),
}
WHOLE = ("4K", "8K")
MAX_MEMORY = 512 * 2**20
NAMES = ("low.tif", "mid.tif", "high.tif")
SMALL = 720, 1280


def make_bracket(folder: Path, height: int, width: int, *, tiled: bool) -> None:
    """Three TIFFs of one size from one small moving scene."""
    scene = MovingScene(0, *SMALL)
    frames = (scene.frame(0.0), scene.frame(1 / 30), scene.frame(2 / 30))
    for name, small in zip(NAMES, synthesise_bracket(frames, DEFAULT_EVS, Sigmoid()), strict=True):
        if tiled:
            tifffile.imwrite(
                folder / name, tiles(small, height, width), shape=(height, width, 3),
                dtype=np.uint8, photometric="rgb", tile=(256, 256), compression="zlib",
            )  # fmt: skip
            continue
        picture = tifffile.memmap(
            folder / name, shape=(height, width, 3), dtype=np.uint8, photometric="rgb"
        )
        for top in range(0, height, 64):
            bottom = min(top + 64, height)
            picture[top:bottom] = part(small, (top, bottom), (0, width))
        picture.flush()


def part(
    small: NDArray[np.uint8], rows: tuple[int, int], columns: tuple[int, int]
) -> NDArray[np.uint8]:
    """A part of the large picture, (rows, columns, 3)."""
    y = np.arange(*rows)[:, None]
    x = np.arange(*columns) + y // 7
    return small[mirrored(y, small.shape[0]), mirrored(x, small.shape[1])]


def mirrored(place: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Places on a line that runs forth and back."""
    turn = place % (2 * length - 2)
    return np.minimum(turn, 2 * length - 2 - turn)


def tiles(small: NDArray[np.uint8], height: int, width: int) -> Iterator[NDArray[np.uint8]]:
    """All tiles of 256, row by row, also where they reach beyond the picture."""
    for top in range(0, height, 256):
        for left in range(0, width, 256):
            yield part(small, (top, top + 256), (left, left + 256))


def by_strips(folder: Path) -> dict[str, Any]:
    """Seconds and peak bytes of fusing by strips."""
    network, _ = load_network(SHIPPED)
    network.eval()
    warm = folder / "warm"
    warm.mkdir()
    make_bracket(warm, 64, 64, tiled=False)
    with open_bracket([warm / name for name in NAMES]) as bracket:
        fuse_by_strips(network, bracket, warm / "out.tif", MAX_MEMORY, quiet=True)
    before, start = peak(), time.perf_counter()
    with open_bracket([folder / name for name in NAMES]) as bracket:
        fuse_by_strips(network, bracket, folder / "out.tif", MAX_MEMORY, quiet=True)
        height, width = bracket.height, bracket.width
    return {
        "height": height,
        "width": width,
        "seconds": round(time.perf_counter() - start, 1),
        "peak_megabytes_above_start": round((peak() - before) / 1e6),
        "start_megabytes": round(before / 1e6),
        "bytes_read": sum((folder / name).stat().st_size for name in NAMES),
        "bytes_written": (folder / "out.tif").stat().st_size,
    }


def whole(folder: Path) -> dict[str, Any]:
    """The same by `fuse_pictures`, and how far the two results differ."""
    method = IPLMethod()
    method.load(None, torch.device("cpu"))
    small = [np.zeros((64, 64, 3), np.uint8)] * 3
    fuse_pictures(method, small, DEFAULT_EVS)
    before, start = peak(), time.perf_counter()
    result = fuse_pictures(method, read_exposures([folder / name for name in NAMES]), DEFAULT_EVS)
    seconds, most = time.perf_counter() - start, peak()
    streamed = tifffile.imread(folder / "out.tif")
    differences = np.abs(result.astype(np.int16) - streamed)
    return {
        "whole_seconds": round(seconds, 1),
        "whole_peak_megabytes_above_start": round((most - before) / 1e6),
        "largest_difference_in_levels": int(differences.max()),
        "differing_values": int(np.count_nonzero(differences)),
    }


def peak() -> int:
    """The most memory this process has held since its program began, in bytes.

    Not getrusage: its figure begins with that of the process this one was started from.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def alone(function: Callable[[Path], dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Call a function in a fresh process."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as fresh:
        return fresh.submit(function, folder).result()


def main() -> None:
    """Measure each size and write the file."""
    parser = argparse.ArgumentParser(description="Memory and time of IPL by strips.")
    parser.add_argument(
        "--sizes", default=",".join(SIZES), help="measured anew, separated by commas"
    )
    chosen = parser.parse_args().sizes.split(",")
    stored = RESULTS / "ipl_streaming.json"
    known = json.loads(stored.read_text(encoding="utf-8"))["sizes"] if stored.exists() else {}
    figures = {name: known[name] for name in SIZES if name in known}
    for name, (height, width) in SIZES.items():
        if name not in chosen:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            make_bracket(folder, height, width, tiled="tiles" in name)
            figures[name] = alone(by_strips, folder)
            if name in WHOLE:
                figures[name] |= alone(whole, folder)
        figures[name]["load_average"] = round(os.getloadavg()[0], 1)
        print(name, figures[name], flush=True)
        write("ipl_streaming", {"max_memory": MAX_MEMORY, "sizes": figures})


if __name__ == "__main__":
    main()
