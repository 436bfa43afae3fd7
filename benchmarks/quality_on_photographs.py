"""PSNR at 4K of any methods on a folder of photographs set in motion (paper track).

Frame 2, the ground truth, is the middle 3840×2160 of a photograph with a few of its own pieces
pasted in; in frames 1 and 3 the camera has moved, and the pieces on their own. Written to
benchmarks/results/quality-on-photographs.json. Usage:

    python benchmarks/quality_on_photographs.py FOLDER [--methods copy-reference,mertens,ipl]
"""

import argparse
import statistics
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
from synth.exposure import DEFAULT_EVS, synthesise_bracket

HEIGHT, WIDTH = 2160, 3840
# A third of the training pipeline's motion: at 4K, tens of pixels between frames.
SPEED = 1 / 3


def scene(path: Path, seed: int) -> tuple[Bracket, np.ndarray]:
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
    response = camera_response("sigmoid")
    exposures = synthesise_bracket(frames, DEFAULT_EVS, response)
    images = torch.from_numpy(np.stack(exposures)).permute(0, 3, 1, 2)[None].float().div_(255)
    return Bracket(images, DEFAULT_EVS, response), frames[1]


def measure(method: Method, bracket: Bracket, truth: np.ndarray) -> dict[str, float]:
    """PSNR and SSIM of one method on one scene."""
    picture = to_eight_bit(method.fuse(bracket))
    return {"psnr": psnr(picture, truth), "ssim": ssim(picture, truth)}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--methods", default="copy-reference,invert-response,mertens,gdc,ipl")
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--weights", type=Path, default=None, help="for learned methods")
    parser.add_argument("--name", default="quality-on-photographs")
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.folder.iterdir() if p.suffix.lower() in (".jpg", ".png"))
    if arguments.limit:
        paths = paths[:: max(1, len(paths) // arguments.limit)][: arguments.limit]
    methods = {}
    for name in arguments.methods.split(","):
        methods[name] = resolve(name)()
        learned = methods[name].info.kind == "learned"
        methods[name].load(arguments.weights if learned else None, torch.device("cpu"))
    rows = []
    for seed, path in enumerate(paths):
        bracket, truth = scene(path, seed)
        figures = {name: measure(method, bracket, truth) for name, method in methods.items()}
        rows.append({"photograph": path.name, "figures": figures})
        line = ", ".join(f"{name} {found['psnr']:.2f}" for name, found in figures.items())
        print(f"{path.name}: {line}", file=sys.stderr, flush=True)
    summary = {
        name: {
            key: statistics.median(row["figures"][name][key] for row in rows)
            for key in ("psnr", "ssim")
        }
        | {"lowest_psnr": min(row["figures"][name]["psnr"] for row in rows)}
        for name in methods
    }
    weights = {name: m.weights_sha256 for name, m in methods.items() if m.weights_sha256}
    print(
        report.write(
            arguments.name,
            {"size": [HEIGHT, WIDTH], "medians": summary, "weights": weights, "photographs": rows},
        )
    )


if __name__ == "__main__":
    main()
