"""What the modes of the attention cache cost and give: `python benchmarks/attention_cache.py`.

On a generated moving scene at 1080p, with the shipped weights: a picture into an empty cache
(cold), the same picture again (same), the picture a thirtieth of a second later (next), and that
one with the fast path and no cache beside them. One thread, about 3 minutes; writes
benchmarks/results/attention_cache.json. On a machine that has other work trust the ratios.
"""

import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from report import write
from torch import Tensor

from dmef_bench.evaluation.freed_memory import keep_freed_memory
from dmef_bench.ipl import AttentionCache
from dmef_bench.ipl.fast import fuse_fast
from dmef_bench.ipl.weights_file import SHIPPED, load_network
from synth.camera_response import Sigmoid
from synth.exposure import DEFAULT_EVS, synthesise_bracket
from synth.moving_scenes import MovingScene

HEIGHT, WIDTH = 1080, 1920
CACHES: dict[str, dict[str, Any]] = {
    "exact, 8 bit": {"mode": "exact"},
    "exact, 4 bit": {"mode": "exact", "bits": 4},
    "exact, not compressed": {"mode": "exact", "bits": None},
    "approximate, tolerance 0.05": {"mode": "approximate", "tolerance": 0.05},
    "position, 8 bit": {"mode": "position"},
}
ROOM = 4 * 2**30


def main() -> None:
    """Measure each mode on the three pictures and write the file."""
    keep_freed_memory()
    network, sha256 = load_network(SHIPPED)
    network.eval()
    torch.set_num_threads(1)
    scene = MovingScene(0, HEIGHT, WIDTH)
    frames = [scene.frame(n / 30) for n in range(-1, 3)]
    truths = [torch.from_numpy(f / np.float32(255)).movedim(-1, 0)[None] for f in frames[1:3]]
    first, second = bracket(frames[:3]), bracket(frames[1:])
    pictures = [("cold", first, 0), ("same", first, 0), ("next", second, 1)]
    figures: dict[str, Any] = {}
    with torch.inference_mode():
        network(first[..., :128, :128])
        plain = {0: timed(network, first), 1: timed(network, second)}
        off = {number: result for number, (_, result) in plain.items()}
        figures["off"] = {
            name: {"seconds": round(plain[n][0], 2), "psnr": psnr(off[n], truths[n])}
            for name, n in (("cold", 0), ("next", 1))
        }
        fast_seconds, _ = timed(lambda images: fuse_fast(network, images), first)
        figures["off, fast path"] = {"cold": {"seconds": round(fast_seconds, 2)}}
        for label, options in CACHES.items():
            cache = AttentionCache(**options, max_bytes=ROOM)
            network.use_cache(cache)
            figures[label] = {}
            for name, images, n in pictures:
                before = cache.statistics
                seconds, result = timed(network, images)
                after = cache.statistics
                figures[label][name] = {
                    "seconds": round(seconds, 2),
                    "hits": after.hits - before.hits,
                    "misses": after.misses - before.misses,
                    "megabytes": round(after.bytes / 1e6),
                    "psnr": psnr(result, truths[n]),
                    "psnr_to_off": psnr(result, off[n]),
                }
            network.use_cache(None)
    written = write(
        "attention_cache",
        {
            "picture": f"generated moving scene, {WIDTH}x{HEIGHT}, next = 1/30 s later",
            "weights_sha256": sha256,
            "threads": 1,
            "load_average": round(os.getloadavg()[0], 1),
            "modes": figures,
        },
    )
    print(written.read_text(encoding="utf-8"))


def bracket(frames: Sequence[Any]) -> Tensor:
    """The paper track's bracket of three frames, (1, 3, 3, H, W) in [0, 1]."""
    exposures = np.stack(synthesise_bracket(tuple(frames), DEFAULT_EVS, Sigmoid()))
    return torch.from_numpy(exposures.transpose(0, 3, 1, 2) / np.float32(255))[None]


def timed(fuse: Any, images: Tensor) -> tuple[float, Tensor]:
    """Seconds of one call, and its result."""
    start = time.perf_counter()
    result = fuse(images)
    return time.perf_counter() - start, result


def psnr(found: Tensor, wanted: Tensor) -> float | None:
    """In dB, of pictures clipped to [0, 1]; None where they are equal."""
    error = float((found.clamp(0, 1).double() - wanted.clamp(0, 1).double()).square().mean())
    return round(-10 * float(np.log10(error)), 2) if error else None


if __name__ == "__main__":
    main()
