"""How long a generated scene takes to set up, to show and to encode, from training crop to 4K.

Run: python benchmarks/moving_scenes.py
"""

import tempfile
import time
from pathlib import Path

from report import median_seconds, write

from synth.moving_scenes import MovingScene, write_clip

SIZES = {"256x256": (256, 256), "1920x1080": (1080, 1920), "3840x2160": (2160, 3840)}
CLIP_FRAMES = 14


def size_row(height: int, width: int) -> dict[str, float]:
    """Median seconds over five seeds for the set-up, and over five moments for a frame."""
    seeds = iter(range(100))
    moments = iter(range(100))
    scene = MovingScene(0, height, width)
    return {
        "set_up_seconds": median_seconds(lambda: MovingScene(next(seeds), height, width)),
        "frame_seconds": median_seconds(lambda: scene.frame(next(moments) / 7)),
    }


def clip_row(folder: Path, codec: str) -> dict[str, float]:
    """Seconds to generate and encode a 4K clip, and its size."""
    start = time.perf_counter()
    path = write_clip(
        folder / f"{codec}.mp4", 1, height=2160, width=3840, frames=CLIP_FRAMES, fps=10, codec=codec
    )
    seconds = time.perf_counter() - start
    return {"frames": CLIP_FRAMES, "seconds": seconds, "bytes": path.stat().st_size}


def main() -> None:
    """Measure, print and write benchmarks/results/moving_scenes.json."""
    start = time.perf_counter()
    MovingScene(0, 64, 64)
    first = time.perf_counter() - start
    sizes = {name: size_row(*size) for name, size in SIZES.items()}
    with tempfile.TemporaryDirectory() as folder:
        clips = {codec: clip_row(Path(folder), codec) for codec in ("h264", "hevc")}
    path = write(
        "moving_scenes",
        {"first_scene_of_a_process_seconds": first, "sizes": sizes, "clips_3840x2160": clips},
    )
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
