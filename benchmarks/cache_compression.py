"""The paper's Table 7, its rows as they are read here: `python benchmarks/cache_compression.py`.

What each compression of the attention cache costs and loses, on a generated moving scene with the
shipped weights: a picture through an empty cache and once more through the full one, and the
compression of its features alone, block by block. One thread, some seconds; writes
benchmarks/results/cache_compression.json. On a machine that has other work trust the ratios.
"""

import argparse
import os
import statistics
import time
from typing import Any

import numpy as np
import torch
from report import write
from torch import Tensor

from dmef_bench.evaluation.freed_memory import keep_freed_memory
from dmef_bench.ipl import IPL, AttentionCache
from dmef_bench.ipl.attention_cache import Place
from dmef_bench.ipl.weights_file import SHIPPED, load_network
from dmef_bench.training.cache_coders import extractor_features
from synth.camera_response import Sigmoid
from synth.exposure import DEFAULT_EVS, synthesise_bracket
from synth.moving_scenes import MovingScene

# The paper's Table 7, in seconds on its own machine.
PUBLISHED = {"quantised, 8 bit": 0.0441, "CNN on width": 0.0690, "CNN on channels": 0.1978}
COMPRESSIONS: dict[str, dict[str, Any]] = {
    "none": {"compression": "none"},
    "quantised, 8 bit": {"bits": 8},
    "quantised, 4 bit": {"bits": 4},
    "quantised, 16 bit": {"bits": 16},
    "CNN on width": {"compression": "cnn-width"},
    "CNN on channels": {"compression": "cnn-channels"},
}
REPEATS = 3


def main() -> None:
    """Measure each compression and write the file."""
    parser = argparse.ArgumentParser(description="Table 7: compressions of the attention cache.")
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--width", type=int, default=640)
    size = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    network, sha256 = load_network(SHIPPED)
    network.eval()
    scene = MovingScene(0, size.height, size.width)
    frames = (scene.frame(-1 / 30), scene.frame(0.0), scene.frame(1 / 30))
    truth = torch.from_numpy(frames[1] / np.float32(255)).movedim(-1, 0)[None]
    exposures = np.stack(synthesise_bracket(frames, DEFAULT_EVS, Sigmoid()))
    images = torch.from_numpy(exposures.transpose(0, 3, 1, 2) / np.float32(255))[None]
    figures: dict[str, Any] = {}
    with torch.inference_mode():
        off = network(images)
        features = extractor_features(network, images)
        for label, options in COMPRESSIONS.items():
            figures[label] = through_the_network(network, images, options, truth, off)
            figures[label] |= alone(network, features, options)
            if label in PUBLISHED:
                figures[label]["published_seconds"] = PUBLISHED[label]
    written = write(
        "cache_compression",
        {
            "picture": f"generated moving scene, {size.width}x{size.height}",
            "weights_sha256": sha256,
            "threads": 1,
            "load_average": round(os.getloadavg()[0], 1),
            "psnr_off": psnr(off, truth),
            "compressions": figures,
        },
    )
    print(written.read_text(encoding="utf-8"))


def through_the_network(
    network: IPL, images: Tensor, options: dict[str, Any], truth: Tensor, off: Tensor
) -> dict[str, Any]:
    """Medians of a picture into an empty cache and out of a full one; quality; bytes."""
    cache = AttentionCache("exact", **options)
    network.use_cache(cache)
    cold, warm = [], []
    for _ in range(REPEATS):
        cache.clear()
        cold.append(timed(lambda: network(images))[0])
        seconds, result = timed(lambda: network(images))
        warm.append(seconds)
    found = cache.statistics
    network.use_cache(None)
    return {
        "cold_seconds": round(statistics.median(cold), 3),
        "warm_seconds": round(statistics.median(warm), 3),
        "hits": found.hits,
        "misses": found.misses,
        "megabytes": round(found.bytes / 1e6, 1),
        "psnr": psnr(result, truth),
        "psnr_to_off": psnr(result, off),
    }


def alone(
    network: IPL, features: dict[tuple[int, str], Tensor], options: dict[str, Any]
) -> dict[str, Any]:
    """Compressing and restoring every block of true features: milliseconds, and dB of the loss.

    The dB are of the features' variance by the squared error, over FIBs and dimensions.
    """
    sizes = {"W": (3, network.config.width_block), "H": (2, network.config.height_block)}
    seconds, decibels = 0.0, []
    # `position` finds a block by its place, so that no hashing is in the time.
    cache = AttentionCache("position", **options)
    for (fib, dimension), whole in features.items():
        axis, size = sizes.get(dimension, (0, 1))
        error = 0.0
        for number, block in enumerate(torch.split(whole, size, axis)):
            place = Place(fib, dimension, 0, number)
            elapsed, restored = timed(lambda p=place, b=block: cache.read(p, b, lambda same: same))
            seconds += elapsed
            error += float((restored - block).square().sum(dtype=torch.float64))
        if error:
            decibels.append(10 * np.log10(float(whole.var()) * whole.numel() / error))
    return {
        "milliseconds_to_compress_and_restore": round(1000 * seconds, 1),
        "features_decibels": round(float(np.mean(decibels)), 1) if decibels else None,
        "worst_features_decibels": round(float(np.min(decibels)), 1) if decibels else None,
    }


def timed(function: Any) -> tuple[float, Tensor]:
    """Seconds of one call, and its result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def psnr(found: Tensor, wanted: Tensor) -> float | None:
    """In dB, of pictures clipped to [0, 1]; None where they are equal."""
    error = float((found.clamp(0, 1).double() - wanted.clamp(0, 1).double()).square().mean())
    return round(-10 * float(np.log10(error)), 2) if error else None


if __name__ == "__main__":
    main()
