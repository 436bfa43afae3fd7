"""Fit the coders that compress cached blocks of IPL: `python -m dmef_bench.training.cache_coders`.

On the features that IPL's local feature extractors give for generated scenes. CNN-C starts at the
principal components of the first scenes' channels, CNN-W at the mean of two columns; then both
follow the gradient of their mean squared error, each coder by itself.
"""

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from dmef_bench.atomic_write import atomic_write
from dmef_bench.ipl import IPL
from dmef_bench.ipl.block_coders import SHIPPED_CODERS, BlockCoder, BlockCoders, coder_tensors
from dmef_bench.ipl.daem import LocalFeatureExtractor
from dmef_bench.ipl.weights_file import SHIPPED, load_network
from dmef_bench.progress import progress_bar
from dmef_bench.training.generated import generated_sample
from dmef_bench.training.tensor_file import tensor_file

Place = tuple[int, str]

_RATE: Final = 2e-3
_BATCHES: Final = 6
_SCENES: Final = 2
# The seed of the scenes that no fit sees.
_HELD_OUT: Final = 10**6


def extractor_features(network: IPL, images: Tensor) -> dict[Place, Tensor]:
    """F_LFE of every FIB and dimension, as blocks that have the channels of cached ones.

    Args:
        network: in evaluation mode.
        images: (B, 3, 3, H, W) in [0, 1].

    Returns:
        (N, c, h, w) by number of the FIB and dimension; N is the batch, times the number of
        channel blocks for "C".
    """
    found: dict[Place, Tensor] = {}
    handles = []

    def keep(place: Place, size: int) -> None:
        def hook(_: nn.Module, __: object, output: Tensor) -> None:
            height, width = output.shape[-2:]
            found[place] = output.detach().reshape(-1, size, height, width).clone()

        handles.append(module.register_forward_hook(hook))

    for number, block in enumerate(network.blocks):
        for module in block.modules():
            if isinstance(module, LocalFeatureExtractor):
                keep((number, module.dimension), module.squeeze.in_channels)
    try:
        with torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return found


def new_coders(features: dict[Place, Tensor]) -> tuple[BlockCoders, BlockCoders]:
    """CNN-W and CNN-C where their fitting starts.

    Args:
        features: of some scenes, as `extractor_features` gives them.
    """
    channels = {place: blocks.shape[1] for place, blocks in features.items()}
    width, depth = BlockCoders("cnn-width", channels), BlockCoders("cnn-channels", channels)
    for (fib, dimension), blocks in features.items():
        _start_at_means(width.coder(fib, dimension))
        _start_at_components(depth.coder(fib, dimension), blocks)
    return width, depth


def fit_step(coders: BlockCoders, features: dict[Place, Tensor]) -> Tensor:
    """The loss whose gradient is followed: mean squared error by variance, summed over coders."""
    losses = [
        (coders.coder(*place)(blocks) - blocks).square().mean() / blocks.var().clamp(min=1e-12)
        for place, blocks in features.items()
    ]
    return torch.stack(losses).sum()


def fit(network: IPL, steps: int, crop: int, seed: int) -> tuple[BlockCoders, BlockCoders]:
    """Fit CNN-W and CNN-C to a network.

    Args:
        network: in evaluation mode.
        steps: of Adam, the batches of scenes in turn; the rate falls along half a cosine.
        crop: side of the scenes in pixels.
        seed: of the scenes.
    """
    batches = [extractor_features(network, images) for images in _scenes(crop, seed)]
    both = new_coders(batches[0])
    parameters = [parameter for coders in both for parameter in coders.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=_RATE)
    with progress_bar() as bar:
        for step in bar.track(range(steps), description="steps"):
            features = batches[step % len(batches)]
            for group in optimiser.param_groups:
                group["lr"] = _RATE * (1 + math.cos(math.pi * step / steps)) / 2
            loss = torch.stack([fit_step(coders, features) for coders in both]).sum()
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    return both


def held_out_decibels(network: IPL, coders: BlockCoders, crop: int) -> float:
    """Variance of the features by the coders' squared error, in dB, mean over coders."""
    ratios: list[float] = []
    with torch.no_grad():
        for images in _scenes(crop, _HELD_OUT):
            for place, blocks in extractor_features(network, images).items():
                error = (coders.coder(*place)(blocks) - blocks).square().mean()
                ratios.append(float(10 * torch.log10(blocks.var() / error)))
    return sum(ratios) / len(ratios)


def _scenes(crop: int, seed: int) -> Iterator[Tensor]:
    for batch in range(_BATCHES):
        scenes = [
            generated_sample(crop, np.random.default_rng([seed, batch, n])).images
            for n in range(_SCENES)
        ]
        yield torch.from_numpy(np.stack(scenes)).float() / 255


@torch.no_grad()
def _start_at_means(coder: BlockCoder) -> None:
    for name, parameter in coder.named_parameters():
        parameter.zero_()
        if name.endswith("weight"):
            parameter[..., 1:3] = 0.5 if name.startswith("there") else 1.0


@torch.no_grad()
def _start_at_components(coder: BlockCoder, blocks: Tensor) -> None:
    pixels = blocks.movedim(1, -1).flatten(0, -2).double()
    mean = pixels.mean(0)
    _, vectors = torch.linalg.eigh((pixels - mean).T @ (pixels - mean))
    weights = dict(coder.named_parameters())
    kept = vectors.flip(1)[:, : weights["there.weight"].shape[0]]
    weights["there.weight"].copy_(kept.T[..., None, None])
    weights["there.bias"].copy_(-(kept.T @ mean))
    weights["back.weight"].copy_(kept[..., None, None])
    weights["back.bias"].copy_(mean)


def main() -> None:
    """Fit the coders of a weights file and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="of the network")
    parser.add_argument("--out", type=Path, default=SHIPPED_CODERS)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)  # the tensors are small
    network, sha256 = load_network(options.weights)
    network.eval()
    both = fit(network, options.steps, options.crop, options.seed)
    channels = {
        f"{number}{module.dimension}": module.squeeze.in_channels
        for number, block in enumerate(network.blocks)
        for module in block.modules()
        if isinstance(module, LocalFeatureExtractor)
    }
    metadata = {
        "channels": json.dumps(channels),
        "made_by": (
            f"python -m dmef_bench.training.cache_coders --steps {options.steps} "
            f"--crop {options.crop} --seed {options.seed}"
        ),
        "weights_sha256": sha256,
    }
    for coders in both:
        decibels = held_out_decibels(network, coders, options.crop)
        metadata[f"held-out {coders.kind}"] = f"{decibels:.2f} dB"
        print(f"{coders.kind}: {decibels:.2f} dB on held-out scenes")
    atomic_write(options.out, tensor_file(coder_tensors(both), metadata))


if __name__ == "__main__":
    main()
