"""How many bits of the perceptual hash differ between scenes, and between copies of one scene.

Pictures are ground truths of generated clips and, with FOLDER, the photographs in it. Each is
compared with every other, and with itself changed as copies are. Each clip is also encoded anew at
half its size, and taken through the whole way: window, cuts, choice of frames, hash. Written to
benchmarks/results/near_duplicates.json. Usage:

    python benchmarks/near_duplicates.py [FOLDER] [--clips 24]
"""

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import report

from dmef_bench.dataset.measures import perceptual_hash
from dmef_bench.dataset.near_duplicates import ALIKE, HASH_BITS
from dmef_bench.picture_files import read_picture
from dmef_bench.video import choose_frames, extract_frames, probe
from dmef_bench.video.ffmpeg import ffmpeg_executable
from synth.moving_scenes import write_clip

HEIGHT, WIDTH = 270, 480
# Photographs are reduced to this longer side first.
SIDE = 960


def ground_truth(video: Path) -> np.ndarray:
    """Frame 2 of what the builder would choose."""
    clip = probe(video)
    return extract_frames(clip, choose_frames(clip))[1]


def reduced(path: Path) -> np.ndarray:
    """A photograph as (h, w, 3) uint8 of a size that is quick to change."""
    picture = read_picture(path)
    if picture.dtype != np.uint8:
        raise SystemExit(f"{path}: not an 8-bit picture")
    share = SIDE / max(picture.shape)
    return cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def copies(picture: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The picture as others may have it."""
    height, width = picture.shape[:2]
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    yield "JPEG, quality 30", cv2.imdecode(coded, cv2.IMREAD_COLOR)
    yield "half size", cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    yield "brighter by 20 %", np.clip(picture * 1.2, 0, 255).astype(np.uint8)
    noise = np.random.default_rng(0).normal(0, 6, picture.shape)
    yield "noise, σ 6", np.clip(picture + noise, 0, 255).astype(np.uint8)
    for share in (0.01, 0.03, 0.06):
        top, left = int(height * share / 2), int(width * share / 2)
        yield f"cropped by {share:.0%}", picture[top : height - top, left : width - left]


def differing(first: str, second: str) -> int:
    """Bits that differ between two hashes."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def summary(bits: list[int]) -> dict[str, Any]:
    """Median, extremes, and how many the builder would take for the same scene."""
    return {
        "pairs": len(bits),
        "least": min(bits),
        "median": statistics.median(bits),
        "most": max(bits),
        "refused": sum(each <= ALIKE for each in bits),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=24)
    arguments = parser.parse_args()
    pictures, encoded_anew = [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.clips):
            video, small = Path(folder, f"{seed}.mp4"), Path(folder, f"{seed}-small.mp4")
            write_clip(video, seed, frames=24, fps=12, height=HEIGHT, width=WIDTH)
            subprocess.run(
                [
                    ffmpeg_executable(), "-v", "error", "-i", video, "-vf", "scale=iw/2:-2",
                    "-c:v", "libx264", "-crf", "30", small,
                ],
                check=True,
            )  # fmt: skip
            pictures.append(ground_truth(video))
            again = perceptual_hash(ground_truth(small))
            encoded_anew.append(differing(perceptual_hash(pictures[-1]), again))
    paths = sorted(arguments.folder.iterdir()) if arguments.folder else []
    photographs = [path for path in paths if path.suffix.lower() in (".jpg", ".png")]
    pictures += [reduced(path) for path in photographs]
    hashes = [perceptual_hash(picture) for picture in pictures]
    changed: dict[str, list[int]] = {}
    for picture, own in zip(pictures, hashes, strict=True):
        for name, copy in copies(picture):
            changed.setdefault(name, []).append(differing(own, perceptual_hash(copy)))
    data = {
        "bits": HASH_BITS,
        "alike": ALIKE,
        "generated_clips": arguments.clips,
        "photographs": len(photographs),
        "different_scenes": summary([differing(*pair) for pair in combinations(hashes, 2)]),
        "copies": {name: summary(bits) for name, bits in changed.items()},
        "clips_encoded_anew": summary(encoded_anew),
    }
    print(report.write("near_duplicates", data))


if __name__ == "__main__":
    main()
