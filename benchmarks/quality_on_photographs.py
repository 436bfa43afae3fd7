"""PSNR at 4K of any methods on a folder of photographs set in motion.

Frame 2, the ground truth, is the middle 3840×2160 of a photograph with a few of its own pieces
pasted in; in frames 1 and 3 the camera has moved, and the pieces on their own. Written to
benchmarks/results/quality-on-photographs.json. PSNR is also given for the pixels where the
reference is clipped in some channel, and for the rest. Usage:

    python benchmarks/quality_on_photographs.py FOLDER [--methods copy-reference,mertens,ipl]
        [--track camera]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import report
import torch

from baselines import Bracket, Method, resolve
from dmef_bench.evaluation import psnr, ssim, to_eight_bit
from dmef_bench.picture_files import read_picture
from dmef_bench.training.photograph_motion import PhotographInMotion
from synth.camera_response import camera_response
from synth.camera_track import CameraOptions, camera_bracket, draw_camera, scene_key
from synth.exposure import DEFAULT_EVS, synthesise_bracket

HEIGHT, WIDTH = 2160, 3840
# A third of the training pipeline's motion: at 4K, tens of pixels between frames.
SPEED = 1 / 3
METHODS = "copy-reference,invert-response,mertens,gdc,ipl,ipl-plus"


def scene(path: Path, seed: int, track: str) -> tuple[Bracket, np.ndarray]:
    """The bracket and the ground truth (H, W, 3) made from one photograph."""
    photograph = read_picture(path)
    top = (photograph.shape[0] - HEIGHT) // 2
    left = (photograph.shape[1] - WIDTH) // 2
    if min(top, left) < 0 or photograph.dtype != np.uint8:
        raise SystemExit(f"{path}: not an 8-bit picture of at least {WIDTH}×{HEIGHT}")
    view = np.ascontiguousarray(photograph[top : top + HEIGHT, left : left + WIDTH])
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
    images = torch.from_numpy(np.stack(exposures)).permute(0, 3, 1, 2)[None].float().div_(255)
    return Bracket(images, evs, response), frames[1]


def measure(method: Method, bracket: Bracket, truth: np.ndarray) -> dict[str, float]:
    """PSNR and SSIM of one method on one scene."""
    picture = to_eight_bit(method.fuse(bracket))
    clipped = bracket.reference[0].amax(0).numpy() == 1
    return {
        "psnr": psnr(picture, truth),
        "ssim": ssim(picture, truth),
        "psnr_clipped": psnr(picture[clipped][None], truth[clipped][None])
        if clipped.any()
        else float("nan"),
        "psnr_rest": psnr(picture[~clipped][None], truth[~clipped][None]),
        "clipped_share": float(clipped.mean()),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--track", choices=("paper", "camera"), default="paper")
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--name", default="quality-on-photographs")
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.folder.iterdir() if p.suffix.lower() in (".jpg", ".png"))
    if arguments.limit:
        paths = paths[:: max(1, len(paths) // arguments.limit)][: arguments.limit]
    methods = {}
    for name in arguments.methods.split(","):
        methods[name] = resolve(name)()
        methods[name].load(None, torch.device("cpu"))
    rows = []
    for seed, path in enumerate(paths):
        bracket, truth = scene(path, seed, arguments.track)
        figures = {name: measure(method, bracket, truth) for name, method in methods.items()}
        rows.append({"photograph": path.name, "figures": figures})
        line = ", ".join(f"{name} {found['psnr']:.2f}" for name, found in figures.items())
        print(f"{path.name}: {line}", file=sys.stderr, flush=True)
    summary = {
        name: {
            key: float(np.nanmedian([row["figures"][name][key] for row in rows]))
            for key in ("psnr", "ssim", "psnr_clipped", "psnr_rest")
        }
        | {"lowest_psnr": min(row["figures"][name]["psnr"] for row in rows)}
        for name in methods
    }
    weights = {name: m.weights_sha256 for name, m in methods.items() if m.weights_sha256}
    print(
        report.write(
            arguments.name,
            {
                "size": [HEIGHT, WIDTH],
                "track": arguments.track,
                "medians": summary,
                "weights": weights,
                "photographs": rows,
            },
        )
    )


if __name__ == "__main__":
    main()
