"""SSIM and PSNR at 4K beside scikit-image: seconds, ratio, difference.

    python benchmarks/metrics.py [--height 2160 --width 3840 --repeats 5]

Writes benchmarks/results/metrics.json.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from report import write
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from dmef_bench.evaluation import psnr, ssim
from synth.camera_response import Sigmoid
from synth.exposure import expose
from synth.moving_scenes import MovingScene

Pair = tuple[np.ndarray, np.ndarray]
Metric = Callable[[np.ndarray, np.ndarray], float]


def their_ssim(prediction, target):
    """scikit-image with the settings that make it Wang et al.'s index."""
    return structural_similarity(
        prediction,
        target,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=-1,
        data_range=255,
    )


def their_psnr(prediction, target):
    """scikit-image over all channels at once."""
    return peak_signal_noise_ratio(target, prediction, data_range=255)


def pairs(height: int, width: int) -> dict[str, Pair]:
    """A moving scene against what a method may make of it."""
    scene = MovingScene(0, height, width)
    truth = scene.frame(0.0)
    noise = np.random.default_rng(0).normal(0, 6, truth.shape)
    return {
        "half a stop brighter, clipped": (expose(truth, 0.5, Sigmoid()), truth),
        "one and a half stops darker": (expose(truth, -1.5, Sigmoid()), truth),
        "a tenth of a second later": (scene.frame(0.1), truth),
        "noise of 6 levels": (np.clip(np.rint(truth + noise), 0, 255).astype(np.uint8), truth),
    }


def side_by_side(ours: Metric, theirs: Metric, pair: Pair, repeats: int) -> tuple[float, float]:
    """Median seconds of both, called in turn so that both meet the same machine."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats + 1):
        for metric, spent in zip((ours, theirs), seconds, strict=True):
            start = time.perf_counter()
            metric(*pair)
            if repeat:  # the first round warms up
                spent.append(time.perf_counter() - start)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def main() -> None:
    """Measure both sides on the same pictures, one after the other, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--height", type=int, default=2160)
    parser.add_argument("--width", type=int, default=3840)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()

    cases = []
    for name, pair in pairs(given.height, given.width).items():
        case: dict[str, object] = {"pair": name}
        for metric, ours, theirs in (
            ("ssim", ssim, their_ssim),
            ("psnr", psnr, their_psnr),
        ):
            our_seconds, their_seconds = side_by_side(ours, theirs, pair, given.repeats)
            case[metric] = {
                "value": ours(*pair),
                "difference": float(abs(ours(*pair) - theirs(*pair))),
                "seconds": our_seconds,
                "scikit_image_seconds": their_seconds,
                "times_faster": their_seconds / our_seconds,
            }
        cases.append(case)
        print(case)
    path = write(
        "metrics",
        {
            "height": given.height,
            "width": given.width,
            "repeats": given.repeats,
            "largest_ssim_difference": max(case["ssim"]["difference"] for case in cases),
            "least_times_faster": min(case["ssim"]["times_faster"] for case in cases),
            "pairs": cases,
        },
    )
    print(path)


if __name__ == "__main__":
    main()
