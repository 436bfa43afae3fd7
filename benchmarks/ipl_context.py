"""Does it help IPL to train on crops that know their picture, and what does a step cost?

    python benchmarks/ipl_context.py TRAIN HELD_OUT OUT [--steps N] [--crop N] [--limit N]

Two trainings of `ipl` from the same random numbers on the very same crops of the photographs in
TRAIN, set in motion: one sees the crops alone, the other also the reduced picture around them, as
`train --context whole-picture` does. Both are judged on crops like those trained on, in the middle
of 4K scenes of the photographs in HELD_OUT, and on those whole scenes. OUT holds the trainings,
resumed where they were. Writes benchmarks/results/ipl_context.json.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from quality_on_photographs import HEIGHT, WIDTH, Scene, measure, middle, scene
from report import write

from baselines import Bracket, Method
from dmef_bench.evaluation.freed_memory import keep_freed_memory
from dmef_bench.ipl import IPL, IPLConfig, IPLMethod
from dmef_bench.training import (
    MovingPhotographs,
    Sample,
    SampleKey,
    TrainSettings,
    find_recipe,
    train,
)
from dmef_bench.training.context import CONTEXT_SIDE, WHOLE, InContext

CPU = torch.device("cpu")
REPEATS = 9


class WithoutContext(InContext):
    """The same crops, alone."""

    def sample(self, key: SampleKey) -> Sample:
        """The sample of that key."""
        whole = super().sample(key)
        return Sample(whole.images, whole.target)


def main() -> None:
    """Train both, judge them and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for folder in ("train", "held_out", "out"):
        parser.add_argument(folder, type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--limit", type=int, default=3)
    options = parser.parse_args()
    keep_freed_memory()
    paths = sorted(path for path in options.held_out.iterdir() if path.suffix.lower() == ".jpg")
    paths = paths[:: max(1, len(paths) // options.limit)][: options.limit]
    scenes = [scene(path, seed, "paper", (HEIGHT, WIDTH)) for seed, path in enumerate(paths)]
    crops = [cut(one, options.crop) for one in scenes]
    arms: dict[str, Any] = {}
    for name, kind in (("crops alone", WithoutContext), ("whole-picture", InContext)):
        source = kind(MovingPhotographs(options.train, WHOLE * options.crop), options.crop)
        settings = TrainSettings(
            steps=options.steps, learning_rate=1e-3, validate_every=options.steps
        )  # fmt: skip
        folder = options.out / name.replace(" ", "-")
        train(find_recipe("ipl"), source, settings, folder, device=CPU, workers=1)
        method = IPLMethod()
        method.load(folder / "weights.safetensors", CPU)
        arms[name] = {
            "seconds_a_step": step_seconds(options.crop, in_context=kind is InContext),
            "whole": psnrs(method, scenes),
            "crops": psnrs(method, crops),
        }
        print(name, arms[name], flush=True)
    data = {
        "steps": options.steps, "crop": options.crop, "batch": 4, "seed": 0,
        "size": [HEIGHT, WIDTH], "arms": arms,
    }  # fmt: skip
    print(write("ipl_context", data))


def cut(one: Scene, side: int) -> Scene:
    """The middle of a scene."""
    here = middle((HEIGHT, WIDTH), (side, side))
    bracket = one.bracket
    return Scene(
        Bracket(bracket.images[..., *here].contiguous(), bracket.evs, bracket.response),
        one.truth[here],
        {name: part[here] for name, part in one.parts.items()},
    )


def psnrs(method: Method, scenes: list[Scene]) -> dict[str, Any]:
    """Of every scene, and their median."""
    each = [measure(method, one, None)["psnr"] for one in scenes]
    return {"median_psnr": float(np.median(each)), "psnr": each}


def step_seconds(crop: int, *, in_context: bool) -> float:
    """Median of training steps without their data: forward, backward, optimiser; batches of 4."""
    network = IPL(IPLConfig())
    optimiser = torch.optim.AdamW(network.parameters())
    images, around = torch.rand(4, 3, 3, crop, crop), torch.rand(4, 3, 3, *2 * [CONTEXT_SIDE])
    place = torch.tensor([[0.2, 0.3, 1 / WHOLE, 1 / WHOLE]]).expand(4, 4)
    took = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        optimiser.zero_grad()
        fused = network(images, around, place) if in_context else network(images)
        (fused - images[:, 1]).abs().mean().backward()
        optimiser.step()
        took.append(time.perf_counter() - start)
    return statistics.median(took)


if __name__ == "__main__":
    main()
