"""Quality at 4K of any methods on a folder of photographs set in motion.

Frame 2, the ground truth, is the middle 3840×2160 of a photograph with a few of its own pieces
pasted in; in frames 1 and 3 the camera has moved, and the pieces on their own. PSNR is also given
for parts of the picture: where the reference is clipped in some channel, the rest, where things
move (frame 1 or 3 differs from frame 2 by more than 8 levels in some channel), and where both hold.

With --centre the middle of each 4K scene alone is fused and measured, its motion as it is; with
--tile those methods that the paper fed with less than the whole picture work in tiles of that side,
all others on the whole of what is measured. Writes benchmarks/results/quality-on-photographs.json,
or the --name given. Usage:

    python benchmarks/quality_on_photographs.py FOLDER [--methods copy-reference,mertens,ipl]
        [--track camera] [--limit 12] [--centre 1280x720] [--tile 512] [--name NAME]
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import report
import torch
from numpy.typing import NDArray

from baselines import Bracket, Method, resolve
from dmef_bench.cli.picture_size import parse_picture_size
from dmef_bench.evaluation import psnr, ssim, to_eight_bit
from dmef_bench.evaluation.freed_memory import keep_freed_memory
from dmef_bench.evaluation.protocols import TiledProtocol
from dmef_bench.picture_files import read_picture
from dmef_bench.training.photograph_motion import PhotographInMotion
from synth.camera_response import camera_response
from synth.camera_track import CameraOptions, camera_bracket, draw_camera, scene_key
from synth.exposure import DEFAULT_EVS, synthesise_bracket

HEIGHT, WIDTH = 2160, 3840
# A third of the training pipeline's motion: at 4K, tens of pixels between frames.
SPEED = 1 / 3
MOVING = 8
METHODS = "copy-reference,invert-response,mertens,gdc,ipl,ipl-plus"


@dataclass(frozen=True)
class Scene:
    """A bracket, its ground truth (H, W, 3), and the parts of the picture, each (H, W) bool."""

    bracket: Bracket
    truth: NDArray[np.uint8]
    parts: Mapping[str, NDArray[np.bool_]]


def scene(path: Path, seed: int, track: str, size: tuple[int, int]) -> Scene:
    """The middle, (height, width), of the 4K scene that is made from one photograph."""
    photograph = read_picture(path)
    if photograph.dtype != np.uint8 or min(np.subtract(photograph.shape[:2], (HEIGHT, WIDTH))) < 0:
        raise SystemExit(f"{path}: not an 8-bit picture of at least {WIDTH}×{HEIGHT}")
    view = np.ascontiguousarray(photograph[middle(photograph.shape, (HEIGHT, WIDTH))])
    motion = PhotographInMotion(
        view, HEIGHT, WIDTH, np.random.default_rng(seed), objects_from=photograph, speed=SPEED
    )
    frames = (motion.frame(-1), motion.frame(0), motion.frame(1))
    if track == "camera":
        camera = draw_camera(CameraOptions(DEFAULT_EVS), scene_key(0, path.name))
        exposures, evs, response = camera_bracket(frames, camera), camera.evs, camera.response
    else:
        evs, response = DEFAULT_EVS, camera_response("sigmoid")
        exposures = synthesise_bracket(frames, evs, response)
    cut = middle(view.shape, size)
    stack = np.stack([exposure[cut] for exposure in exposures])
    images = torch.from_numpy(stack).permute(0, 3, 1, 2)[None].float().div_(255)
    first, truth, last = (frame[cut].astype(np.int16) for frame in frames)
    clipped = stack[1].max(-1) == 255
    moving = np.maximum(abs(first - truth), abs(last - truth)).max(-1) > MOVING
    parts = {
        "clipped": clipped, "rest": ~clipped, "moving": moving, "moving_clipped": moving & clipped,
    }  # fmt: skip
    return Scene(Bracket(images, evs, response), truth.astype(np.uint8), parts)


def middle(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[slice, slice]:
    """Where the middle of a picture lies."""
    top, left = ((whole - part) // 2 for whole, part in zip(shape, size, strict=False))
    return slice(top, top + size[0]), slice(left, left + size[1])


def measure(method: Method, one: Scene, tile: int | None) -> dict[str, float]:
    """PSNR, that of the parts, and SSIM of one method on one scene."""
    if tile and method.info.paper_resolution is not None:
        picture = to_eight_bit(TiledProtocol(tile).predict(one.bracket, method.fuse))
    else:
        picture = to_eight_bit(method.fuse(one.bracket))
    found = {"psnr": psnr(picture, one.truth), "ssim": ssim(picture, one.truth)}
    for name, part in one.parts.items():
        pixels = picture[part][None], one.truth[part][None]
        found[f"psnr_{name}"] = psnr(*pixels) if part.any() else np.nan
    return found


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--track", choices=("paper", "camera"), default="paper")
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--centre", default=f"{WIDTH}x{HEIGHT}")
    parser.add_argument("--tile", type=int, default=None)
    parser.add_argument("--name", default="quality-on-photographs")
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.folder.iterdir() if p.suffix.lower() in (".jpg", ".png"))
    if arguments.limit:
        paths = paths[:: max(1, len(paths) // arguments.limit)][: arguments.limit]
    size = parse_picture_size("--centre", arguments.centre, 64)
    if size[0] > HEIGHT or size[1] > WIDTH:
        parser.error(f"--centre {arguments.centre}: a scene has {WIDTH}x{HEIGHT} pixels")
    keep_freed_memory()
    methods: dict[str, Method] = {}
    for name in arguments.methods.split(","):
        methods[name] = resolve(name)()
        methods[name].load(None, torch.device("cpu"))
    rows = []
    for seed, path in enumerate(paths):
        one = scene(path, seed, arguments.track, size)
        figures = {name: measure(method, one, arguments.tile) for name, method in methods.items()}
        shares = {name: float(part.mean()) for name, part in one.parts.items()}
        rows.append({"photograph": path.name, "shares": shares, "figures": figures})
        line = ", ".join(f"{name} {found['psnr']:.2f}" for name, found in figures.items())
        print(f"{path.name}: {line}", file=sys.stderr, flush=True)
    summary = {
        name: {
            key: float(np.nanmedian([row["figures"][name][key] for row in rows]))
            for key in rows[0]["figures"][name]
        }
        | {"lowest_psnr": min(row["figures"][name]["psnr"] for row in rows)}
        for name in methods
    }
    weights = {name: m.weights_sha256 for name, m in methods.items() if m.weights_sha256}
    print(
        report.write(
            arguments.name,
            {
                "size": size,
                "tile": arguments.tile,
                "track": arguments.track,
                "medians": summary,
                "weights": weights,
                "photographs": rows,
            },
        )
    )


if __name__ == "__main__":
    main()
