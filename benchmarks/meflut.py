"""MEFLUT's fusion of 4K pictures beside its steps one by one: `python benchmarks/meflut.py`.

Three exposures of a generated scene at 3840×2160 and tables that fall, stay and rise with
brightness: the method as it is (small pictures by blocks first, fusion by strips), the same steps
on whole planes as the paper's figure has them, and OpenCV's MergeMertens. One thread, about a
minute; writes benchmarks/results/meflut.json. On a machine that has other work trust the ratios.
"""

import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
from report import median_seconds, write
from torch import Tensor
from torch.nn import functional

from baselines import Bracket, Method, resolve
from baselines.meflut.fusion import SMALL_SIDE, guided_lines
from baselines.meflut.tables import looked_up, read_tables
from synth.camera_response import Sigmoid
from synth.exposure import DEFAULT_EVS, synthesise_bracket
from synth.moving_scenes import MovingScene

HEIGHT, WIDTH = 2160, 3840
REPEATS = 3


def main() -> None:
    """Measure the three and write the file."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    scene = MovingScene(0, HEIGHT, WIDTH)
    frame = scene.frame(0)
    exposures = np.stack(synthesise_bracket((frame, frame, frame), DEFAULT_EVS, Sigmoid()))
    images = torch.from_numpy(exposures.transpose(0, 3, 1, 2) / np.float32(255))[None]
    bracket = Bracket(images.contiguous(), DEFAULT_EVS)
    with tempfile.TemporaryDirectory() as folder:
        tables = write_tables(Path(folder))
        method = ready("meflut", Path(folder))
    mertens = ready("mertens", None)
    with torch.inference_mode():
        seconds = {
            "meflut": median_seconds(lambda: method.fuse(bracket), REPEATS),
            "the same on whole planes": median_seconds(
                lambda: on_whole_planes(bracket.images, tables), REPEATS
            ),
            "mertens (OpenCV)": median_seconds(lambda: mertens.fuse(bracket), REPEATS),
        }
        off = (method.fuse(bracket) - on_whole_planes(bracket.images, tables)).abs().max()
    written = write(
        "meflut",
        {
            "picture": f"generated still scene, {WIDTH}x{HEIGHT}, float32",
            "threads": torch.get_num_threads(),
            "load_average": round(os.getloadavg()[0], 1),
            "repeats": REPEATS,
            "seconds": {name: round(value, 3) for name, value in seconds.items()},
            "times_as_fast_as": {
                name: round(value / seconds["meflut"], 2)
                for name, value in seconds.items()
                if name != "meflut"
            },
            "largest_difference_to_whole_planes": float(off),
        },
    )
    print(written.read_text(encoding="utf-8"))


def ready(name: str, weights: Path | None) -> Method:
    """A loaded method on the processor."""
    method = resolve(name)()
    method.load(weights, torch.device("cpu"))
    return method


def write_tables(folder: Path) -> Tensor:
    """Tables in the authors' form, and as they are read."""
    ramp = np.linspace(0, 1, 256)
    for number, table in enumerate((1 - ramp, np.full(256, 0.25), ramp)):
        text = ",".join(f"{value:.7f}" for value in table)
        (folder / f"{number}_weight.txt").write_text(text, encoding="ascii")
    return read_tables(folder)[0]


def on_whole_planes(images: Tensor, tables: Tensor) -> Tensor:
    """The paper's steps as they are told: Y, Cb and Cr, small Y, tables, guided filter, sums."""
    size = images.shape[-2:]
    red, green, blue = images.unbind(2)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    cb = 0.5 - 0.168736 * red - 0.331264 * green + 0.5 * blue
    cr = 0.5 + 0.5 * red - 0.418688 * green - 0.081312 * blue
    small = tuple(side * SMALL_SIDE // min(size) for side in size)
    luma = functional.interpolate(y, small, mode="bilinear", antialias=True)
    slope, offset = (
        functional.interpolate(line, size, mode="bilinear")
        for line in guided_lines(luma, looked_up(tables, luma))
    )

    def mean(values: Tensor, weights: Tensor) -> Tensor:
        weights = weights.abs() + 1e-8
        return (values * (weights / weights.sum(1, keepdim=True))).sum(1)

    y, cb, cr = mean(y, slope * y + offset), mean(cb, cb - 0.5) - 0.5, mean(cr, cr - 0.5) - 0.5
    planes = (y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb)
    return torch.stack(planes, 1).clamp(0, 1)


if __name__ == "__main__":
    main()
